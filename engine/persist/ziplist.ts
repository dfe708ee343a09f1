/**
 * The compact forms that Redis wrote before listpacks, read only: ziplists (up to 6.2) and zipmaps (up to 2.4).
 * Sources of the formats: the heads of Redis's `ziplist.c` and `zipmap.c`.
 */

const ZIPLIST_HEADER_BYTES = 10
const TERMINATOR = 0xff
const COUNT_UNKNOWN = 65535
/** A length that does not fit in one byte follows in four. */
const LONG_LENGTH = 254

/**
 *     total bytes (4) | offset of the last entry (4) | count (2; 65535: unknown) | entry … entry | 0xff
 *     entry = length of the one before (1, or 254 and 4) | encoding | data
 *
 * @returns the texts of all entries, or undefined when the bytes are damaged
 */
export function ziplistTexts(bytes: Buffer): Buffer[] | undefined {
  const end = bytes.length - 1
  if (bytes.length < ZIPLIST_HEADER_BYTES + 1 || bytes.readUInt32LE(0) !== bytes.length) return undefined
  const texts: Buffer[] = []
  let before = 0
  let last = bytes.readUInt32LE(4)
  let at = ZIPLIST_HEADER_BYTES
  while (at < end) {
    last = at
    const isLong = bytes[at] === LONG_LENGTH
    if (isLong && at + 5 > end) return undefined
    if ((isLong ? bytes.readUInt32LE(at + 1) : bytes[at]) !== before) return undefined
    at += isLong ? 5 : 1
    const entry = at < end ? ziplistEntry(bytes, at) : undefined
    if (entry === undefined || entry.next > end) return undefined
    texts.push(entry.text)
    at = entry.next
    before = at - last
  }
  const count = bytes.readUInt16LE(8)
  const isCounted = count === COUNT_UNKNOWN || count === texts.length
  return isCounted && bytes.readUInt32LE(4) === last && bytes[end] === TERMINATOR && at === end ? texts : undefined
}

/** `at`: where its encoding is. Undefined for an encoding that does not exist, or one that ends too early. */
function ziplistEntry(bytes: Buffer, at: number): { text: Buffer; next: number } | undefined {
  const first = bytes[at] as number
  if (at + 9 > bytes.length && at + headBytes(first) > bytes.length) return undefined
  if (first < 0x40) return textAt(bytes, at + 1, first)
  if (first < 0x80) return textAt(bytes, at + 2, bytes.readUInt16BE(at) & 0x3fff)
  if (first === 0x80) return textAt(bytes, at + 5, bytes.readUInt32BE(at + 1))
  if (first === 0xc0) return numberAt(bytes.readInt16LE(at + 1), at + 3)
  if (first === 0xd0) return numberAt(bytes.readInt32LE(at + 1), at + 5)
  if (first === 0xe0) return numberAt(bytes.readBigInt64LE(at + 1), at + 9)
  if (first === 0xf0) return numberAt(bytes.readIntLE(at + 1, 3), at + 4)
  if (first === 0xfe) return numberAt(bytes.readInt8(at + 1), at + 2)
  return first >= 0xf1 && first <= 0xfd ? numberAt(first - 0xf1, at + 1) : undefined
}

/** Bytes that encoding and number take at most. */
function headBytes(first: number): number {
  if (first < 0x40) return 1
  if (first < 0x80) return 2
  const sizes: Record<number, number> = { 128: 5, 192: 3, 208: 5, 224: 9, 240: 4, 254: 2 }
  return sizes[first] ?? 1
}

function textAt(bytes: Buffer, start: number, length: number): { text: Buffer; next: number } {
  return { text: bytes.subarray(start, start + length), next: start + length }
}

function numberAt(value: number | bigint, next: number): { text: Buffer; next: number } {
  return { text: Buffer.from(value.toString()), next }
}

/**
 *     count (1; 254: unknown) | { length | key | length | unused bytes (1) | value | unused }… | 0xff
 *
 * @returns keys and values by turns, or undefined when the bytes are damaged
 */
export function zipmapTexts(bytes: Buffer): Buffer[] | undefined {
  const texts: Buffer[] = []
  let at = 1
  while (at < bytes.length && bytes[at] !== TERMINATOR) {
    const isValue = texts.length % 2 === 1
    const isLong = bytes[at] === LONG_LENGTH
    if (isLong && at + 5 > bytes.length) return undefined
    const length = isLong ? bytes.readUInt32LE(at + 1) : (bytes[at] as number)
    if (isLong && length < LONG_LENGTH) return undefined
    at += isLong ? 5 : 1
    const unused = isValue ? (bytes[at++] ?? 0) : 0
    if (at + length + unused >= bytes.length) return undefined
    texts.push(bytes.subarray(at, at + length))
    at += length + unused
  }
  const isCounted = bytes[0] === LONG_LENGTH || bytes[0] === texts.length / 2
  return isCounted && at === bytes.length - 1 && texts.length % 2 === 0 ? texts : undefined
}
