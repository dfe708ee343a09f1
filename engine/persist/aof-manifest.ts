/**
 * The manifest of a multi-part append-only file: which files make up the log, in which order.
 *
 *     file appendonly.aof.2.base.rdb seq 2 type b       the data set at the last rewrite
 *     file appendonly.aof.1.incr.aof seq 1 type h       history: replaced by it, about to be removed
 *     file appendonly.aof.2.incr.aof seq 2 type i       what was written since; the last one is written to now
 *
 * Format and messages are Redis 7.0's (aof.c). It follows a manifest wherever it leads; one flipped bit there turns an
 * `i` into an `h`, and a file of live data is deleted at the next start. So three things that Redis never writes are
 * refused here as damage: a name that contradicts its type or number, a key given twice on a line, and replaced
 * increments without a replaced base.
 */
import { quoteWord, splitWords } from '../server/config-words.ts'

const LINE_BYTES_MAX = 1024

export type AofFileType = 'base' | 'history' | 'increment'

export interface AofFileEntry {
  readonly name: string
  readonly sequence: number
  readonly type: AofFileType
}

const letters: Readonly<Record<AofFileType, string>> = { base: 'b', history: 'h', increment: 'i' }
const typesByLetter = new Map(Object.entries(letters).map(([type, letter]) => [letter, type as AofFileType]))

/** The manifest is damaged. */
export class AofManifestError extends Error {
  /** Counted from 1; 0: the whole file. */
  readonly lineNumber: number
  readonly line: string
  constructor(message: string, lineNumber: number, line: string) {
    super(message)
    this.name = 'AofManifestError'
    this.lineNumber = lineNumber
    this.line = line
  }
}

/** A value: changes make a new one, which counts once it is on disk. */
export class AofManifest {
  readonly base: AofFileEntry | undefined
  /** In the order in which they are to be removed. */
  readonly history: readonly AofFileEntry[]
  readonly increments: readonly AofFileEntry[]
  /** The largest number of an increment so far. */
  readonly lastIncrement: number
  private readonly lastBase: number

  private constructor(
    base: AofFileEntry | undefined,
    history: readonly AofFileEntry[],
    increments: readonly AofFileEntry[],
    last: { base: number; increment: number },
  ) {
    this.base = base
    this.history = history
    this.increments = increments
    this.lastBase = last.base
    this.lastIncrement = last.increment
  }

  static readonly empty = new AofManifest(undefined, [], [], { base: 0, increment: 0 })

  /** Of a single file as Redis wrote it before 7.0. */
  static ofOldFile(name: string): AofManifest {
    return new AofManifest({ name, sequence: 1, type: 'base' }, [], [], { base: 1, increment: 0 })
  }

  /** @throws AofManifestError */
  static parse(text: string): AofManifest {
    if (text === '') throw new AofManifestError('Found an empty AOF manifest', 0, '')
    let base: AofFileEntry | undefined
    const history: AofFileEntry[] = []
    const increments: AofFileEntry[] = []
    const lines = text.split('\n')
    const unfinished = lines.pop() as string
    if (unfinished !== '' && !unfinished.startsWith('#')) lines.push(unfinished)
    for (const [index, line] of lines.entries()) {
      if (line.startsWith('#')) continue
      const fail = (message: string): never => {
        throw new AofManifestError(message, index + 1, line)
      }
      if (line.length >= LINE_BYTES_MAX || (index === lines.length - 1 && unfinished !== '')) {
        fail('The AOF manifest file contains too long line')
      }
      const entry = parseLine(line, fail)
      if (entry.type === 'history') history.push(entry)
      else if (entry.type === 'increment') {
        if (entry.sequence <= (increments.at(-1)?.sequence ?? 0)) fail('Found a non-monotonic sequence number')
        increments.push(entry)
      } else if (base === undefined) base = entry
      else fail('Found duplicate base file information')
    }
    if (history.some(isIncrement) && history.every(isIncrement)) {
      throw new AofManifestError('Found replaced incremental files without the base file they belong to', 0, '')
    }
    const last = { base: base?.sequence ?? 0, increment: increments.at(-1)?.sequence ?? 0 }
    return new AofManifest(base, history, increments, last)
  }

