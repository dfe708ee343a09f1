/** Tells the database which keys the commands of a chunk will look up (see `resp/lookahead.ts`, `KeyspacePort.announce`). */
import { KeysAhead } from '../resp/lookahead.ts'
import type { RequestParser } from '../resp/parser.ts'
import type { KeyspacePort } from '../store/keyspace-port.ts'

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
    if (count > 1 && !sameKey(keys)) {
      this.expecting = this.databases[databaseIndex] as KeyspacePort
      this.expecting.announce(memory, starts, ends, 0, 1, count)
    }
    return position
  }

  /** The memory is about to be used for something else. */
  end(): void {
    if (this.expecting === undefined) return
    this.expecting.endAnnouncement()
    this.expecting = undefined
  }
}
