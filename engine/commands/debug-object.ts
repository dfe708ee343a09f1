/** DEBUG's looks at how single values are kept. Addresses mean nothing here: they only differ from entry to entry. */
import { formatFixed } from '../data/double-text.ts'
import { dumpPayload } from '../persist/rdb-writer.ts'
import { idleSeconds } from '../store/access-clock.ts'
import { type Entry, NO_ENTRY, ValueType } from '../store/keyspace-port.ts'
import type { ListValue } from '../store/list-value.ts'
import type { Arguments } from './arguments.ts'
import type { Context } from './context.ts'
import { errors } from './errors.ts'
import { numberArgument } from './number-argument.ts'
import { referenceCount } from './object.ts'

/** Beside the value a payload of DUMP has its type, a version and a checksum. */
const PAYLOAD_FRAME_BYTES = 1 + 2 + 8
const FIRST_ADDRESS = 0x7f0000000000
const OBJECT_BYTES = 16

/** The entry of argument 2, whether its time has come or not; answers when there is none. */
function lookup({ args, db, reply }: Context): Entry {
  const entry = db.find(args.memory, args.start(2), args.end(2))
  if (entry === NO_ENTRY) reply.error(errors.noSuchKey)
  return entry
}

export function debugObject(context: Context): void {
  const entry = lookup(context)
  if (entry === NO_ENTRY) return
  const { db, server } = context
  const { rdbcompression } = server.config.values
  const isText = db.type(entry) === ValueType.string
  const payload = isText
    ? dumpPayload(db.text(entry), undefined, rdbcompression)
    : dumpPayload(undefined, db.aggregate(entry), rdbcompression)
  const accessed = db.accessed(entry)
  const parts = [
    `Value at:0x${(FIRST_ADDRESS + entry * OBJECT_BYTES).toString(16)}`,
    `refcount:${referenceCount(context, entry)}`,
    `encoding:${db.encoding(entry)}`,
    `serializedlength:${payload.length - PAYLOAD_FRAME_BYTES}`,
    `lru:${accessed}`,
    `lru_seconds_idle:${idleSeconds(accessed, context.nowMs)}`,
  ]
  if (db.type(entry) === ValueType.list) parts.push(...listParts(db.aggregate(entry) as ListValue))
  context.reply.simple(parts.join(' '))
}

function listParts({ list }: ListValue): string[] {
  let bytes = 0
  for (let node = list.head; node !== undefined; node = node.after) bytes += node.byteLength
  return [
    `ql_nodes:${list.nodeCount}`,
    `ql_avg_node:${formatFixed(list.length / list.nodeCount, 2)}`,
    `ql_listpack_max:${list.fill}`,
    `ql_compressed:${list.compressDepth === 0 ? 0 : 1}`,
    `ql_uncompressed_size:${bytes}`,
  ]
}

/** Bytes that jemalloc gives for a request: its size classes are four to each doubling. */
function allocatedBytes(bytes: number): number {
  if (bytes <= 8) return 8
  if (bytes <= 128) return Math.ceil(bytes / 16) * 16
  const step = 2 ** (Math.ceil(Math.log2(bytes)) - 3)
  return Math.ceil(bytes / step) * step
}

/** Of an sds string of Redis: header, text, a zero; room behind the text is what the allocator gave beyond. */
function stringSize(bytes: number, isKey: boolean): { room: number; allocated: number } {
  const isTiny = isKey && bytes < 32
  const header = isTiny ? 1 : bytes < 256 ? 3 : bytes < 65_536 ? 5 : 9
  const allocated = allocatedBytes(header + bytes + 1)
  return { room: isTiny ? 0 : allocated - header - bytes - 1, allocated }
}

export function debugSdslen(context: Context): void {
  const entry = lookup(context)
  if (entry === NO_ENTRY) return
  const { db, reply } = context
  const encoding = db.encoding(entry)
  if (encoding !== 'embstr' && encoding !== 'raw') {
    reply.error('ERR Not an sds encoded string.')
    return
  }
  const keyBytes = context.args.length(2)
  const key = stringSize(keyBytes, true)
  const length = db.textLength(entry)
  const value =
    encoding === 'raw'
      ? stringSize(length, false)
      : { room: 0, allocated: allocatedBytes(OBJECT_BYTES + 4 + length) - OBJECT_BYTES }
  reply.simple(
    `key_sds_len:${keyBytes}, key_sds_avail:${key.room}, key_zmalloc: ${key.allocated}, ` +
      `val_sds_len:${length}, val_sds_avail:${value.room}, val_zmalloc: ${value.allocated}`,
  )
}

