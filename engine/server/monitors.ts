/** MONITOR: clients that see every command, as `time [db address] "word" "word"`. */
import type { Arguments } from '../commands/arguments.ts'
import type { Clock } from '../io.ts'
import type { Client } from './client.ts'

export class Monitors {
  private readonly clients = new Set<Client>()
  private readonly clock: Clock

  constructor(clock: Clock) {
    this.clock = clock
  }

  get isEmpty(): boolean {
    return this.clients.size === 0
  }

  add(client: Client): void {
    client.monitoring = true
    this.clients.add(client)
  }

  remove(client: Client): void {
    client.monitoring = false
    this.clients.delete(client)
  }

  /** @param secrets positions of arguments that must not be shown */
  feed(client: Client, databaseIndex: number, args: Arguments, secrets: readonly number[]): void {
    const us = this.clock.wallUs()
    const seconds = Math.floor(us / 1_000_000)
    const fraction = String(us - seconds * 1_000_000).padStart(6, '0')
    const from =
      client.connection === undefined
        ? 'lua'
        : client.connection.isUnixSocket
          ? `unix:${client.address.slice(0, -2)}`
          : client.address
    let line = `${seconds}.${fraction} [${databaseIndex} ${from}]`
    for (let i = 0; i < args.count; i++) {
      line += ` "${secrets.includes(i) ? '(redacted)' : escapeBytes(args.latin1(i))}"`
    }
    for (const monitor of this.clients) monitor.reply.simple(line)
  }
}

/** Redis's `sdscatrepr` without the quotes: printable ASCII as it is, the rest as `\n`, `\xHH`. */
export function escapeBytes(text: string): string {
  return text.replace(/[\\"]|[^\x20-\x7e]/g, (char) => {
    return shortEscapes[char] ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`
  })
}

const shortEscapes: Record<string, string | undefined> = {
  '\\': '\\\\',
  '"': '\\"',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\x07': '\\a',
  '\b': '\\b',
}
