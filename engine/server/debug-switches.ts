/**
 * What DEBUG can turn off or on in one server, for tests. Everything is off at the start and after nothing but DEBUG.
 */
export interface DebugSwitches {
  /** Checksums of RDB files and of RESTORE's payloads are not looked at. */
  skipsChecksums: boolean
  /** What the server does regularly by itself waits. */
  cronPaused: boolean
  /** Scripts may call what they are denied otherwise. */
  allowsDeniedInScripts: boolean
  /** Before each write of the AOF the server sleeps so long. */
  aofFlushSleepUs: number
  /** Memory that DEBUG LEAK has lost. */
  readonly leaks: Buffer[]
}

export function newDebugSwitches(): DebugSwitches {
  return { skipsChecksums: false, cronPaused: false, allowsDeniedInScripts: false, aofFlushSleepUs: 0, leaks: [] }
}
