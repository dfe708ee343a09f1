/**
 * DEBUG DIGEST and DIGEST-VALUE: the same 20 bytes as redis-server for the same data, so that two data sets can be
 * compared without reading them.
 *
 * What Redis computes (debug.c): a key's digest starts as zeros. Whatever has an order is *mixed* in (digest = SHA1 of
 * digest xor SHA1 of the bytes), whatever has none is *folded* in (digest xor SHA1 of the bytes), pairs after they
 * were mixed into a digest of their own. Digests of keys are folded into the data set's, database by database.
 */
import { createHash } from 'node:crypto'
import { formatDouble } from '../data/double-text.ts'
import type { HashValue } from '../store/hash-value.ts'
import { NO_FIELD } from '../store/hash-value.ts'
import { type Aggregate, type Entry, type KeyspacePort, NO_ENTRY, ValueType } from '../store/keyspace-port.ts'
import type { ListValue } from '../store/list-value.ts'
import type { SetValue } from '../store/set-value.ts'
import type { SortedSetValue } from '../store/sorted-set-value.ts'
import type { StreamValue } from '../store/stream-value.ts'
import type { Arguments } from './arguments.ts'
import type { Context } from './context.ts'

const DIGEST_BYTES = 20

class Digest {
  readonly bytes = Buffer.alloc(DIGEST_BYTES)

  /** In no order. */
  fold(part: Uint8Array): void {
    const hash = createHash('sha1').update(part).digest()
    for (let i = 0; i < DIGEST_BYTES; i++) this.bytes[i] = (this.bytes[i] as number) ^ (hash[i] as number)
  }

  /** In this order. */
  mix(part: Uint8Array): void {
    this.fold(part)
    createHash('sha1').update(this.bytes).digest().copy(this.bytes)
  }

  /** Parts that belong together, as one part among others in no order. One character per byte. */
  foldGroup(...parts: readonly string[]): void {
    const group = new Digest()
    for (const part of parts) group.mix(Buffer.from(part, 'latin1'))
    this.fold(group.bytes)
  }

  mixNumber(value: number): void {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(value)
    this.mix(bytes)
  }
}

/** What a value that is not a string adds to its key's digest: one row for each type. */
const aggregateParts = new Map<ValueType, (digest: Digest, value: Aggregate) => void>([
  [ValueType.list, (digest, value) => addList(digest, value as ListValue)],
  [ValueType.set, (digest, value) => addSet(digest, value as SetValue)],
  [ValueType.sortedSet, (digest, value) => addSortedSet(digest, value as SortedSetValue)],
  [ValueType.hash, (digest, value) => addHash(digest, value as HashValue)],
  [ValueType.stream, (digest, value) => addStream(digest, value as StreamValue)],
])

function addList(digest: Digest, { list }: ListValue): void {
  const place = list.at(0)
  if (place === undefined) return
  do {
    const { memory, start, end } = list.read(place)
    digest.mix(memory.subarray(start, end))
  } while (list.advance(place))
}

function addSet(digest: Digest, set: SetValue): void {
  for (const member of set) digest.fold(Buffer.from(member, 'latin1'))
}

function addSortedSet(digest: Digest, set: SortedSetValue): void {
  for (const { member, score } of set.range()) digest.foldGroup(member, formatDouble(score))
}

function addHash(digest: Digest, hash: HashValue): void {
  for (let place = hash.first(); place !== NO_FIELD; place = hash.next(place)) {
    digest.foldGroup(hash.field(place), hash.value(place))
  }
}

/** The entries; groups do not count. */
function addStream(digest: Digest, { stream }: StreamValue): void {
  const cursor = stream.all()
  while (cursor.next()) {
    digest.mix(Buffer.from(`${cursor.id.ms}.${cursor.id.sequence}`))
    cursor.sendTexts({ bulk: (bytes, start, end) => digest.mix(bytes.subarray(start, end)) })
  }
}

function addValue(digest: Digest, database: KeyspacePort, entry: Entry): void {
  const type = database.type(entry)
  digest.mixNumber(type)
  if (type === ValueType.string) digest.mix(database.peekText(entry))
  else {
    const add = aggregateParts.get(type)
    if (add === undefined) throw new Error(`values of type ${type} have no digest`)
    add(digest, database.aggregate(entry))
  }
  if (database.expireAtMs(entry) >= 0) digest.fold(Buffer.from('!!expire!!'))
}

/** The digest of everything. Keys whose time has come count as long as they are there. */
export function debugDigest({ reply, server }: Context): void {
  const whole = new Digest()
  for (const database of server.databases) {
    if (database.size === 0) continue
    whole.mixNumber(database.index)
    database.scan(0n, Number.MAX_SAFE_INTEGER, (entry) => {
      const one = new Digest()
      one.mix(database.key(entry))
      addValue(one, database, entry)
      whole.fold(one.bytes)
    })
  }
  reply.simple(whole.bytes.toString('hex'))
}

/** The digests of values, without their keys; zeros for a key that does not exist. */
export function debugDigestValue({ db, reply }: Context, args: Arguments): void {
  reply.array(args.count - 2)
  for (let i = 2; i < args.count; i++) {
    const digest = new Digest()
    const entry = db.find(args.memory, args.start(i), args.end(i))
    if (entry !== NO_ENTRY) addValue(digest, db, entry)
    reply.simple(digest.bytes.toString('hex'))
  }
}
