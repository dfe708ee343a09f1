/**
 * LZF, the compression of strings inside RDB files and DUMP payloads.
 *
 * The stream is a row of runs. A control byte c below 32 is followed by c + 1 literal bytes. Otherwise it is a
 * back reference: its upper three bits are the length - 2 (7: a further byte is added), its lower five bits and the
 * next byte are the distance - 1.
 *
 *     000lllll  literal…                      llll + 1 bytes follow
 *     lllddddd  dddddddd                      copy lll + 2 bytes
 *     111ddddd  llllllll  dddddddd            copy llllllll + 9 bytes
 *
 * `compress` makes the same choices as liblzf in the form that Redis builds (16 bits of hash, "very fast"), so that our
 * payloads are the same bytes as Redis's. Its hash table keeps positions of earlier inputs too; each call counts on
 * from a new base, so that an old position is recognised and the result depends on this input alone.
 */

const HASH_BITS = 16
const LITERAL_MAX = 32
const DISTANCE_MAX = 8192
const MATCH_MAX = 264

const slots = new Float64Array(1 << HASH_BITS)
let base = 1

/**
 * Compresses `input` into `output`.
 * @returns bytes written, or 0 if the result does not fit: then the input is better stored as it is.
 */
export function compress(input: Uint8Array, output: Uint8Array): number {
  const inputEnd = input.length
  const outputEnd = output.length
  if (inputEnd === 0 || outputEnd === 0) return 0
  const origin = base
  base += inputEnd
  let from = 0
  let to = 1
  let literals = 0
  let hash = ((input[0] as number) << 8) | (input[1] as number)

  while (from < inputEnd - 2) {
    hash = ((hash << 8) | (input[from + 2] as number)) & 0xffffff
    const slot = slotOf(hash)
    const earlier = (slots[slot] as number) - origin
    slots[slot] = origin + from
    const distance = from - earlier - 1
    if (earlier > 0 && distance < DISTANCE_MAX && sameThree(input, earlier, from)) {
      if (to + 4 >= outputEnd && to - (literals === 0 ? 1 : 0) + 4 >= outputEnd) return 0
      output[to - literals - 1] = literals - 1
      if (literals === 0) to--
      const length = matchLength(input, earlier, from, inputEnd) - 2
      if (length < 7) output[to++] = (distance >> 8) + (length << 5)
      else {
        output[to++] = (distance >> 8) + (7 << 5)
        output[to++] = length - 7
      }
      output[to++] = distance
      literals = 0
      to++
      from += length + 2
      if (from >= inputEnd - 2) break
      // Only the last two positions of a match are remembered.
      from -= 2
      hash = ((input[from] as number) << 16) | ((input[from + 1] as number) << 8) | (input[from + 2] as number)
      slots[slotOf(hash)] = origin + from++
      hash = ((hash << 8) | (input[from + 2] as number)) & 0xffffff
      slots[slotOf(hash)] = origin + from++
    } else {
      if (to >= outputEnd) return 0
      literals++
      output[to++] = input[from++] as number
      if (literals === LITERAL_MAX) {
        output[to - literals - 1] = literals - 1
        literals = 0
        to++
      }
    }
  }

  if (to + 3 > outputEnd) return 0
  while (from < inputEnd) {
    literals++
    output[to++] = input[from++] as number
    if (literals === LITERAL_MAX) {
      output[to - literals - 1] = literals - 1
      literals = 0
      to++
    }
  }
  output[to - literals - 1] = literals - 1
  if (literals === 0) to--
  return to
}

/**
 * Expands `input` into `output`, which must be as long as the original.
 * @returns whether the input was sound and filled the output exactly.
 */
export function decompress(input: Uint8Array, output: Uint8Array): boolean {
  const inputEnd = input.length
  const outputEnd = output.length
  let from = 0
  let to = 0
  while (from < inputEnd) {
    const control = input[from++] as number
    if (control < 32) {
      const count = control + 1
      if (from + count > inputEnd || to + count > outputEnd) return false
      for (let i = 0; i < count; i++) output[to++] = input[from++] as number
      continue
    }
    let length = control >> 5
    if (length === 7) {
      if (from >= inputEnd) return false
      length += input[from++] as number
    }
    if (from >= inputEnd) return false
    let source = to - ((control & 31) << 8) - (input[from++] as number) - 1
    length += 2
    if (source < 0 || to + length > outputEnd) return false
    // Byte by byte: source and target may overlap, which is how runs are expressed.
    for (let i = 0; i < length; i++) output[to++] = output[source++] as number
  }
  return to === outputEnd
}

function slotOf(hash: number): number {
  return ((hash >>> (24 - HASH_BITS)) - hash * 5) & 0xffff
}

function sameThree(input: Uint8Array, a: number, b: number): boolean {
  return input[a] === input[b] && input[a + 1] === input[b + 1] && input[a + 2] === input[b + 2]
}

/**
 * Bytes in common of what starts at `earlier` and at `from`: at least 3. liblzf stops up to two bytes before the end
 * of the input, except that its unrolled first 16 comparisons do not look at that limit.
 */
function matchLength(input: Uint8Array, earlier: number, from: number, inputEnd: number): number {
  const most = Math.min(inputEnd - from - 2, MATCH_MAX)
  let length = 2
  if (most > 16) {
    for (let i = 0; i < 16; i++) {
      length++
      if (input[earlier + length] !== input[from + length]) return length
    }
  }
  do length++
  while (length < most && input[earlier + length] === input[from + length])
  return length
}
