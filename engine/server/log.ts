/** The server's log, in Redis's format: `pid:role day month year time level message`. */
export type LogLevel = 'debug' | 'verbose' | 'notice' | 'warning'

export interface Log {
  debug(message: string): void
  verbose(message: string): void
  notice(message: string): void
  warning(message: string): void
}
