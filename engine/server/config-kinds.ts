/**
 * The kinds of configuration parameter: how a value is read from words, checked and printed, in Redis 7.0's terms.
 *
 * A value has two forms. `value` is typed, for the parts of the server that act on it. `text` is what `CONFIG GET`
 * prints and the configuration file holds; it is kept beside the value because whole numbers of 64 bits do not fit a
 * JavaScript number (`cluster-node-timeout` goes to 9223372036854775807).
 */
import { splitOnSpace } from './config-words.ts'

/** A value read from text, or Redis's words for what is wrong with it. */
export type Parsed<Value> = { readonly value: Value; readonly text: string } | { readonly error: string }

export interface ParameterOptions {
  aliases?: readonly string[]
  /** Only the config file and the command line can set it. */
  immutable?: boolean
  /** `CONFIG SET` is refused unless `enable-protected-configs` allows it. */
  protected?: boolean
  /** A secret: never in logs, MONITOR or SLOWLOG. */
  sensitive?: boolean
  /** Absent from glob patterns of `CONFIG GET`; an exact name finds it. */
  hidden?: boolean
  /** Text that may be empty on purpose: a rewritten file says `name ""` instead of nothing. */
  keepsEmpty?: boolean
  /** `CONFIG SET` raises a smaller value to this one; the file's stays. */
  runtimeMin?: number
  /** Refused by `CONFIG SET` while a data set is loaded. */
  denyLoading?: boolean
}

export type ParameterKind = 'boolean' | 'integer' | 'memory' | 'octal' | 'enumeration' | 'flags' | 'text' | 'list'

export interface Parameter<Value> {
  readonly kind: ParameterKind
  readonly initial: Value
  readonly initialText: string
  /** Several words are one value: `CONFIG SET` splits its text at spaces, a file line may hold many words. */
  readonly severalWords: boolean
  readonly choices?: readonly string[]
  readonly options: ParameterOptions
  /**
   * Reads `words` (one, unless `severalWords`). `current` is the value so far, for parameters that are set in part;
   * `replaces` is
   * false for the second and later directives of the same name in a file, which may add to the first.
   */
  parse(words: readonly string[], current: Value, replaces: boolean): Parsed<Value>
}

export const booleanError = "argument must be 'yes' or 'no'"

export function boolean(
  initial: boolean,
  options: ParameterOptions = {},
  refuse?: (value: boolean) => string | undefined,
): Parameter<boolean> {
  return {
    kind: 'boolean',
    initial,
    initialText: initial ? 'yes' : 'no',
    severalWords: false,
    options,
    parse([word = '']) {
      const text = word.toLowerCase()
      if (text !== 'yes' && text !== 'no') return { error: booleanError }
      const error = refuse?.(text === 'yes')
      return error === undefined ? { value: text === 'yes', text } : { error }
    },
  }
}

const int64Max = 9223372036854775807n
const int64Min = -9223372036854775808n
const uint64Max = 18446744073709551615n
export const intMax = 2147483647
export const intMin = -2147483648
export const uintMax = 4294967295
/** Bounds that no JavaScript number can hold exactly. */
export const longMax = int64Max
export const ulongMax = uint64Max

type Bound = number | bigint

function outside(min: Bound, max: Bound): { error: string } {
  return { error: `argument must be between ${min} and ${max} inclusive` }
}

/** A whole number of 64 bits as Redis reads it: digits without leading zeros, spaces or `+`. */
export function parseInteger(word: string): bigint | undefined {
  if (!/^(0|-?[1-9][0-9]{0,18})$/.test(word)) return undefined
  const value = BigInt(word)
  return value < int64Min || value > int64Max ? undefined : value
}

/** `clamp` bends a value that is within the bounds into the range that the server really uses (`hz`). */
export function integer(
  initial: number,
  min: Bound,
  max: Bound,
  options: ParameterOptions = {},
  clamp?: { min: number; max: number },
): Parameter<number> {
  return {
    kind: 'integer',
    initial,
    initialText: String(initial),
    severalWords: false,
    options,
    parse([word = '']) {
      let number = parseInteger(word)
      if (number === undefined) return { error: "argument couldn't be parsed into an integer" }
      if (number < min || number > max) return outside(min, max)
      if (clamp !== undefined && number < clamp.min) number = BigInt(clamp.min)
      if (clamp !== undefined && number > clamp.max) number = BigInt(clamp.max)
      return { value: Number(number), text: String(number) }
    },
  }
}

export function octal(initial: number, min: number, max: number, options: ParameterOptions = {}): Parameter<number> {
  return {
    kind: 'octal',
    initial,
    initialText: initial.toString(8),
    severalWords: false,
    options,
    parse([word = '']) {
      const sound = /^\s*[+-]?[0-7]+$/.test(word)
      const value = sound ? Number.parseInt(word, 8) : Number.NaN
      if (word !== '' && !sound) return { error: "argument couldn't be parsed as an octal number" }
      if (word === '') return { value: 0, text: '0' }
      if (value < min || value > max) return outside(min, max)
      return { value, text: value.toString(8) }
    },
  }
}

const units: Readonly<Record<string, bigint>> = {
  '': 1n,
  b: 1n,
  k: 1000n,
  kb: 1024n,
  m: 1000n ** 2n,
  mb: 1024n ** 2n,
  g: 1000n ** 3n,
  gb: 1024n ** 3n,
}

