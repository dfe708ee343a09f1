/**
 * Writes replies as RESP2 or RESP3 onto one growing buffer.
 *
 * A writer holds memory only between its first byte and its flush: the first byte takes a buffer from a pool shared by
 * all connections and announces the writer to whoever flushes (`onFirstByte`); the flush gives the buffer back. So ten
 * thousand idle connections cost nothing, and the hot path has a single check (is there room?) for growth, pooling and
 * scheduling together:
 *
 *     reserve(n):  limit - length >= n ?  write  :  grow(n)  → empty? take from the pool and announce : double
 */
import { writeSafeInteger } from '../data/decimal.ts'
import { formatDouble } from '../data/double-text.ts'
import type { Reply } from './reply.ts'

/**
 * Buffers of one size that wait for their next use. Most replies are short, and most are written to the buffer that was
 * given back last: windows on that one are kept by their length, because making one costs as much as a short reply.
 */
export class BufferPool {
  readonly bufferBytes: number
  private readonly free: Buffer[] = []
  private windowed: Buffer = EMPTY
  private readonly windows: (Buffer | undefined)[] = new Array<Buffer | undefined>(KEPT_WINDOWS).fill(undefined)

  constructor(bufferBytes = 16 * 1024) {
    this.bufferBytes = bufferBytes
  }

  take(): Buffer {
    return this.free.pop() ?? Buffer.allocUnsafeSlow(this.bufferBytes)
  }

  give(buffer: Buffer): void {
    if (buffer.length === this.bufferBytes && this.free.length < KEPT_BUFFERS) this.free.push(buffer)
  }

  /** The buffer will not come back: somebody else keeps it. */
  lose(buffer: Buffer): void {
    if (buffer !== this.windowed) return
    this.windowed = EMPTY
    this.windows.fill(undefined)
  }

  /** The first `length` bytes of a buffer. */
  window(buffer: Buffer, length: number): Buffer {
    if (length >= KEPT_WINDOWS || buffer !== this.windowed) {
      if (buffer.length !== this.bufferBytes || this.windowed !== EMPTY) return buffer.subarray(0, length)
      this.windowed = buffer
    }
    let window = this.windows[length]
    if (window === undefined) {
      window = buffer.subarray(0, length)
      this.windows[length] = window
    }
    return window
  }
}

const KEPT_BUFFERS = 64
const KEPT_WINDOWS = 2048

export interface WriterOwner {
  /** The writer was empty and is not any more: flush it at the end of the turn. */
  onFirstByte(): void
  /** An error reply is being written; `code` is its first word. */
  onError(message: string): void
}

export class ReplyWriter implements Reply {
  protocol: 2 | 3 = 2
  /** Bytes written and not taken yet. */
  length = 0
  buffer: Buffer = EMPTY
  private readonly pool: BufferPool
  private readonly owner: WriterOwner

  constructor(pool: BufferPool, owner: WriterOwner) {
    this.pool = pool
    this.owner = owner
  }

  /** What was written since the last `release`. Valid until the next write. */
  written(): Buffer {
    return this.pool.window(this.buffer, this.length)
  }

  /** Forgets what was written. `reusable`: nobody reads the memory any more, it goes back to the pool. */
  release(reusable: boolean): void {
    if (reusable) this.pool.give(this.buffer)
    else this.pool.lose(this.buffer)
    this.buffer = EMPTY
    this.length = 0
  }

  /** Takes back everything after the first `length` bytes (CLIENT REPLY OFF). */
  truncate(length: number): void {
    this.length = length
  }

  ok(): void {
    this.constant(OK)
  }

  simple(text: string): void {
    this.line(PLUS, text)
  }

  error(message: string): void {
    this.owner.onError(message)
    this.line(MINUS, LINE_END.test(message) ? message.replace(/[\r\n]/g, ' ') : message)
  }

  integer(value: number | bigint): void {
    if (typeof value === 'number' && value >= 0 && value < SMALL_INTEGERS && Number.isInteger(value)) {
      this.constant(smallIntegers[value] as Buffer)
    } else if (typeof value === 'number' && Number.isSafeInteger(value)) {
      this.reserve(HEADER_MAX)
      this.buffer[this.length] = COLON
      this.length = writeSafeInteger(this.buffer, value, this.length + 1)
      this.lineEnd()
    } else {
      this.line(COLON, value.toString())
    }
  }

  double(value: number): void {
    if (this.protocol === 2 && value > 0 && value < SHORT_WHOLE && Number.isInteger(value)) {
      this.bulk(digits, 0, writeSafeInteger(digits, value))
      return
    }
    const text = formatDouble(value)
    if (this.protocol === 3) this.line(COMMA, text)
    else this.latin1(text)
  }

