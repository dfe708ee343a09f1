/**
 * Parameters whose value is a list of words with a form of its own, and the checks of single ones. Redis 7.0's words.
 */
import { type Parameter, type Parsed, parseMemory } from './config-kinds.ts'

/** `save seconds changes`: a snapshot after `seconds` when at least `changes` keys changed. */
export interface SavePoint {
  seconds: number
  changes: number
}

/** One class of `client-output-buffer-limit`. 0 means no limit. */
export interface BufferLimit {
  hardBytes: number
  softBytes: number
  softSeconds: number
}

export interface BufferLimits {
  normal: BufferLimit
  replica: BufferLimit
  pubsub: BufferLimit
}

/** Where the primary of this replica is. */
export interface PrimaryAddress {
  host: string
  port: number
}

type Outcome<Value> = { value: Value } | { error: string }

/** A whole number as C's strtoll reads it to the end of the word; no digits at all are 0. */
function wholeNumber(word: string): number | undefined {
  if (word === '') return 0
  return /^\s*[+-]?[0-9]+$/.test(word) ? Number(word) : undefined
}

export function printWords(words: readonly (string | number)[]): string {
  return words.join(' ')
}

export const initialSavePoints: readonly SavePoint[] = [
  { seconds: 3600, changes: 1 },
  { seconds: 300, changes: 100 },
  { seconds: 60, changes: 10000 },
]

export function printSavePoints(points: readonly SavePoint[]): string {
  return points.map(({ seconds, changes }) => `${seconds} ${changes}`).join(' ')
}

/** In a file the first directive replaces the initial points and later ones add theirs; `save ""` removes all. */
export function parseSavePoints(
  words: readonly string[],
  current: readonly SavePoint[],
  replaces: boolean,
): Outcome<readonly SavePoint[]> {
  if (words.length === 0 || (words.length === 1 && words[0] === '')) return { value: [] }
  const points: SavePoint[] = []
  for (let i = 0; i < words.length; i += 2) {
    const seconds = wholeNumber(words[i] as string)
    const changes = i + 1 < words.length ? wholeNumber(words[i + 1] as string) : undefined
    if (seconds === undefined || changes === undefined || seconds < 1 || changes < 0) {
      return { error: 'Invalid save parameters' }
    }
    points.push({ seconds, changes })
  }
  return { value: replaces ? points : [...current, ...points] }
}

export const initialBufferLimits: BufferLimits = {
  normal: { hardBytes: 0, softBytes: 0, softSeconds: 0 },
  replica: { hardBytes: 268435456, softBytes: 67108864, softSeconds: 60 },
  pubsub: { hardBytes: 33554432, softBytes: 8388608, softSeconds: 60 },
}

const bufferClasses: Readonly<Record<string, keyof BufferLimits>> = {
  normal: 'normal',
  slave: 'replica',
  replica: 'replica',
  pubsub: 'pubsub',
}

export function printBufferLimit({ hardBytes, softBytes, softSeconds }: BufferLimit): string {
  return `${hardBytes} ${softBytes} ${softSeconds}`
}

export function printBufferLimits({ normal, replica, pubsub }: BufferLimits): string {
  return `normal ${printBufferLimit(normal)} slave ${printBufferLimit(replica)} pubsub ${printBufferLimit(pubsub)}`
}

/** Groups of class, hard limit, soft limit, seconds. Classes that are not named keep their limits. */
export function parseBufferLimits(words: readonly string[], current: BufferLimits): Outcome<BufferLimits> {
  if (words.length % 4 !== 0) return { error: 'Wrong number of arguments in buffer limit configuration.' }
  const limits = { ...current }
  for (let i = 0; i < words.length; i += 4) {
    const [name = '', hard = '', soft = '', seconds = ''] = words.slice(i, i + 4)
    const limitedClass = bufferClasses[name.toLowerCase()]
    if (limitedClass === undefined) return { error: 'Invalid client class specified in buffer limit configuration.' }
    const hardBytes = parseMemory(hard)
    const softBytes = parseMemory(soft)
    const softSeconds = wholeNumber(seconds)
    if (hardBytes === undefined || softBytes === undefined || softSeconds === undefined || softSeconds < 0) {
      return { error: 'Error in hard, soft or soft_seconds setting in buffer limit configuration.' }
    }
    limits[limitedClass] = { hardBytes: Number(hardBytes), softBytes: Number(softBytes), softSeconds }
  }
  return { value: limits }
}

const bindAddressesMax = 16

export function parseBind(words: readonly string[]): Outcome<readonly string[]> {
  if (words.length > bindAddressesMax) return { error: 'Too many bind addresses specified.' }
  return { value: words.length === 1 && words[0] === '' ? [] : words }
}

export function parseOomScores(words: readonly string[]): Outcome<readonly number[]> {
  if (words.length !== 3) return { error: 'wrong number of arguments' }
  const scores = words.map(wholeNumber)
  if (scores.some((score) => score === undefined || Math.abs(score) > 2000)) {
    return { error: 'Invalid oom-score-adj-values, elements must be between -2000 and 2000.' }
  }
  return { value: scores as number[] }
}

