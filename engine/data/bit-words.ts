/**
 * Bits of long texts, 32 at a time: byte by byte it takes ten times as long. The words of a text begin where its memory is
 * aligned; what lies before and behind them is done by bytes.
 *
 *     byte │ byte │ word … word │ byte
 */
export type BitOperation = 'and' | 'or' | 'xor'

/** The words within bytes[start…end), and the index in `bytes` of the first one. */
function wordsOf(bytes: Buffer, start: number, end: number): { words: Int32Array; first: number } {
  const first = Math.min(end, start + ((4 - ((bytes.byteOffset + start) & 3)) & 3))
  const count = (end - first) >>> 2
  return { words: count > 0 ? new Int32Array(bytes.buffer, bytes.byteOffset + first, count) : NO_WORDS, first }
}

/** What has no words may lie where none could begin. */
const NO_WORDS = new Int32Array(0)

/** `into` becomes `into` op `other`; where `other` has ended it counts as zeros. */
export function combineBits(into: Buffer, other: Buffer, operation: BitOperation): void {
  const length = Math.min(into.length, other.length)
  const isAligned = ((into.byteOffset | other.byteOffset) & 3) === 0
  const words = isAligned ? length >>> 2 : 0
  if (words > 0) {
    combineWords(
      new Int32Array(into.buffer, into.byteOffset, words),
      new Int32Array(other.buffer, other.byteOffset, words),
      operation,
    )
  }
  for (let i = words * 4; i < length; i++) {
    const [a, b] = [into[i] as number, other[i] as number]
    into[i] = operation === 'and' ? a & b : operation === 'or' ? a | b : a ^ b
  }
  if (operation === 'and') into.fill(0, length)
}

/** A loop for each operation: a function called for each word would take most of the time. */
function combineWords(into: Int32Array, other: Int32Array, operation: BitOperation): void {
  const { length } = into
  if (operation === 'and') {
    for (let i = 0; i < length; i++) into[i] = (into[i] as number) & (other[i] as number)
  } else if (operation === 'or') {
    for (let i = 0; i < length; i++) into[i] = (into[i] as number) | (other[i] as number)
  } else {
    for (let i = 0; i < length; i++) into[i] = (into[i] as number) ^ (other[i] as number)
  }
}

export function invertBits(bytes: Buffer): void {
  const { words, first } = wordsOf(bytes, 0, bytes.length)
  for (let i = 0; i < first; i++) bytes[i] = ~(bytes[i] as number)
  for (let i = 0; i < words.length; i++) words[i] = ~(words[i] as number)
  for (let i = first + words.length * 4; i < bytes.length; i++) bytes[i] = ~(bytes[i] as number)
}

/** How many bits of bytes[start…end) are set. */
export function countSetBits(bytes: Buffer, start: number, end: number): number {
  if (start >= end) return 0
  const { words, first } = wordsOf(bytes, start, end)
  let count = 0
  for (let i = start; i < first; i++) count += setBits(bytes[i] as number)
  for (let i = 0; i < words.length; i++) count += setBits(words[i] as number)
  for (let i = first + words.length * 4; i < end; i++) count += setBits(bytes[i] as number)
  return count
}

/** Bits of a word, added up in pairs, then in fours and eights. */
function setBits(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555)
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

/** The first byte of bytes[start…end) that is not `byte` (0 or 255); `end` when all are. */
export function skipBytes(bytes: Buffer, byte: 0 | 255, start: number, end: number): number {
  if (start >= end) return end
  const { words, first } = wordsOf(bytes, start, end)
  let at = start
  while (at < first && bytes[at] === byte) at++
  if (at < first) return at
  const word = byte === 0 ? 0 : -1
  let index = 0
  while (index < words.length && words[index] === word) index++
  at = first + index * 4
  while (at < end && bytes[at] === byte) at++
  return at
}
