/**
 * Incremental parser of replies, RESP2 and RESP3: for everything that is a client (the harness, links to a primary,
 * tests). Chunks go in, complete values come out, in order, whatever the chunking.
 *
 * Partial values are kept as a stack of unfinished aggregates, so nothing is read twice; bytes wait only while a line
 * or a bulk string is incomplete.
 */
import {
  BAR,
  COLON,
  COMMA,
  DOLLAR,
  EQUALS,
  EXCLAMATION,
  GREATER,
  HASH,
  MINUS,
  PARENTHESIS,
  PERCENT,
  PLUS,
  STAR,
  TILDE,
  UNDERSCORE,
} from './reply-type.ts'

/** An error reply is a value, not an exception. `message` is the whole line: `ERR syntax error`. */
export class ReplyError {
  readonly message: string
  constructor(message: string) {
    this.message = message
  }
}

/** An out-of-band message (RESP3 `>`): pub/sub, invalidations. */
export class PushReply {
  readonly values: ReplyValue[]
  constructor(values: ReplyValue[]) {
    this.values = values
  }
}

/** `+OK`: a string that came as a simple string. Bulk strings are Buffers. */
export type ReplyValue =
  | string
  | Buffer
  | number
  | bigint
  | boolean
  | null
  | ReplyError
  | PushReply
  | VerbatimReply
  | DoubleReply
  | SetReply
  | MapReply
  | ReplyValue[]

export class VerbatimReply {
  readonly format: string
  readonly text: Buffer
  constructor(format: string, text: Buffer) {
    this.format = format
    this.text = text
  }
}

/** RESP3 `,`: kept apart from integers, with its text as it was sent. */
export class DoubleReply {
  readonly value: number
  readonly text: string
  constructor(text: string) {
    this.text = text
    this.value = text === 'inf' ? Number.POSITIVE_INFINITY : text === '-inf' ? Number.NEGATIVE_INFINITY : Number(text)
  }
}

export class SetReply {
  readonly values: ReplyValue[]
  constructor(values: ReplyValue[]) {
    this.values = values
  }
}

export class MapReply {
  readonly entries: [ReplyValue, ReplyValue][]
  constructor(entries: [ReplyValue, ReplyValue][]) {
    this.entries = entries
  }
}

interface Frame {
  type: number
  missing: number
  values: ReplyValue[]
}

/** The peer does not speak RESP. The connection is of no more use. */
export class ReplySyntaxError extends Error {}

const PENDING = Symbol('pending')

export class ReplyParser {
  private readonly onReply: (value: ReplyValue) => void
  private chunk: Buffer = EMPTY
  private position = 0
  private readonly frames: Frame[] = []

  constructor(onReply: (value: ReplyValue) => void) {
    this.onReply = onReply
  }

  /** True between replies: nothing is half read. */
  get idle(): boolean {
    return this.frames.length === 0 && this.position === this.chunk.length
  }

  /** Bytes received that no complete reply has used. */
  unread(): Buffer {
    return this.chunk.subarray(this.position)
  }

  /** The chunk is copied as far as it must be kept. Throws `ReplySyntaxError`. */
  feed(chunk: Buffer): void {
    if (this.position < this.chunk.length) this.chunk = this.join(chunk)
    else this.chunk = chunk
    if (this.chunk === chunk) this.position = 0
    this.readAll()
    if (this.position === this.chunk.length) {
      this.chunk = EMPTY
      this.position = 0
    } else if (this.chunk === chunk) {
      this.chunk = Buffer.from(chunk.subarray(this.position))
      this.position = 0
      this.capacity = this.chunk
      this.used = this.chunk.length
    }
  }

  /** Memory behind `chunk` while a value is incomplete: capacity[0…used). */
  private capacity: Buffer = EMPTY
  private used = 0

