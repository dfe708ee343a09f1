/**
 * What replicas and the append-only file get to see.
 *
 * The outermost command collects what it and everything inside it (a transaction's commands, keys found expired on
 * the way) want to propagate; when it ends, all of it goes out in order, inside MULTI/EXEC when there is more than
 * one command, so that a replica applies all or nothing.
 */
import { Arguments } from '../commands/arguments.ts'

export interface PropagationTarget {
  /** Whether anybody takes what is fed now: the log, a replica, the backlog. */
  readonly isListening: boolean
  /** `toLog`: false for what concerns replicas only. `toReplicas`: false for what concerns the log only. */
  feed(databaseIndex: number, args: Arguments, toLog: boolean, toReplicas: boolean): void
}

interface Operation {
  databaseIndex: number
  args: Arguments
  toLog: boolean
  toReplicas: boolean
}

export class Propagation {
  /** Nesting of running commands: 0 outside of any. */
  depth = 0
  /** Whether what runs now may go to the log and to replicas (a script's `redis.set_repl`). */
  mayLog = true
  mayReplicate = true
  private readonly target: PropagationTarget
  private pending: Operation[] = []

  constructor(target: PropagationTarget) {
    this.target = target
  }

  get isEmpty(): boolean {
    return this.pending.length === 0
  }

  /**
   * What is added while nobody listens is gone at once, as in Redis: whoever makes words for it can spare itself the
   * work.
   */
  get isListening(): boolean {
    return this.target.isListening
  }

  /** The arguments are copied unless they can go out at once. */
  add(databaseIndex: number, args: Arguments, alone: boolean, wantsLog = true): void {
    const toLog = wantsLog && this.mayLog
    const toReplicas = this.mayReplicate
    if ((!toLog && !toReplicas) || !this.isListening) return
    if (alone && this.depth <= 1 && this.pending.length === 0) {
      this.target.feed(databaseIndex, args, toLog, toReplicas)
    } else this.pending.push({ databaseIndex, args: args.clone(), toLog, toReplicas })
  }

  addWords(databaseIndex: number, words: readonly (string | Buffer)[]): void {
    if (!this.isListening) return
    const args = Arguments.of(words)
    if (this.depth === 0) this.target.feed(databaseIndex, args, true, true)
    else this.pending.push({ databaseIndex, args, toLog: true, toReplicas: true })
  }

  /** The outermost command has ended. A slow script leaves `depth` above 0, and all waits for its end. */
  flush(): void {
    if (this.depth > 0) return
    const operations = this.pending
    if (operations.length === 0) return
    this.pending = []
    const first = operations[0] as Operation
    const last = operations[operations.length - 1] as Operation
    const isTransaction = operations.length > 1
    if (isTransaction) this.target.feed(first.databaseIndex, MULTI, true, true)
    for (const { databaseIndex, args, toLog, toReplicas } of operations) {
      this.target.feed(databaseIndex, args, toLog, toReplicas)
    }
    if (isTransaction) this.target.feed(last.databaseIndex, EXEC, true, true)
  }
}

const MULTI = Arguments.of(['MULTI'])
const EXEC = Arguments.of(['EXEC'])
