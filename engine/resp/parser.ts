/**
 * Incremental parser of requests: chunks of bytes in, `Arguments` out (multibulk and inline, as Redis 7.0 accepts
 * them).
 *
 * A command that lies whole in the chunk is never copied: its arguments are positions in the chunk. Only the tail that
 * is not complete yet moves into the query buffer, and stays there contiguous until its last byte has come:
 *
 *     chunk 1   *3 $3 SET $1 k $5 hel          → nothing complete; all of it goes to the query buffer
 *     chunk 2   lo\r\n *1 $4 PING\r\n          → appended to the query buffer: SET and PING are read from there
 *     chunk 3   *1 $4 PING\r\n                 → query buffer is empty again: read from the chunk
 *
 * What was already understood of a partial command (`remaining`, `bulkLength`, arguments) is kept, so that a big
 * command that comes in a thousand chunks is read once. When the length of a bulk string is known the query buffer
 * grows to hold all of it at once: up to `RESERVE_LIMIT` on the word of the sender, beyond that geometrically.
 *
 * Use: `begin(chunk)`, then `next(args)` until it does not return `COMMAND`, then `keep()`.
 */
import type { Arguments } from '../commands/arguments.ts'
import { splitWords } from './inline-words.ts'
import type { KeysAhead } from './lookahead.ts'

/** `args` hold a command. It may have no arguments at all (an empty line): then nothing is to be done. */
export const COMMAND = 1
/** More bytes are needed. */
export const INCOMPLETE = 0
/** The stream is broken: `error` says how. Nothing more can be read. */
export const BROKEN = -1
export type ParseStatus = typeof COMMAND | typeof INCOMPLETE | typeof BROKEN

/** Longest line: inline commands and the header lines `*…` and `$…`. Redis: PROTO_INLINE_MAX_SIZE. */
const LINE_LIMIT = 64 * 1024
const COUNT_LIMIT = 2 ** 31 - 1
const RESERVE_LIMIT = 16 * 1024 * 1024
const FIRST_CAPACITY = 4 * 1024
const UNAUTHENTICATED_COUNT_LIMIT = 10
const UNAUTHENTICATED_BULK_LIMIT = 16 * 1024

export interface ParserLimits {
  /** `proto-max-bulk-len`; links from a primary know no limit. */
  bulkLengthMax: number
  /** Nobody has logged in although it is necessary: small commands only. */
  unauthenticated: boolean
}

const CR = 13
const LF = 10
const DOLLAR = 36
const STAR = 42

export class RequestParser {
  /** The complete message for the client after `BROKEN`, without code: `Protocol error: …`. */
  error = ''
  private readonly limits: ParserLimits
  private memory: Buffer = EMPTY
  /** Next byte to read, and the first one that is not there yet. */
  private position = 0
  private end = 0
  private commandStart = 0
  /** Bulk strings of the current multibulk command still to come. */
  private remaining = 0
  /** Length of the bulk string whose header was read, or -1. */
  private bulkLength = -1
  /** The unread tail of earlier chunks: query[0 … queryLength). */
  private query: Buffer = EMPTY
  private queryLength = 0
  private readingQuery = false
  /** Positions of the partial command, relative to its start, while it waits for more. */
  private readonly partialStarts: number[] = []
  private readonly partialEnds: number[] = []
  private partialCount = 0

  constructor(limits: ParserLimits) {
    this.limits = limits
  }

  /** Bytes received and not yet read as commands. To be asked between `keep` and `begin`. */
  get pendingBytes(): number {
    return this.queryLength
  }

  /** Bytes of memory held for the query buffer. */
  get queryCapacity(): number {
    return this.query.length
  }

  /** The raw bytes of the command that `next` has just given: a window, valid as long as its arguments. */
  rawCommand(): Buffer {
    return this.memory.subarray(this.commandStart, this.position)
  }

  /** Bytes of the chunk (or query buffer) that have not been read as commands yet. */
  get unreadBytes(): number {
    return this.end - this.position
  }

  /** Where reading goes on, in the memory that arguments are positions in. */
  get place(): number {
    return this.position
  }

  /** Finds the keys (or another `word`) of the commands that `next` will give, for a hint. */
  lookAhead(keys: KeysAhead, word: number, most?: number): void {
    keys.look(this.memory, this.position, this.end, word, most)
  }

  /** Goes on with what `lookAhead` found. */
  lookFurther(keys: KeysAhead, word: number): void {
    keys.lookOn(this.end, word)
  }

