/** The commands of a specification, ready to be sent: their bytes, their keys, how many replies each has. */
import { createHash } from 'node:crypto'
import { Arguments } from '../../engine/commands/arguments.ts'
import type { Command } from '../../engine/commands/command.ts'
import { findKeys } from '../../engine/commands/key-positions.ts'
import { commandFamilies } from '../../engine/commands/registry.ts'
import { randomFromText } from '../../engine/data/random.ts'
import { type CommandShape, compileCommand } from './command-shape.ts'
import type { CommandSpec, LoadSpec, NumberSpec } from './load-spec.ts'
import type { Capture } from './monitor-capture.ts'

export interface Operation {
  /** Place among the commands of the specification. */
  index: number
  shape: CommandShape
  /** Replies that make one answer: 2 with WAIT. */
  replies: number
  /** The last reply counts replicas, and must be at least this; 0: it does not. */
  waitReplicas: number
  /** A replica may answer it. */
  isRead: boolean
  /** Word of the first key; undefined: it has none, any node will do. */
  keyIndex: number | undefined
}

/** Those of a capture: each sends whatever bytes `shape` was given last. */
export function capturedOperations({ commands }: Capture, shape: CommandShape): Operation[] {
  return commands.map((command, index) => {
    const routing = routingOf(command, command.words)
    return { index, shape, replies: command.replies, waitReplicas: 0, ...routing }
  })
}

export function compileOperations(spec: LoadSpec): Operation[] {
  const { valueBytes } = spec
  const valueBytesMax = highest(valueBytes)
  const valueText = Buffer.alloc(Math.max(1, valueBytesMax))
  const random = randomFromText(`${spec.seed}/values`)
  for (let i = 0; i < valueText.length; i++) valueText[i] = 97 + random.below(26)
  const options = {
    keyPrefix: spec.keys.prefix,
    idDigits: String(spec.keys.count - 1).length,
    valueBytesMax,
    fixedValueBytes: valueBytes.kind === 'fixed' ? valueBytes.value : undefined,
    valueText,
  }
  const digests = Object.fromEntries(spec.scripts.map(({ name, source }) => [`__sha_${name}__`, sha1(source)]))
  return spec.commands.map((command, index) => {
    const words = command.words.map((word) => digests[word] ?? word)
    const { wait } = command
    const requests = wait === undefined ? [words] : [words, ['WAIT', String(wait.replicas), String(wait.timeoutMs)]]
    return {
      index,
      shape: compileCommand(requests, options),
      replies: requests.length,
      waitReplicas: wait?.replicas ?? 0,
      ...routingOf(command, words),
    }
  })
}

/** As our own engine's table of commands has it; what it does not know goes to a primary, by its first argument. */
function routingOf(spec: CommandSpec, words: readonly string[]): Pick<Operation, 'isRead' | 'keyIndex'> {
  const row = findRow(words)
  if (row === undefined) return { isRead: false, keyIndex: words.length > 1 ? 1 : undefined }
  const keyIndex = findKeys(row, Arguments.of(words), true)?.[0]
  return { isRead: row.flags.includes('readonly') && spec.wait === undefined, keyIndex }
}

/** Whether the server only reads for it. */
export function isReadCommand(words: readonly string[]): boolean {
  return findRow(words)?.flags.includes('readonly') ?? false
}

function findRow([name = '', second = '']: readonly string[]): Command | undefined {
  const row = commandFamilies.flat().find((command) => command.name === name.toLowerCase())
  return row?.subcommands?.find((command) => command.name === second.toLowerCase()) ?? row
}

/** Bounds in [0, 2^32] below which a draw means the command; the last is above every draw. */
export function thresholdsOf(commands: readonly CommandSpec[]): number[] {
  const total = commands.reduce((sum, { weight }) => sum + weight, 0)
  let sum = 0
  return commands.map(({ weight }, i) => {
    sum += weight
    return i === commands.length - 1 ? Number.POSITIVE_INFINITY : (sum / total) * 2 ** 32
  })
}

function highest(spec: NumberSpec): number {
  return spec.kind === 'fixed' ? spec.value : spec.high
}

function sha1(text: string): string {
  return createHash('sha1').update(text).digest('hex')
}