  bulk(bytes: Uint8Array, start = 0, end = bytes.length): void {
    const size = end - start
    this.reserve(size + HEADER_MAX)
    this.header(DOLLAR, size)
    let at = this.length
    const buffer = this.buffer
    if (size < COPY_BY_HAND) {
      for (let i = start; i < end; i++) buffer[at++] = bytes[i] as number
    } else {
      buffer.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), at)
      at += size
    }
    buffer[at] = CR
    buffer[at + 1] = LF
    this.length = at + 2
  }

  text(value: string): void {
    const size = Buffer.byteLength(value)
    this.reserve(size + HEADER_MAX)
    this.header(DOLLAR, size)
    this.length += this.buffer.write(value, this.length, size, 'utf8')
    this.lineEnd()
  }

  latin1(value: string): void {
    this.reserve(value.length + HEADER_MAX)
    this.header(DOLLAR, value.length)
    this.length += this.buffer.write(value, this.length, value.length, 'latin1')
    this.lineEnd()
  }

  nil(): void {
    this.constant(this.protocol === 3 ? NULL : NIL)
  }

  nilArray(): void {
    this.constant(this.protocol === 3 ? NULL : NIL_ARRAY)
  }

  array(length: number): void {
    this.aggregate(STAR, length)
  }

  map(pairs: number): void {
    if (this.protocol === 3) this.aggregate(PERCENT, pairs)
    else this.aggregate(STAR, pairs * 2)
  }

  set(length: number): void {
    this.aggregate(this.protocol === 3 ? TILDE : STAR, length)
  }

  push(length: number): void {
    this.aggregate(this.protocol === 3 ? GREATER : STAR, length)
  }

  boolean(value: boolean): void {
    if (this.protocol === 3) this.constant(value ? TRUE : FALSE)
    else this.integer(value ? 1 : 0)
  }

  verbatim(format: string, text: string): void {
    if (this.protocol === 2) {
      this.text(text)
      return
    }
    const size = Buffer.byteLength(text) + 4
    this.reserve(size + HEADER_MAX)
    this.header(EQUALS, size)
    this.length += this.buffer.write(`${format}:${text}`, this.length, size, 'utf8')
    this.lineEnd()
  }

  bigNumber(digits: string): void {
    if (this.protocol === 3) this.line(PARENTHESIS, digits)
    else this.latin1(digits)
  }

  raw(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.reserve(bytes.length)
    this.buffer.set(bytes, this.length)
    this.length += bytes.length
  }

  private constant(bytes: Buffer): void {
    const size = bytes.length
    this.reserve(size)
    const buffer = this.buffer
    let at = this.length
    for (let i = 0; i < size; i++) buffer[at++] = bytes[i] as number
    this.length = at
  }

  private aggregate(type: number, length: number): void {
    this.reserve(HEADER_MAX)
    this.header(type, length)
  }

  private line(type: number, text: string): void {
    this.reserve(text.length + 3)
    this.buffer[this.length++] = type
    this.length += this.buffer.write(text, this.length, text.length, 'latin1')
    this.lineEnd()
  }

  /** `type`, `size` in decimal, line end. Room is there. */
  private header(type: number, size: number): void {
    const buffer = this.buffer
    let at = this.length
    buffer[at++] = type
    if (size < 10) {
      buffer[at++] = 48 + size
    } else if (size < 100) {
      const tens = (size / 10) | 0
      buffer[at++] = 48 + tens
      buffer[at++] = 48 + size - tens * 10
    } else {
      at = writeSafeInteger(buffer, size, at)
    }
    buffer[at] = CR
    buffer[at + 1] = LF
    this.length = at + 2
  }

  private lineEnd(): void {
    this.buffer[this.length] = CR
    this.buffer[this.length + 1] = LF
    this.length += 2
  }

  private reserve(size: number): void {
    if (this.buffer.length - this.length < size) this.grow(size)
  }

  private grow(size: number): void {
    if (this.length === 0 && this.buffer === EMPTY) {
      this.owner.onFirstByte()
      this.buffer = size <= this.pool.bufferBytes ? this.pool.take() : Buffer.allocUnsafeSlow(size)
      return
    }
    const larger = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.length + size))
    this.buffer.copy(larger, 0, 0, this.length)
    this.pool.give(this.buffer)
    this.buffer = larger
  }
}

const CR = 13
const LF = 10
const PERCENT = 37
const PARENTHESIS = 40
const STAR = 42
const PLUS = 43
const COMMA = 44
const MINUS = 45
const DOLLAR = 36
const COLON = 58
const EQUALS = 61
const GREATER = 62
const TILDE = 126

/** Type byte, up to 20 digits, and two line ends. */
const HEADER_MAX = 26
/** Below this a loop is faster than the call of `set`. */
const COPY_BY_HAND = 24
const SMALL_INTEGERS = 1024
/** Whole numbers below this print all their digits. */
const SHORT_WHOLE = 1e15
const LINE_END = /[\r\n]/

const EMPTY = Buffer.alloc(0)
const digits = Buffer.alloc(20)
const OK = Buffer.from('+OK\r\n')
const NIL = Buffer.from('$-1\r\n')
const NIL_ARRAY = Buffer.from('*-1\r\n')
const NULL = Buffer.from('_\r\n')
const TRUE = Buffer.from('#t\r\n')
const FALSE = Buffer.from('#f\r\n')
const smallIntegers = Array.from({ length: SMALL_INTEGERS }, (_, value) => Buffer.from(`:${value}\r\n`))