export function debugListpack(context: Context): void {
  const entry = lookup(context)
  if (entry === NO_ENTRY) return
  if (context.db.encoding(entry) !== 'listpack') {
    context.reply.error('ERR Not a listpack encoded object.')
    return
  }
  const payload = dumpPayload(undefined, context.db.aggregate(entry), false)
  context.server.io.host.print(`listpack as in an RDB file: ${payload.subarray(1, -10).toString('hex')}`)
  context.reply.simple('Listpack structure printed on stdout')
}

export function debugQuicklist(context: Context, args: Arguments): void {
  const entry = lookup(context)
  if (entry === NO_ENTRY) return
  if (context.db.encoding(entry) !== 'quicklist') {
    context.reply.error('ERR Not a quicklist encoded object.')
    return
  }
  const isFull = args.count > 3 && Number.parseInt(args.latin1(3), 10) !== 0
  const { list } = context.db.aggregate(entry) as ListValue
  const { host } = context.server.io
  host.print(`quicklist of ${list.length} elements in ${list.nodeCount} nodes`)
  for (let node = list.head; node !== undefined; node = node.after) {
    const container = node.isPlain ? 'PLAIN' : 'PACKED'
    host.print(`{quicklist node: count ${node.count}, bytes ${node.byteLength}, ${container}}`)
  }
  const place = isFull ? list.at(0) : undefined
  if (place !== undefined) {
    do {
      const { memory, start, end } = list.read(place)
      host.print(`{${(memory as Buffer).toString('latin1', start, end)}}`)
    } while (list.advance(place))
  }
  context.reply.simple('Quicklist structure printed on stdout')
}

const EMPTY_TABLE = 'Hash table 0 stats (main hash table):\nNo stats available for empty dictionaries\n'
/** Redis's table counts longer chains as these. */
const CHAIN_LENGTH_MAX = 49

/** Redis's text about a hash table, from how many chains of each length it has. */
function describeTable(chains: readonly number[]): string {
  const lengths = Array.from(chains, (count = 0, length) => ({ length, count })).filter(({ count }) => count > 0)
  const size = lengths.reduce((sum, { count }) => sum + count, 0)
  const elements = lengths.reduce((sum, { length, count }) => sum + length * count, 0)
  if (elements === 0) return EMPTY_TABLE
  const used = size - (chains[0] ?? 0)
  const perChain = formatFixed(Math.fround(elements / used), 2)
  const distribution = lengths.map(({ length, count }) => {
    const label = length >= CHAIN_LENGTH_MAX ? `>= ${CHAIN_LENGTH_MAX}` : String(length)
    return `   ${label}: ${count} (${formatFixed(Math.fround(Math.fround(count / size) * 100), 2)}%)\n`
  })
  return `Hash table 0 stats (main hash table):
 table size: ${size}
 number of elements: ${elements}
 different slots: ${used}
 max chain length: ${chains.length - 1}
 avg chain length (counted): ${perChain}
 avg chain length (computed): ${perChain}
 Chain length distribution:
${distribution.join('')}`
}

export function debugTable(context: Context, args: Arguments): void {
  const index = numberArgument(context, args, 2)
  if (Number.isNaN(index)) return
  const database = context.server.databases[index]
  if (database === undefined) {
    context.reply.error('ERR Out of range database')
    return
  }
  // Keys that expire are an array here: each has a place of its own.
  const expiring = describeTable([0, database.expiringSize])
  const text = `[Dictionary HT]\n${describeTable(database.chainHistogram())}[Expires HT]\n${expiring}`
  context.reply.verbatim('txt', text)
}

export function debugTableOfKey(context: Context): void {
  const entry = lookup(context)
  if (entry === NO_ENTRY) return
  const { db, reply } = context
  const chains = db.type(entry) === ValueType.string ? undefined : db.aggregate(entry).chainHistogram?.()
  if (chains === undefined) {
    reply.error('ERR The value stored at the specified key is not represented using an hash table')
  } else reply.verbatim('txt', describeTable(chains))
}