  /** Starts on a chunk. Its memory must not change until `keep`. An empty chunk goes on with what is pending. */
  begin(chunk: Buffer): void {
    if (this.queryLength === 0) {
      this.memory = chunk
      this.position = 0
      this.commandStart = 0
      this.end = chunk.length
      this.readingQuery = false
      return
    }
    this.append(chunk)
    this.memory = this.query
    this.end = this.queryLength
    this.readingQuery = true
  }

  /** Ends the use of the chunk: copies the unread tail. Arguments given by `next` are no longer valid. */
  keep(): void {
    const start = this.remaining > 0 ? this.commandStart : this.position
    const rest = this.end - start
    if (rest === 0) {
      this.release()
    } else if (this.readingQuery) {
      if (start > 0) this.query.copyWithin(0, start, this.end)
      this.queryLength = rest
    } else {
      this.reserve(rest)
      this.memory.copy(this.query, 0, start, this.end)
      this.queryLength = rest
    }
    this.position -= start
    this.commandStart = 0
    this.memory = EMPTY
    this.reserveBulk()
  }

  /** Ends the use of the chunk and gives the unread rest away, copied. Nothing stays behind. */
  takeRest(): Buffer {
    const rest = Buffer.from(this.memory.subarray(this.position, this.end))
    this.position = 0
    this.end = 0
    this.commandStart = 0
    this.memory = EMPTY
    this.release()
    return rest
  }

  next(args: Arguments): ParseStatus {
    args.reset(this.memory)
    if (this.remaining > 0) return this.readBulks(args)
    this.commandStart = this.position
    if (this.position >= this.end) return INCOMPLETE
    if (this.memory[this.position] !== STAR) return this.readInline(args)
    const status = this.readHeader()
    if (status !== COMMAND || this.remaining === 0) return status
    return this.readBulks(args)
  }

  private readHeader(): ParseStatus {
    const memory = this.memory
    const start = this.position + 1
    // Nearly every command has one digit: *3\r\n
    const digit = start + 3 <= this.end ? (memory[start] as number) - 48 : -1
    if (digit >= 0 && digit <= 9 && memory[start + 1] === CR) {
      this.remaining = digit
      this.position = start + 3
    } else {
      const lineEnd = this.findCarriageReturn()
      if (lineEnd < 0) return this.lineMissing('too big mbulk count string')
      const count = parseInteger(memory, start, lineEnd)
      if (Number.isNaN(count) || count > COUNT_LIMIT) return this.fail('invalid multibulk length')
      if (count > UNAUTHENTICATED_COUNT_LIMIT && this.limits.unauthenticated) {
        return this.fail('unauthenticated multibulk length')
      }
      this.remaining = count > 0 ? count : 0
      this.position = lineEnd + 2
    }
    this.bulkLength = -1
    return COMMAND
  }

  private readBulks(args: Arguments): ParseStatus {
    while (this.remaining > 0) {
      if (this.bulkLength < 0) {
        const status = this.readBulkHeader()
        if (status === BROKEN) return BROKEN
        if (status === INCOMPLETE) break
      }
      const bulkEnd = this.position + this.bulkLength
      if (this.end < bulkEnd + 2) break
      args.push(this.position, bulkEnd)
      this.position = bulkEnd + 2
      this.bulkLength = -1
      this.remaining--
    }
    const complete = this.remaining === 0
    if (complete && this.partialCount === 0) return COMMAND
    this.save(args)
    if (complete) this.restore(args)
    return complete ? COMMAND : INCOMPLETE
  }

  private readBulkHeader(): ParseStatus {
    const memory = this.memory
    const start = this.position
    let length = -1
    // One or two digits: $3\r\n, $16\r\n
    if (start + 5 <= this.end && memory[start] === DOLLAR) {
      const first = (memory[start + 1] as number) - 48
      const second = (memory[start + 2] as number) - 48
      if (first >= 0 && first <= 9 && memory[start + 2] === CR) {
        this.bulkLength = first
        this.position = start + 4
        return COMMAND
      }
      if (first > 0 && first <= 9 && second >= 0 && second <= 9 && memory[start + 3] === CR) {
        this.bulkLength = first * 10 + second
        this.position = start + 5
        return COMMAND
      }
    }
    const lineEnd = this.findCarriageReturn()
    if (lineEnd < 0) return this.lineMissing('too big bulk count string')
    if (memory[start] !== DOLLAR) {
      return this.fail(`expected '$', got '${String.fromCharCode(memory[start] as number)}'`)
    }
    length = parseInteger(memory, start + 1, lineEnd)
    if (Number.isNaN(length) || length < 0 || length > this.limits.bulkLengthMax) {
      return this.fail('invalid bulk length')
    }
    if (length > UNAUTHENTICATED_BULK_LIMIT && this.limits.unauthenticated) {
      return this.fail('unauthenticated bulk length')
    }
    this.bulkLength = length
    this.position = lineEnd + 2
    return COMMAND
  }