/**
 * Bytes with an optional unit: `100`, `64mb`, `1G`. As in Redis no digits count as 0 (`mb` is 0), a number beyond
 * 64 bits becomes the largest one and the product with the unit wraps around. Undefined: not a memory value.
 */
export function parseMemory(word: string): bigint | undefined {
  const match = /^([0-9]*)([a-z]*)$/i.exec(word)
  const unit = match === null ? undefined : units[(match[2] as string).toLowerCase()]
  if (match === null || unit === undefined || (match[1] as string).length > 127) return undefined
  const number = BigInt(match[1] === '' ? 0 : (match[1] as string))
  return BigInt.asUintN(64, (number > uint64Max ? uint64Max : number) * unit)
}

/** Bytes; text such as `64mb` or `1g` is understood. */
export function memory(initial: number, min: Bound, max: Bound, options: ParameterOptions = {}): Parameter<number> {
  return {
    kind: 'memory',
    initial,
    initialText: String(initial),
    severalWords: false,
    options,
    parse([word = '']) {
      const bytes = parseMemory(word)
      if (bytes === undefined) return { error: 'argument must be a memory value' }
      if (bytes < min || bytes > max) return outside(min, max)
      return { value: Number(bytes), text: String(bytes) }
    },
  }
}

/** Bytes, or a percentage of `maxmemory` (`5%`), which is kept as a negative number: -5. */
export function memoryOrPercent(initial: number, options: ParameterOptions = {}): Parameter<number> {
  return {
    kind: 'memory',
    initial,
    initialText: String(initial),
    severalWords: false,
    options,
    parse([word = '']) {
      if (word.endsWith('%') && word.length > 1) {
        const percent = parseInteger(word.slice(0, -1))
        if (percent !== undefined && percent >= 0n) return percentage(percent)
      }
      const bytes = parseMemory(word)
      if (bytes === undefined) return { error: 'argument must be a memory or percent value' }
      return bytes > int64Max ? percentage(uint64Max + 1n - bytes) : { value: Number(bytes), text: String(bytes) }
    },
  }
}

function percentage(percent: bigint): Parsed<number> {
  if (percent > 100n) return { error: 'percentage argument must be less or equal to 100' }
  return { value: percent === 0n ? 0 : -Number(percent), text: percent === 0n ? '0' : `${percent}%` }
}

export function enumeration<Choice extends string>(
  initial: NoInfer<Choice>,
  choices: readonly Choice[],
  options: ParameterOptions = {},
): Parameter<Choice> {
  return {
    kind: 'enumeration',
    initial,
    initialText: initial,
    severalWords: false,
    choices,
    options,
    parse([word = '']) {
      const value = choices.find((choice) => choice === word.toLowerCase())
      return value === undefined ? unknownChoice(choices) : { value, text: value }
    },
  }
}

/** Several of `choices` at once; the first one stands for none of the others. `refuse` rejects combinations. */
export function flags<Choice extends string>(
  choices: readonly Choice[],
  options: ParameterOptions,
  refuse: (set: readonly Choice[]) => string | undefined,
): Parameter<readonly Choice[]> {
  const none = choices[0] as Choice
  return {
    kind: 'flags',
    initial: [none],
    initialText: none,
    severalWords: true,
    choices,
    options,
    parse(words) {
      const named = words.map((word) => choices.find((choice) => choice === word.toLowerCase()))
      if (named.length === 0 || named.includes(undefined)) return unknownChoice(choices)
      const set = choices.filter((choice) => choice !== none && named.includes(choice))
      const error = refuse(set)
      if (error !== undefined) return { error }
      return { value: set.length === 0 ? [none] : set, text: set.length === 0 ? none : set.join(' ') }
    },
  }
}

function unknownChoice(choices: readonly string[]): { error: string } {
  return { error: `argument(s) must be one of the following: ${choices.join(', ')}` }
}

export function text(
  initial: string,
  options: ParameterOptions = {},
  refuse?: (value: string) => string | undefined,
): Parameter<string> {
  return {
    kind: 'text',
    initial,
    initialText: initial,
    severalWords: false,
    options,
    parse([word = '']) {
      const error = refuse?.(word)
      return error === undefined ? { value: word, text: word } : { error }
    },
  }
}

/** A value of several words with a form of its own. `parse` gets the words; `print` makes the text. */
export function list<Value>(
  initial: Value,
  print: (value: Value) => string,
  parse: (words: readonly string[], current: Value, replaces: boolean) => { value: Value } | { error: string },
  options: ParameterOptions = {},
): Parameter<Value> {
  return {
    kind: 'list',
    initial,
    initialText: print(initial),
    severalWords: true,
    options,
    parse(words, current, replaces) {
      const parsed = parse(words, current, replaces)
      return 'error' in parsed ? parsed : { value: parsed.value, text: print(parsed.value) }
    },
  }
}

/** The words of a `CONFIG SET` value: at every single space, so that two in a row enclose an empty word. */
export function wordsOf<Value>(parameter: Parameter<Value>, value: string): readonly string[] {
  return parameter.severalWords ? splitOnSpace(value) : [value]
}
