/**
 * Saving and loading as the rest of the server sees it. `persistence.ts` implements it (Redis's rdb.c and aof.c,
 * without fork).
 */
import type { Arguments } from '../commands/arguments.ts'

/** What a command answers. */
export type Outcome = { readonly status: string } | { readonly error: string }

export interface Persistence {
  /** Changes to the data set since the last successful save (`Stats.changes` counts them all). */
  readonly changesSinceSave: number
  /** Unix time in seconds of the last successful save, at first of the start. */
  readonly lastSaveSeconds: number
  readonly savingInBackground: boolean
  /** The append-only log takes writes: `feed` must be called. */
  readonly appendOnly: boolean

  /**
   * Reads the data set from disk at start, in slices; `Server.loading` is true meanwhile. `done` comes after it, never
   * at once; with a text when the file is damaged (the log has the offset) and the server must not start.
   */
  load(done: (failure?: string) => void): void
  /**
   * A data set of so many bytes (0: unknown) is loaded by somebody else: `Server.loading`, and INFO tells the progress.
   */
  beginLoading(totalBytes: number): { at(bytes: number): void }
  endLoading(): void

  /** DEBUG LOADAOF: replays the log at once. False when it could not be read to its end; the log says why. */
  reloadLog(): boolean
  /**
   * Takes a command that was executed, for the append-only log. It is written before the replies of this turn leave.
   */
  feed(databaseIndex: number, args: Arguments): void
  /** SAVE: everything in one go. Undefined, or a complete error. */
  save(): string | undefined
  /** BGSAVE. */
  requestBackgroundSave(schedule: boolean): Outcome
  /**
   * A save in slices of at most one millisecond. Undefined when it has begun, or a complete error. `whenDone` comes
   * later.
   */
  saveInBackground(whenDone?: (failure?: Error) => void): string | undefined
  /** BGREWRITEAOF. */
  rewriteInBackground(): Outcome
  /** A primary's data set is about to replace this one: nothing of that belongs into the append-only log. */
  suspendLog(): void
  /** The data set is complete (or this server is a primary again): the log begins anew with it, if it is configured. */
  resumeLog(): void

  /**
   * Before the server ends. `save` is what SHUTDOWN said; undefined: save if there are save points. Gives up what runs
   * in the background. Undefined, or why the server should not end (the save failed).
   */
  prepareShutdown(save: boolean | undefined, force: boolean): string | undefined
  /** Nothing is read or written any more. */
  stop(): void
  /** `-MISCONF …` while a disk error forbids to take writes; else undefined. */
  writeRefusal(): string | undefined
}
