/**
 * Counts in the compressed text form of HdrHistogram (V2), which every reader of that family decodes.
 *
 *     base64( cookie, length of the rest, deflate( header, counts ) )
 *     header: cookie, length of the counts, normalizing offset 0, significant digits (each an int32),
 *             lowest and highest value (int64), ratio 1 (double); all big-endian
 *     counts: one variable-length number a slot up to the last used; a run of n empty slots is the one number -n
 *
 * Source: the encoding of HdrHistogram's Java and C implementations (`hdr_histogram_log.c`, `ZigZagEncoding.java`).
 * hdr-histogram-js writes it too, but with a normalizing offset of 1, by which a reader that heeds the field moves all
 * counts; and loading it costs a tenth of a second in each thread.
 */
import { deflateSync } from 'node:zlib'

/** The low half-byte's 0x10 says that counts are of variable length. */
const COOKIE = 0x1c849303 | 0x10
const COMPRESSED_COOKIE = 0x1c849304 | 0x10
const HEADER_BYTES = 40
/** Of a count below 2^53. */
const COUNT_BYTES_MAX = 8

export interface HdrRange {
  lowest: number
  highest: number
  significantDigits: number
}

/** `counts` lie in HdrHistogram's order of slots; those from `slots` on are empty. */
export function encodeHdr(counts: Uint32Array, slots: number, range: HdrRange): string {
  const payload = Buffer.allocUnsafe(HEADER_BYTES + slots * COUNT_BYTES_MAX)
  let offset = HEADER_BYTES
  for (let slot = 0; slot < slots; ) {
    const first = slot
    while (slot < slots && counts[slot] === 0) slot++
    offset = slot > first ? writeNumber(payload, offset, first - slot) : writeNumber(payload, offset, counts[slot++]!)
  }
  payload.writeInt32BE(COOKIE, 0)
  payload.writeInt32BE(offset - HEADER_BYTES, 4)
  payload.writeInt32BE(0, 8)
  payload.writeInt32BE(range.significantDigits, 12)
  payload.writeBigInt64BE(BigInt(range.lowest), 16)
  payload.writeBigInt64BE(BigInt(range.highest), 24)
  payload.writeDoubleBE(1, 32)
  const packed = deflateSync(payload.subarray(0, offset))
  const head = Buffer.allocUnsafe(8)
  head.writeInt32BE(COMPRESSED_COOKIE, 0)
  head.writeInt32BE(packed.length, 4)
  return Buffer.concat([head, packed]).toString('base64')
}

/** Zigzag (0, -1, 1, -2 … become 0, 1, 2, 3 …), then seven bits a byte, lowest first. Returns the offset behind it. */
function writeNumber(target: Buffer, start: number, value: number): number {
  let rest = value < 0 ? -2 * value - 1 : 2 * value
  let offset = start
  while (rest >= 128) {
    target[offset++] = (rest % 128) + 128
    rest = Math.floor(rest / 128)
  }
  target[offset++] = rest
  return offset
}
