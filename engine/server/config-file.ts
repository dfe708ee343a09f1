/**
 * The configuration file's lines, as redis-server reads them: blank lines and comments are skipped, words follow the
 * quoting rules of `config-words.ts`, `include` (with globs) reads other files in place. A command line becomes lines
 * appended to the file (`command-line.ts`), so that one reader and one kind of error serve both.
 */
import { globMatch } from '../data/glob.ts'
import { resolvePath } from '../data/path.ts'
import { type Disk, IoError } from '../io.ts'
import type { Parameter } from './config-kinds.ts'
import { type ConfigName, configTable } from './config-table.ts'
import { splitOnSpace, splitWords } from './config-words.ts'
import { errorText } from './system-errors.ts'

/** One line with its number in the text it came from, counted from 1. */
export interface ConfigLine {
  readonly number: number
  readonly text: string
}

/** A line that cannot be accepted. `message` is Redis's; `line` is absent when no single line is to blame. */
export class ConfigError extends Error {
  readonly line: ConfigLine | undefined
  constructor(message: string, line?: ConfigLine) {
    super(message)
    this.name = 'ConfigError'
    this.line = line
  }
}

/** What redis-server prints on standard error before it exits with status 1. */
export function fatalConfigText(error: ConfigError): string {
  const { line } = error
  const where = line === undefined ? '' : `Reading the configuration file, at line ${line.number}\n>>> '${line.text}'\n`
  return `\n*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***\n${where}${error.message}`
}

/** A configuration file that cannot be read. */
export class ConfigFileMissing extends Error {
  constructor(path: string, reason: string) {
    super(`Fatal error, can't open config file '${path}': ${reason}`)
    this.name = 'ConfigFileMissing'
  }
}

/** Directives that are no parameters: their words without the directive's name. */
export interface ConfigDirectives {
  readonly renamedCommands: (readonly [from: string, to: string])[]
  /** With the line that each stands in. */
  readonly users: { words: readonly string[]; line: ConfigLine }[]
  readonly modules: (readonly string[])[]
  /** Lines `module.parameter value`, whole. */
  readonly moduleSettings: string[]
}

/** What reading a configuration needs to know and to do. */
export interface DirectiveReader {
  readonly disk: Disk
  /** Resolves relative paths of `include`; follows `dir` as it changes. */
  pathOf(path: string): string
  find(name: string): ConfigName | undefined
  /** Sets a parameter; undefined or what is wrong. `isFirst`: no earlier line named it. */
  load(name: ConfigName, words: readonly string[], isFirst: boolean): string | undefined
  /** Whether there is a command of this name before any is renamed. */
  isCommand(name: string): boolean
}

/** Accepted and ignored, as in Redis 7.0. */
const obsolete = ['list-max-ziplist-entries', 'list-max-ziplist-value', 'lua-replicate-commands']

/** Splits a text into numbered lines. */
export function linesOf(text: string): ConfigLine[] {
  return text.split('\n').map((line, index) => ({ number: index + 1, text: line }))
}

/**
 * @param shown the path as the error names it
 * @throws {ConfigFileMissing}
 */
export function readConfigText(disk: Disk, path: string, shown = path): string {
  try {
    const file = disk.open(path, 'read')
    try {
      const bytes = Buffer.alloc(file.sizeBytes)
      const length = file.read(bytes, 0)
      return bytes.toString('utf8', 0, length)
    } finally {
      file.close()
    }
  } catch (error) {
    if (!(error instanceof IoError)) throw error
    throw new ConfigFileMissing(shown, errorText(error))
  }
}

/**
 * Executes `lines` in order and returns the directives that are no parameters.
 * @throws {ConfigError} on the first bad line, {ConfigFileMissing} for an include
 */