export function printPercentiles(percentiles: readonly number[]): string {
  return percentiles.map((percentile) => String(Number(percentile.toFixed(6)))).join(' ')
}

export function parsePercentiles(words: readonly string[]): Outcome<readonly number[]> {
  const percentiles: number[] = []
  for (const word of words.length === 1 && words[0] === '' ? [] : words) {
    if (!/^([+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?|0x[0-9a-f]+)$/i.test(word)) {
      return { error: 'Invalid latency-tracking-info-percentiles parameters' }
    }
    const percentile = Number(word)
    if (percentile < 0 || percentile > 100) {
      return { error: 'latency-tracking-info-percentiles parameters should sit between [0.0,100.0]' }
    }
    percentiles.push(percentile)
  }
  return { value: percentiles }
}

export function printPrimary(primary: PrimaryAddress | undefined): string {
  return primary === undefined ? '' : `${primary.host} ${primary.port}`
}

export function parsePrimary(words: readonly string[]): Outcome<PrimaryAddress | undefined> {
  const [host, portText] = words
  if (words.length !== 2 || host === undefined || portText === undefined) return { error: 'wrong number of arguments' }
  if (host.toLowerCase() === 'no' && portText.toLowerCase() === 'one') return { value: undefined }
  const port = wholeNumber(portText)
  if (port === undefined || port < 0 || port > 65535) return { error: 'Invalid master port' }
  return { value: { host, port } }
}

const allEvents = 'g$lshzxetd'

/**
 * `notify-keyspace-events`. The value holds each letter that is on (`A` is spelled out as `g$lshzxetd`); the text is
 * what Redis prints, which drops `n` when all others are on.
 */
export function eventLetters(): Parameter<string> {
  return {
    kind: 'text',
    initial: '',
    initialText: '',
    severalWords: false,
    options: { keepsEmpty: true },
    parse([word = '']): Parsed<string> {
      if (/[^Ag$lshzxeKEtmdn]/.test(word)) {
        return { error: "Invalid event class character. Use 'Ag$lshzxeKEtmdn'." }
      }
      const on = (letter: string) => word.includes(letter) || (word.includes('A') && allEvents.includes(letter))
      const keep = (letters: string) => [...letters].filter(on).join('')
      const all = keep(allEvents) === allEvents
      return { value: keep(`${allEvents}nKEm`), text: `${all ? 'A' : keep(`${allEvents}n`)}${keep('KEm')}` }
    },
  }
}

export const shutdownChoices = ['default', 'save', 'nosave', 'now', 'force'] as const

export function refuseSaveAndNosave(set: readonly string[]): string | undefined {
  const both = set.includes('save') && set.includes('nosave')
  return both ? "shutdown options SAVE and NOSAVE can't be used simultaneously" : undefined
}

/** Refuses a path where only a name in `dir` is allowed. */
export function onlyName(parameter: string, noun: 'filename' | 'dirname'): (value: string) => string | undefined {
  return (value) => {
    if (value === '' && parameter !== 'dbfilename') return `${parameter} can't be empty`
    return /[/\\]/.test(value) ? `${parameter} can't be a path, just a ${noun}` : undefined
  }
}

export function refuseHostName(value: string): string | undefined {
  if (Buffer.byteLength(value) >= 256) return 'Hostnames must be less than 256 characters'
  if (!/^[a-zA-Z0-9.-]*$/.test(value)) return 'Hostnames may only contain alphanumeric characters, hyphens or dots'
  return undefined
}

/** The variables of `proc-title-template`. */
export type TitleVariable = 'title' | 'listen-addr' | 'server-mode' | 'port' | 'tls-port' | 'unixsocket' | 'config-file'

const titleVariables: readonly string[] = [
  'title',
  'listen-addr',
  'server-mode',
  'port',
  'tls-port',
  'unixsocket',
  'config-file',
] satisfies TitleVariable[]

/** Fills `{variable}`; `{{` is a brace. Undefined when the template is malformed or names an unknown variable. */
export function fillTitle(template: string, value: (variable: TitleVariable) => string): string | undefined {
  let sound = true
  const filled = template.replace(/\{\{|\{([^}]*)(\}?)/g, (whole, name: string | undefined, close: string) => {
    if (whole === '{{') return '{'
    if (name !== undefined && close === '}' && titleVariables.includes(name)) return value(name as TitleVariable)
    sound = false
    return ''
  })
  return sound ? filled.trimEnd() : undefined
}

export function refuseTitle(template: string): string | undefined {
  return template === '' || fillTitle(template, () => '') === undefined
    ? 'template format is invalid or contains unknown variables'
    : undefined
}

export const noDefragmentation =
  'Active defragmentation cannot be enabled: it requires a Redis server compiled with a modified Jemalloc like the one shipped by default with the Redis source distribution'
