/**
 * What replicas and the append-only file get to see.
 *
 * The outermost command collects what it and everything inside it (a transaction's commands, keys found expired on
 * the way) want to propagate; when it ends, all of it goes out in order, inside MULTI/EXEC when there is more than
 * one command, so that a replica applies all or nothing.
 */
import { Arguments } from '../commands/arguments.ts'

export interface PropagationTarget {
  feed(databaseIndex: number, args: Arguments): void
}

interface Operation {
  databaseIndex: number
  args: Arguments
}

export class Propagation {
  /** Nesting of running commands: 0 outside of any. */
  depth = 0
  private readonly target: PropagationTarget
  private pending: Operation[] = []

  constructor(target: PropagationTarget) {
    this.target = target
  }

  get isEmpty(): boolean {
    return this.pending.length === 0
  }

  /** The arguments are copied unless they can go out at once. */
  add(databaseIndex: number, args: Arguments, alone: boolean): void {
    if (alone && this.depth <= 1 && this.pending.length === 0) this.target.feed(databaseIndex, args)
    else this.pending.push({ databaseIndex, args: args.clone() })
  }

  addWords(databaseIndex: number, words: readonly (string | Buffer)[]): void {
    const args = Arguments.of(words)
    if (this.depth === 0) this.target.feed(databaseIndex, args)
    else this.pending.push({ databaseIndex, args })
  }

  /** The outermost command has ended. */
  flush(): void {
    const operations = this.pending
    if (operations.length === 0) return
    this.pending = []
    const first = operations[0] as Operation
    if (operations.length > 1) this.target.feed(first.databaseIndex, MULTI)
    for (const { databaseIndex, args } of operations) this.target.feed(databaseIndex, args)
    if (operations.length > 1) this.target.feed((operations[operations.length - 1] as Operation).databaseIndex, EXEC)
  }
}

const MULTI = Arguments.of(['MULTI'])
const EXEC = Arguments.of(['EXEC'])