export function readDirectives(lines: readonly ConfigLine[], reader: DirectiveReader): ConfigDirectives {
  const directives: ConfigDirectives = { renamedCommands: [], users: [], modules: [], moduleSettings: [] }
  const seen = new Set<ConfigName>()
  const readLines = (text: readonly ConfigLine[], depth: number) => {
    for (const line of text) {
      const trimmed = { number: line.number, text: trimLine(line.text) }
      if (trimmed.text === '' || trimmed.text.startsWith('#')) continue
      const words = splitWords(trimmed.text)
      if (words === undefined) throw new ConfigError('Unbalanced quotes in configuration line', trimmed)
      const [name = '', ...values] = words
      if (words.length === 0) continue
      if (name.toLowerCase() === 'include' && values.length === 1) {
        const given = values[0] as string
        for (const path of expand(reader, given)) {
          if (depth >= includesDeepest) throw new ConfigError('include nests too deeply', trimmed)
          readLines(linesOf(readConfigText(reader.disk, path, isGlob(given) ? path : given)), depth + 1)
        }
        continue
      }
      const error = readLine(name.toLowerCase(), values, reader, seen, directives, trimmed)
      if (error !== undefined) throw new ConfigError(error, trimmed)
    }
  }
  readLines(lines, 0)
  return directives
}

/** A file that includes itself would otherwise never end. */
const includesDeepest = 64

function trimLine(text: string): string {
  return text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '')
}

function readLine(
  name: string,
  values: readonly string[],
  reader: DirectiveReader,
  seen: Set<ConfigName>,
  directives: ConfigDirectives,
  line: ConfigLine,
): string | undefined {
  const parameter = reader.find(name)
  if (parameter !== undefined) {
    const { severalWords } = configTable[parameter] as Parameter<unknown>
    if (!severalWords && values.length !== 1) return 'wrong number of arguments'
    const quoted = severalWords && values.length === 1 && values[0] !== ''
    const isFirst = !seen.has(parameter)
    seen.add(parameter)
    return reader.load(parameter, quoted ? splitOnSpace(values[0] as string) : values, isFirst)
  }
  if (obsolete.includes(name)) return undefined
  if (name === 'rename-command' && values.length === 2) return renameCommand(values, reader, directives.renamedCommands)
  if (name === 'user' && values.length >= 1) directives.users.push({ words: values, line })
  else if (name === 'loadmodule' && values.length >= 1) directives.modules.push(values)
  else if (name === 'sentinel') return 'sentinel directive while not in sentinel mode'
  else if (name.includes('.')) {
    if (values.length === 0) return 'Module config specified without value'
    directives.moduleSettings.push([name, ...values].join(' '))
  } else return 'Bad directive or wrong number of arguments'
  return undefined
}

/** Commands are renamed one after the other: a name that a rename freed can be given again. */
function renameCommand(
  [from = '', to = '']: readonly string[],
  reader: DirectiveReader,
  renamed: ConfigDirectives['renamedCommands'],
): string | undefined {
  const exists = (name: string) =>
    renamed.reduce(
      (known, [old, fresh]) => (fresh.toLowerCase() === name ? true : old === name ? false : known),
      reader.isCommand(name),
    )
  if (!exists(from.toLowerCase())) return 'No such command in rename-command'
  if (to !== '' && to.toLowerCase() !== from.toLowerCase() && exists(to.toLowerCase())) {
    return 'Target command name already exists'
  }
  renamed.push([from.toLowerCase(), to])
  return undefined
}

/** The files that an `include` means: with globs the existing ones in the order of their names, maybe none. */
function expand(reader: DirectiveReader, given: string): string[] {
  if (!isGlob(given)) return [reader.pathOf(given)]
  let paths = [given.startsWith('/') ? '/' : reader.pathOf('.')]
  for (const part of given.split('/').filter((name) => name !== '')) {
    paths = paths.flatMap((folder) => {
      if (!isGlob(part)) return [resolvePath(folder, part)]
      if (reader.disk.status(folder)?.isDirectory !== true) return []
      const pattern = Buffer.from(part)
      return reader.disk
        .list(folder)
        .filter((name) => (part.startsWith('.') || !name.startsWith('.')) && globMatch(pattern, Buffer.from(name)))
        .map((name) => resolvePath(folder, name))
    })
  }
  return paths.filter((path) => reader.disk.status(path) !== undefined)
}

function isGlob(path: string): boolean {
  return /[*?[]/.test(path)
}