  private join(chunk: Buffer): Buffer {
    const rest = this.used - this.position
    const needed = rest + chunk.length
    if (this.used + chunk.length > this.capacity.length) {
      const target = needed * 2 > this.capacity.length ? Buffer.allocUnsafeSlow(needed * 2) : this.capacity
      this.capacity.copy(target, 0, this.position, this.used)
      this.capacity = target
      this.used = rest
      this.position = 0
    }
    chunk.copy(this.capacity, this.used)
    this.used += chunk.length
    return this.capacity.subarray(0, this.used)
  }

  private readAll(): void {
    for (;;) {
      const value = this.readOne()
      if (value === PENDING) return
      if (value !== OPENED) this.deliver(value as ReplyValue)
    }
  }

  /** Puts a complete value into the innermost open aggregate, or out; closes what is full. */
  private deliver(complete: ReplyValue): void {
    let value = complete
    for (;;) {
      const frame = this.frames[this.frames.length - 1]
      if (frame === undefined) {
        this.onReply(value)
        return
      }
      frame.values.push(value)
      frame.missing--
      if (frame.missing > 0) return
      this.frames.pop()
      if (frame.type === BAR) return
      value = finish(frame.type, frame.values)
    }
  }

  private readOne(): ReplyValue | typeof PENDING | typeof OPENED {
    const lineEnd = this.chunk.indexOf('\r\n', this.position, 'latin1')
    if (lineEnd < 0) return PENDING
    const type = this.chunk[this.position] as number
    const line = this.chunk.toString('latin1', this.position + 1, lineEnd)
    switch (type) {
      case DOLLAR:
      case EQUALS:
      case EXCLAMATION:
        return this.readBulk(type, line, lineEnd + 2)
      case STAR:
      case TILDE:
      case GREATER:
      case PERCENT:
      case BAR:
        this.position = lineEnd + 2
        return this.open(type, parseLength(line))
      default:
        this.position = lineEnd + 2
        return scalar(type, line)
    }
  }

  private readBulk(type: number, line: string, start: number): ReplyValue | typeof PENDING {
    const size = parseLength(line)
    if (size < 0) {
      this.position = start
      return null
    }
    if (this.chunk.length < start + size + 2) return PENDING
    const bytes = Buffer.from(this.chunk.subarray(start, start + size))
    this.position = start + size + 2
    if (type === EXCLAMATION) return new ReplyError(bytes.toString('latin1'))
    if (type === EQUALS) return new VerbatimReply(bytes.toString('latin1', 0, 3), bytes.subarray(4))
    return bytes
  }

  private open(type: number, length: number): ReplyValue | typeof OPENED {
    if (length < 0) return null
    const missing = type === PERCENT || type === BAR ? length * 2 : length
    if (missing === 0) return type === BAR ? OPENED : finish(type, [])
    this.frames.push({ type, missing, values: [] })
    return OPENED
  }
}

const OPENED = Symbol('opened')

function finish(type: number, values: ReplyValue[]): ReplyValue {
  if (type === TILDE) return new SetReply(values)
  if (type === GREATER) return new PushReply(values)
  if (type !== PERCENT) return values
  const entries: [ReplyValue, ReplyValue][] = []
  for (let i = 0; i < values.length; i += 2) entries.push([values[i] as ReplyValue, values[i + 1] as ReplyValue])
  return new MapReply(entries)
}

function scalar(type: number, line: string): ReplyValue {
  switch (type) {
    case PLUS:
      return line
    case MINUS:
      return new ReplyError(line)
    case COLON: {
      if (!/^[+-]?\d+$/.test(line)) throw new ReplySyntaxError(`not an integer: ${line}`)
      const value = Number(line)
      return Number.isSafeInteger(value) ? value : BigInt(line)
    }
    case UNDERSCORE:
      return null
    case HASH:
      return line === 't'
    case COMMA:
      return new DoubleReply(line)
    case PARENTHESIS:
      return BigInt(line)
    default:
      throw new ReplySyntaxError(`unknown type byte ${type}`)
  }
}

function parseLength(line: string): number {
  if (!/^-?\d+$/.test(line)) throw new ReplySyntaxError(`not a length: ${line}`)
  return Number(line)
}

const EMPTY = Buffer.alloc(0)
