/**
 * CRC-16/XMODEM (polynomial 0x1021, initial value 0, no reflection) and the hash slot of a key, as the Redis Cluster
 * specification defines them: when the key holds `{`, and a `}` later with at least one byte between, only those bytes
 * are hashed, so that keys with one tag share a slot.
 */

export const SLOT_COUNT = 16384

const TABLE = buildTable()

function buildTable(): Uint16Array {
  const table = new Uint16Array(256)
  for (let i = 0; i < 256; i++) {
    let crc = i << 8
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1
    table[i] = crc
  }
  return table
}

/** CRC of memory[start…end). */
export function crc16(memory: Uint8Array, start = 0, end = memory.length): number {
  let crc = 0
  for (let i = start; i < end; i++) {
    crc = ((crc << 8) & 0xffff) ^ (TABLE[(crc >>> 8) ^ (memory[i] as number)] as number)
  }
  return crc
}

const OPEN = 0x7b
const CLOSE = 0x7d

/** The hash slot (0…16383) of the key at memory[start…end). */
export function keyHashSlot(memory: Uint8Array, start = 0, end = memory.length): number {
  let open = start
  while (open < end && memory[open] !== OPEN) open++
  if (open < end) {
    let close = open + 1
    while (close < end && memory[close] !== CLOSE) close++
    if (close < end && close > open + 1) return crc16(memory, open + 1, close) & (SLOT_COUNT - 1)
  }
  return crc16(memory, start, end) & (SLOT_COUNT - 1)
}
