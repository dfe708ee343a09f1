/** The slow log: the latest commands that took at least `slowlog-log-slower-than` microseconds, newest first. */
import type { Arguments } from '../commands/arguments.ts'
import type { Client } from './client.ts'
import type { Config } from './config.ts'

export interface SlowCommand {
  readonly id: number
  readonly unixSeconds: number
  readonly durationUs: number
  /** At most 32 words of at most 128 bytes; what was cut off is counted in words of its own. One character a byte. */
  readonly words: readonly string[]
  readonly address: string
  readonly clientName: string
}

const wordsMax = 32
const wordBytesMax = 128

export class SlowLog {
  private entries: SlowCommand[] = []
  private nextId = 0
  private readonly config: Config

  constructor(config: Config) {
    this.config = config
  }

  get length(): number {
    return this.entries.length
  }

  /** @param secrets positions of arguments that must not be shown */
  add(client: Client, args: Arguments, secrets: readonly number[], durationUs: number, wallMs: number): void {
    this.entries.unshift({
      id: this.nextId++,
      unixSeconds: Math.floor(wallMs / 1000),
      durationUs: Math.round(durationUs),
      words: shorten(args, secrets),
      address: client.address,
      clientName: client.name,
    })
    this.entries.length = Math.min(this.entries.length, this.config.values['slowlog-max-len'])
  }

  latest(count: number): readonly SlowCommand[] {
    return this.entries.slice(0, count)
  }

  reset(): void {
    this.entries = []
  }
}

function shorten(args: Arguments, secrets: readonly number[]): string[] {
  const shown = args.count > wordsMax ? wordsMax - 1 : args.count
  const words = Array.from({ length: shown }, (_, i) => {
    if (secrets.includes(i)) return '(redacted)'
    const word = args.latin1(i)
    const left = word.length - wordBytesMax
    return left > 0 ? `${word.slice(0, wordBytesMax)}... (${left} more bytes)` : word
  })
  if (shown < args.count) words.push(`... (${args.count - shown} more arguments)`)
  return words
}
