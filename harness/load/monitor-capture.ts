/**
 * A capture of MONITOR as a load: its commands at its times. Lines look like
 *
 *     1339518083.107412 [0 127.0.0.1:60866] "set" "key" "a \"quoted\" byte: \xff"
 *
 * Commands of one client of the capture go to one connection, in their order. What a script did (`[0 lua]`) is left
 * out, since the script is there too; so are commands that would change what the connection is.
 */
import { readFileSync } from 'node:fs'
import { encodeRequest } from '../../engine/resp/request.ts'
import { HarnessError } from '../errors.ts'
import type { CommandShape } from './command-shape.ts'
import type { CommandSpec, LoadSpec } from './load-spec.ts'

export interface CapturedCommand {
  /** From the first command of the capture. */
  atUs: number
  /** Number of the client, in the order of appearance. */
  client: number
  /** Place in the list of commands. */
  command: number
  bytes: Buffer
}

export interface Capture {
  /** One row for each command name and, apart, for each name in another database than the load's. */
  commands: (CommandSpec & { replies: number })[]
  entries: CapturedCommand[]
}

const LINE = /^(?:\+)?(\d+)\.(\d{6}) \[(\d+) ([^\]]*)\] (.*)$/
const LEFT_OUT = new Set(
  'auth hello select client quit reset monitor subscribe psubscribe ssubscribe sync psync replconf shutdown debug'.split(
    ' ',
  ),
)
const ESCAPES: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, a: 7, b: 8, '"': 34, '\\': 92 }

/** @throws HarnessError BAD_OPTION with the number of the line that is not one of MONITOR's */
export function parseCapture(text: string, database: number): Capture {
  const commands = new Map<string, Capture['commands'][number] & { index: number }>()
  const clients = new Map<string, number>()
  const entries: CapturedCommand[] = []
  let firstUs: number | undefined
  text.split(/\r?\n/).forEach((line, i) => {
    if (line === '' || line === 'OK' || line === '+OK') return
    const match = LINE.exec(line)
    const words = match === null ? undefined : quotedWords(match[5] ?? '')
    if (match === null || words === undefined) {
      throw new HarnessError('BAD_OPTION', `Line ${i + 1} is not one of MONITOR: ${line.slice(0, 80)}`)
    }
    const [, seconds, micros, db, peer = ''] = match
    const name = (words[0] ?? Buffer.alloc(0)).toString('latin1').toUpperCase()
    const atUs = Number(seconds) * 1e6 + Number(micros)
    firstUs ??= atUs
    if (peer === 'lua' || LEFT_OUT.has(name.toLowerCase())) return
    const isElsewhere = Number(db) !== database
    const label = isElsewhere ? `${name} (database ${db})` : name
    const known = commands.get(label)
    const row = known ?? {
      index: commands.size,
      name: label,
      words: words.map((word) => word.toString('latin1')),
      weight: 1,
      replies: isElsewhere ? 3 : 1,
    }
    if (known === undefined) commands.set(label, row)
    if (!clients.has(peer)) clients.set(peer, clients.size)
    const request = encodeRequest(words)
    // There and back, so that a connection is always in the load's own database.
    const there = [encodeRequest(['SELECT', db ?? '0']), request, encodeRequest(['SELECT', String(database)])]
    const bytes = isElsewhere ? Buffer.concat(there) : request
    entries.push({ atUs: Math.max(0, atUs - firstUs), client: clients.get(peer) ?? 0, command: row.index, bytes })
  })
  return { commands: [...commands.values()].map(({ index: _, ...row }) => row), entries }
}

export function readCapture(spec: LoadSpec): Capture | undefined {
  if (spec.replay === null) return undefined
  const { file } = spec.replay
  let text: string
  try {
    text = readFileSync(file, 'latin1')
  } catch (error) {
    throw new HarnessError('BAD_OPTION', `Cannot read the capture: ${(error as Error).message}.`)
  }
  const capture = parseCapture(text, spec.database)
  if (capture.entries.length === 0) {
    throw new HarnessError('BAD_OPTION', `${file} holds no command. Make one with redis-cli monitor > ${file}.`)
  }
  return capture
}

/** Undefined: the quotes do not match. */
function quotedWords(text: string): Buffer[] | undefined {
  const words: Buffer[] = []
  let at = 0
  while (at < text.length) {
    if (text[at] !== '"') return undefined
    const bytes: number[] = []
    at++
    while (text[at] !== '"') {
      if (at >= text.length) return undefined
      if (text[at] !== '\\') {
        bytes.push(text.charCodeAt(at++))
        continue
      }
      const kind = text[at + 1] ?? ''
      const hex = kind === 'x' ? text.slice(at + 2, at + 4) : ''
      if (kind === 'x' && !/^[0-9a-fA-F]{2}$/.test(hex)) return undefined
      const byte = kind === 'x' ? Number.parseInt(hex, 16) : ESCAPES[kind]
      if (byte === undefined) return undefined
      bytes.push(byte)
      at += kind === 'x' ? 4 : 2
    }
    words.push(Buffer.from(bytes))
    at++
    if (at < text.length && text[at++] !== ' ') return undefined
  }
  return words.length === 0 ? undefined : words
}

/** Sends whatever bytes it was given last. */
export class CapturedShape implements CommandShape {
  readonly isFixed = false
  bytes: Buffer = Buffer.alloc(0)

  get maxBytes(): number {
    return this.bytes.length
  }

  encode(target: Buffer, at: number): number {
    return at + this.bytes.copy(target, at)
  }

  overwrite(target: Buffer, at: number): void {
    this.encode(target, at)
  }
}