  toString(): string {
    const entries = [...(this.base === undefined ? [] : [this.base]), ...this.history, ...this.increments]
    return entries
      .map(({ name, sequence, type }) => `file ${printName(name)} seq ${sequence} type ${letters[type]}\n`)
      .join('')
  }

  get isEmpty(): boolean {
    return this.base === undefined && this.increments.length === 0
  }

  /** The files that hold the data set, in the order in which they are loaded. */
  get files(): readonly AofFileEntry[] {
    return this.base === undefined ? this.increments : [this.base, ...this.increments]
  }

  /** With a new base; the one so far becomes history. `suffix` says what it is written in. */
  withNewBase(fileName: string, suffix: 'rdb' | 'aof'): AofManifest {
    const sequence = this.lastBase + 1
    const name = `${fileName}.${sequence}.base.${suffix}`
    const history = this.base === undefined ? this.history : [replaced(this.base), ...this.history]
    const last = { base: sequence, increment: this.lastIncrement }
    return new AofManifest({ name, sequence, type: 'base' }, history, this.increments, last)
  }

  withNewIncrement(fileName: string): AofManifest {
    const sequence = this.lastIncrement + 1
    const entry: AofFileEntry = { name: `${fileName}.${sequence}.incr.aof`, sequence, type: 'increment' }
    return new AofManifest(this.base, this.history, [...this.increments, entry], {
      base: this.lastBase,
      increment: sequence,
    })
  }

  /** The next increment gets a number above this one. */
  withIncrementsAfter(sequence: number): AofManifest {
    const last = { base: this.lastBase, increment: Math.max(sequence, this.lastIncrement) }
    return new AofManifest(this.base, this.history, this.increments, last)
  }

  /** After a rewrite: all increments are history, but for the last `kept` ones. */
  withReplacedIncrements(kept: 0 | 1): AofManifest {
    const end = Math.max(0, this.increments.length - kept)
    const history = [...this.increments.slice(0, end).map(replaced), ...this.history]
    return new AofManifest(this.base, history, this.increments.slice(end), this.last)
  }

  withoutHistory(): AofManifest {
    return new AofManifest(this.base, [], this.increments, this.last)
  }

  private get last(): { base: number; increment: number } {
    return { base: this.lastBase, increment: this.lastIncrement }
  }
}

function replaced({ name, sequence }: AofFileEntry): AofFileEntry {
  return { name, sequence, type: 'history' }
}

function isIncrement({ name }: AofFileEntry): boolean {
  return /\.\d+\.incr\.aof$/.test(name)
}

function parseLine(line: string, fail: (message: string) => never): AofFileEntry {
  const words = splitWords(line)
  if (words === undefined || words.length < 6 || words.length % 2 !== 0) {
    return fail('Invalid AOF manifest file format')
  }
  const fields = new Map<string, string>()
  for (let i = 0; i < words.length; i += 2) {
    const key = (words[i] as string).toLowerCase()
    if (fields.has(key)) fail('Invalid AOF manifest file format')
    fields.set(key, words[i + 1] as string)
  }
  const name = fields.get('file') ?? ''
  if (name.includes('/') || name.includes('\\')) fail("File can't be a path, just a filename")
  const sequence = Number.parseInt(fields.get('seq') ?? '', 10)
  const letter = fields.get('type')?.[0]
  if (name === '' || !(sequence > 0) || letter === undefined) fail('Invalid AOF manifest file format')
  const type = typesByLetter.get(letter as string) ?? fail('Unknown AOF file type')
  const own = /\.(\d+)\.(base|incr)\.(?:rdb|aof)$/.exec(name)
  const contradicts = own !== null && (Number(own[1]) !== sequence || !allowedTypes(own[2] as string).includes(type))
  if (contradicts) fail('The name of an AOF file contradicts its number or type')
  return { name, sequence, type }
}

function allowedTypes(word: string): readonly AofFileType[] {
  return word === 'base' ? ['base', 'history'] : ['increment', 'history']
}

function printName(name: string): string {
  // What Redis's `sdsneedsrepr` asks for.
  return /^[!#-&(-[\]-~]+$/.test(name) ? name : quoteWord(name)
}
