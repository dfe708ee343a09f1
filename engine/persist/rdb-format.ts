/** Numbers of the RDB format: operation codes, string encodings, object types. Source: Redis's `rdb.h`. */

/** The version that we write: Redis 7.0's. */
export const RDB_VERSION = 10
/** The newest version that we read: Redis 7.4's. */
export const RDB_VERSION_MAX = 12

export const opcode = {
  slotInfo: 244,
  function2: 245,
  functionPreRelease: 246,
  moduleAux: 247,
  idle: 248,
  frequency: 249,
  aux: 250,
  resizeDatabase: 251,
  expiryMs: 252,
  expirySeconds: 253,
  selectDatabase: 254,
  end: 255,
} as const

/** First byte of a length. The upper two bits choose; these two use the whole byte. */
export const LENGTH_32_BITS = 0x80
export const LENGTH_64_BITS = 0x81

/** Strings in a special encoding: the upper two bits are set, the lower six say which. */
export const stringEncoding = { int8: 0, int16: 1, int32: 2, lzf: 3 } as const

export const RDB_TYPE_STRING = 0

/** Names of the object types, for messages about those that cannot be read. */
export const rdbTypeNames: Readonly<Record<number, string>> = {
  0: 'string',
  1: 'list',
  2: 'set',
  3: 'sorted set (text scores)',
  4: 'hash',
  5: 'sorted set',
  6: 'module value (before GA)',
  7: 'module value',
  9: 'hash (zipmap)',
  10: 'list (ziplist)',
  11: 'set (intset)',
  12: 'sorted set (ziplist)',
  13: 'hash (ziplist)',
  14: 'list (quicklist of ziplists)',
  15: 'stream (listpacks)',
  16: 'hash (listpack)',
  17: 'sorted set (listpack)',
  18: 'list (quicklist)',
  19: 'stream (listpacks, version 2)',
  20: 'set (listpack)',
  21: 'stream (listpacks, version 3)',
  22: 'hash with field expiry (before GA)',
  23: 'hash with field expiry (listpack, before GA)',
  24: 'hash with field expiry',
  25: 'hash with field expiry (listpack)',
}

/** The version that brought a type or operation, for those that are newer than the version that we write. */
export const sinceVersion: Readonly<Record<number, number>> = { 20: 11, 21: 11, [opcode.slotInfo]: 11 }

/** Elements in a part of a value that is written in parts. */
export const PART_ELEMENTS = 32