  private readInline(args: Arguments): ParseStatus {
    const lineFeed = this.memory.indexOf(LF, this.position)
    const zero = this.memory.indexOf(0, this.position)
    // Redis looks for line ends as in a C text: none is found behind a zero byte.
    if (lineFeed < 0 || lineFeed >= this.end || (zero >= 0 && zero < lineFeed)) {
      if (this.end - this.position <= LINE_LIMIT) return INCOMPLETE
      return this.fail('too big inline request')
    }
    const before = lineFeed > this.position && this.memory[lineFeed - 1] === CR ? lineFeed - 1 : lineFeed
    const words = splitWords(this.memory.toString('latin1', this.position, before))
    if (words === undefined) return this.fail('unbalanced quotes in request')
    this.position = lineFeed + 1
    args.reset(Buffer.from(words.join(''), 'latin1'))
    let offset = 0
    for (const word of words) {
      args.push(offset, offset + word.length)
      offset += word.length
    }
    return COMMAND
  }

  /** Position of the `\r` that ends the header line, when the byte after it is there too; otherwise -1. */
  private findCarriageReturn(): number {
    const memory = this.memory
    const last = Math.min(this.end - 1, this.position + LINE_LIMIT + 1)
    for (let i = this.position; i < last && memory[i] !== 0; i++) if (memory[i] === CR) return i
    return -1
  }

  private lineMissing(message: string): ParseStatus {
    if (this.end - this.position <= LINE_LIMIT) return INCOMPLETE
    return this.fail(message)
  }

  private fail(message: string): ParseStatus {
    this.error = `Protocol error: ${message}`
    return BROKEN
  }

  /** Moves the arguments read from this chunk to those of the partial command. */
  private save(args: Arguments): void {
    for (let i = 0; i < args.count; i++) {
      this.partialStarts[this.partialCount] = args.start(i) - this.commandStart
      this.partialEnds[this.partialCount] = args.end(i) - this.commandStart
      this.partialCount++
    }
    args.reset(this.memory)
  }

  private restore(args: Arguments): void {
    const base = this.commandStart
    for (let i = 0; i < this.partialCount; i++) {
      args.push(base + (this.partialStarts[i] as number), base + (this.partialEnds[i] as number))
    }
    if (this.partialCount > FORGET_ABOVE) {
      this.partialStarts.length = 0
      this.partialEnds.length = 0
    }
    this.partialCount = 0
  }

  /** The rest of the bulk string is coming: makes room for it, so that it is not copied from buffer to buffer. */
  private reserveBulk(): void {
    if (this.bulkLength < 0 || this.remaining === 0) return
    const needed = this.position + this.bulkLength + 2
    if (needed > this.query.length) this.reserve(Math.min(needed, Math.max(RESERVE_LIMIT, this.queryLength)))
  }

  private append(chunk: Buffer): void {
    const needed = this.queryLength + chunk.length
    if (needed > this.query.length) {
      const whole = this.bulkLength < 0 ? 0 : this.position + this.bulkLength + 2
      const doubled = this.query.length * 2
      this.reserve(whole >= needed ? Math.min(whole, Math.max(doubled, needed)) : Math.max(doubled, needed))
    }
    chunk.copy(this.query, this.queryLength)
    this.queryLength = needed
  }

  private reserve(capacity: number): void {
    if (this.query.length >= capacity) return
    const larger = Buffer.allocUnsafeSlow(Math.max(capacity, FIRST_CAPACITY))
    this.query.copy(larger, 0, 0, this.queryLength)
    this.query = larger
  }

  /** Nothing is pending: an idle connection holds no query buffer. */
  private release(): void {
    this.queryLength = 0
    this.query = EMPTY
  }
}

/** Positions of a partial command with more arguments than this are not kept for the next one. */
const FORGET_ABOVE = 1024
const EMPTY = Buffer.alloc(0)

/**
 * A decimal number as Redis's `string2ll` takes it: no sign but `-`, no leading zeros, no white space. NaN otherwise.
 * Beyond 2^53 the value is inexact; all limits here are far below.
 */
export function parseInteger(memory: Uint8Array, start: number, end: number): number {
  let at = start
  const negative = memory[at] === 45
  if (negative) at++
  const digits = end - at
  if (digits < 1 || digits > 19) return Number.NaN
  const first = memory[at] as number
  if (first === 48) return digits === 1 && !negative ? 0 : Number.NaN
  let value = 0
  for (; at < end; at++) {
    const digit = (memory[at] as number) - 48
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  return negative ? -value : value
}
