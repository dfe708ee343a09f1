/** Saving and loading as the rest of the server sees it. `persistence.ts` implements it (Redis's rdb.c, without fork). */

export interface Persistence {
  /** Changes to the data set since the last successful save (`Stats.changes` counts them all). */
  readonly changesSinceSave: number
  /** Unix time in seconds of the last successful save, at first of the start. */
  readonly lastSaveSeconds: number
  readonly savingInBackground: boolean
  /**
   * Reads the data set from disk at start, in slices; `Server.loading` is true meanwhile. `done` comes after it, never
   * at once; with a text when the file is damaged (the log has the offset) and the server must not start.
   */
  load(done: (failure?: string) => void): void
  /** SAVE: everything in one go. Undefined, or a complete error. */
  save(): string | undefined
  /** BGSAVE: in slices of at most one millisecond. Undefined when it has begun, or a complete error. `whenDone` comes later. */
  saveInBackground(whenDone?: (failure?: Error) => void): string | undefined
  /**
   * Before the server ends. `save` is what SHUTDOWN said; undefined: save if there are save points. Gives up a
   * background save. Undefined, or why the server should not end (the save failed).
   */
  prepareShutdown(save: boolean | undefined): string | undefined
  /** `-MISCONF …` while the last background save failed and `stop-writes-on-bgsave-error` is on; else undefined. */
  writeRefusal(): string | undefined
}
