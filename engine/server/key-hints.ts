/** Tells the database which keys the commands of a chunk will look up (see `resp/lookahead.ts`, `KeyspacePort.announce`). */
import { AnnouncedKeys } from '../data/announced-keys.ts'
import { KeysAhead } from '../resp/lookahead.ts'
import type { RequestParser } from '../resp/parser.ts'
import { type KeyspacePort, NO_ENTRY, ValueType } from '../store/keyspace-port.ts'

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

  /** Looks at the next commands. Returns the place up to which they were seen: there is nothing to gain before it. */
  give({ databaseIndex }: { databaseIndex: number }, parser: RequestParser): number {
    const { keys } = this
    parser.lookAhead(keys)
    const { count, memory, starts, ends, position } = keys
    if (count < 2) return position
    if (sameKey(keys)) this.announceMembers(databaseIndex, parser)
    else {
      this.expecting = this.databases[databaseIndex] as KeyspacePort
      this.expecting.announce(memory, starts, ends, 0, 1, count)
    }
    return position
  }

  /** All for one value, it seems: what they ask of it is announced to the value, if it is one that can use it. */
  private announceMembers(databaseIndex: number, parser: RequestParser): void {
    const { keys, members } = this
    const db = this.databases[databaseIndex] as KeyspacePort
    const entry = db.find(keys.memory, keys.starts[0] as number, keys.ends[0] as number)
    if (entry === NO_ENTRY || db.type(entry) === ValueType.string) return
    const value = db.aggregate(entry)
    if (value.announceMembers === undefined) return
    parser.lookAhead(keys, MEMBER_WORD)
    value.announceMembers(keys, members)
  }

  /** The memory is about to be used for something else. */
  end(): void {
    this.members.end()
    if (this.expecting === undefined) return
    this.expecting.endAnnouncement()
    this.expecting = undefined
  }
}
