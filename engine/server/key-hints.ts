/**
 * Tells the database which keys the commands of a chunk will look up (see `resp/lookahead.ts`,
 * `KeyspacePort.announce`).
 */
import { AnnouncedKeys } from '../data/announced-keys.ts'
import { KEYS_AHEAD_MAX, KeysAhead } from '../resp/lookahead.ts'
import type { RequestParser } from '../resp/parser.ts'
import { ANNOUNCE_FROM_KEYS, type KeyspacePort, NO_ENTRY, ValueType } from '../store/keyspace-port.ts'

const KEY_WORD = 1
/** So many commands show whether the others are worth looking at. */
const SAMPLE = 2
/** Of HSET, HGET, SADD, SISMEMBER and their like: the field or member. */
const MEMBER_WORD = 2

/** The first two keys are one: then it is in the cache anyway, and the others most likely are the same. */
function sameKey({ memory, starts, ends }: KeysAhead): boolean {
  const [first, second] = [starts[0] as number, starts[1] as number]
  const length = (ends[0] as number) - first
  if ((ends[1] as number) - second !== length) return false
  // Keys of a kind differ at their ends.
  for (let i = length - 1; i >= 0; i--) if (memory[first + i] !== memory[second + i]) return false
  return true
}

export class KeyHints {
  private readonly keys = new KeysAhead()
  private readonly members = new AnnouncedKeys()
  private readonly databases: readonly KeyspacePort[]
  /** The one that expects keys now. */
  private expecting: KeyspacePort | undefined = undefined

  constructor(databases: readonly KeyspacePort[]) {
    this.databases = databases
  }

  /**
   * Looks at the next commands. Returns the place before which there is nothing to gain: up to where they were seen,
   * or, when two of them showed that it is not worth it, about where as many like these end.
   */
  give({ databaseIndex }: { databaseIndex: number }, parser: RequestParser): number {
    const { keys } = this
    const { place } = parser
    const db = this.databases[databaseIndex] as KeyspacePort
    parser.lookAhead(keys, KEY_WORD, SAMPLE)
    if (keys.count < SAMPLE) return keys.position
    const isGiven = sameKey(keys) ? this.announceMembers(db, parser) : this.announceKeys(db, parser)
    return isGiven ? keys.position : place + (keys.position - place) * (KEYS_AHEAD_MAX / SAMPLE)
  }

  /** False when keys that are so few lie in the caches anyway. */
  private announceKeys(db: KeyspacePort, parser: RequestParser): boolean {
    if (db.size < ANNOUNCE_FROM_KEYS) return false
    const { keys } = this
    parser.lookFurther(keys, KEY_WORD)
    db.announce(keys.memory, keys.starts, keys.ends, 0, 1, keys.count)
    this.expecting = db
    return true
  }

  /**
   * All for one value, it seems: what they ask of it is announced to the value. False when it is none that can use it.
   */
  private announceMembers(db: KeyspacePort, parser: RequestParser): boolean {
    const { keys, members } = this
    const entry = db.find(keys.memory, keys.starts[0] as number, keys.ends[0] as number)
    if (entry === NO_ENTRY || db.type(entry) === ValueType.string) return false
    const value = db.aggregate(entry)
    if (value.announceMembers === undefined) return false
    parser.lookAhead(keys, MEMBER_WORD)
    value.announceMembers(keys, members)
    return true
  }

  /** The memory is about to be used for something else. */
  end(): void {
    this.members.end()
    if (this.expecting === undefined) return
    this.expecting.endAnnouncement()
    this.expecting = undefined
  }
}
