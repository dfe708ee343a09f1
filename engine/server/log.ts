/** The server's log, in Redis's format: `pid:role day month year time level message`. */
import { type Io, IoError } from '../io.ts'
import type { Config } from './config.ts'

export type LogLevel = 'debug' | 'verbose' | 'notice' | 'warning'

export interface Log {
  debug(message: string): void
  verbose(message: string): void
  notice(message: string): void
  warning(message: string): void
}

/** C: before the server is up; M: primary; S: replica; X: Sentinel. */
export type LogRole = 'C' | 'M' | 'S' | 'X'

const levels: readonly LogLevel[] = ['debug', 'verbose', 'notice', 'warning']
const marks: Readonly<Record<LogLevel, string>> = { debug: '.', verbose: '-', notice: '*', warning: '#' }
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/**
 * A log to the terminal, or to the file that `logfile` names (relative to `dir`). `loglevel` is looked at for every
 * line. The file is opened and closed for each one, as in Redis, so that it can be renamed away at any time.
 */
export function createLog(io: Io, config: Config, role: () => LogRole): Log {
  const write = (level: LogLevel, message: string) => {
    if (levels.indexOf(level) < levels.indexOf(config.values.loglevel)) return
    const line = logLine(io, role(), level, message)
    if (config.values.logfile === '') io.host.print(line)
    else appendLine(io, config.pathOf(config.values.logfile), line)
  }
  return {
    debug: (message) => write('debug', message),
    verbose: (message) => write('verbose', message),
    notice: (message) => write('notice', message),
    warning: (message) => write('warning', message),
  }
}

/** One line as Redis formats it, for messages from before there is a configuration. */
export function logLine(io: Io, role: LogRole, level: LogLevel, message: string): string {
  const wallMs = io.clock.wallMs()
  const localMs = wallMs + (io.host.utcOffsetMinutes?.(wallMs) ?? 0) * 60_000
  const { year, month, day } = dateOf(Math.floor(localMs / dayMs))
  const ms = localMs - Math.floor(localMs / dayMs) * dayMs
  const [hours, minutes, seconds] = [ms / 3_600_000, (ms / 60_000) % 60, (ms / 1000) % 60]
  const time = [hours, minutes, seconds].map((part) => pad(Math.floor(part), 2)).join(':')
  const when = `${pad(day, 2)} ${months[month - 1]} ${year} ${time}.${pad(ms % 1000, 3)}`
  return `${io.host.processId}:${role} ${when} ${marks[level]} ${message}`
}

const dayMs = 86_400_000

/**
 * The Gregorian date of a day, counted from 1 January 1970. Years begin in March here, so that the leap day is the
 * last of its year and months follow one formula; 146097 days are an era of 400 years.
 */
export function dateOf(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day }
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0')
}

function appendLine(io: Io, path: string, line: string): void {
  try {
    const file = io.disk.open(path, 'append')
    try {
      file.write(Buffer.from(`${line}\n`))
    } finally {
      file.close()
    }
  } catch (error) {
    // A log that cannot be written must not stop the server; Redis drops the line as well.
    if (!(error instanceof IoError)) throw error
  }
}
