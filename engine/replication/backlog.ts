/**
 * The replication stream as bytes: what replicas still have to get, and the history that a partial resync can start in.
 *
 * It is a chain of blocks. Bytes once written never change, so a block can be handed to the network as it is, for any
 * number of replicas, without a copy. Each replica holds a cursor; the backlog holds the oldest block that history
 * needs. A block that neither points at is garbage.
 *
 *     first ─► block ─► block ─► block ─► last
 *                ▲                 ▲         └ written here
 *              slow replica      online replica
 *
 * Offsets are Redis's: the first byte of a stream has offset 1, and `endOffset` is the offset of the last byte.
 * As in Redis, blocks that a replica still has to get are kept in the history, even beyond its size.
 */
import type { Arguments } from '../commands/arguments.ts'

const BLOCK_BYTES = 16 * 1024

interface Block {
  /** Offset of bytes[0]. */
  readonly startOffset: number
  readonly bytes: Buffer
  used: number
  next: Block | undefined
}

function makeBlock(startOffset: number, size: number): Block {
  return { startOffset, bytes: Buffer.allocUnsafeSlow(size), used: 0, next: undefined }
}

/** Where one reader of the stream is. */
export class StreamCursor {
  private block: Block
  private position: number

  constructor(block: Block, position: number) {
    this.block = block
    this.position = position
  }

  /** Offset of the next byte to read. */
  get nextOffset(): number {
    return this.block.startOffset + this.position
  }

  /** The next piece, at most a block long, or undefined at the end of the stream. It will never change. */
  take(): Buffer | undefined {
    while (this.position === this.block.used) {
      if (this.block.next === undefined) return undefined
      this.block = this.block.next
      this.position = 0
    }
    const piece = this.block.bytes.subarray(this.position, this.block.used)
    this.position = this.block.used
    return piece
  }
}

export class Backlog {
  private first: Block
  private last: Block
  /** Offset of the oldest byte of the history. */
  private oldestOffset: number

  /** The next byte gets the offset after `endOffset`. */
  constructor(endOffset: number) {
    this.first = makeBlock(endOffset + 1, BLOCK_BYTES)
    this.last = this.first
    this.oldestOffset = endOffset + 1
  }

  get firstOffset(): number {
    return this.oldestOffset
  }

  get endOffset(): number {
    return this.last.startOffset + this.last.used - 1
  }

  /** Memory of all blocks. */
  get reservedBytes(): number {
    return this.last.startOffset + this.last.bytes.length - this.first.startOffset
  }

  get historyBytes(): number {
    return this.endOffset - this.oldestOffset + 1
  }

  /** A cursor whose next byte has this offset; undefined when that is neither in the history nor right after it. */
  cursorAt(offset: number): StreamCursor | undefined {
    if (offset < this.oldestOffset || offset > this.endOffset + 1) return undefined
    let block = this.first
    while (offset > block.startOffset + block.used || (block.next !== undefined && offset === block.next.startOffset)) {
      if (block.next === undefined) return undefined
      block = block.next
    }
    return new StreamCursor(block, offset - block.startOffset)
  }

  append(bytes: Uint8Array, start = 0, end = bytes.length): void {
    let from = start
    while (from < end) {
      const last = this.roomyBlock(end - from)
      const count = Math.min(end - from, last.bytes.length - last.used)
      copy(bytes, from, last.bytes, last.used, count)
      last.used += count
      from += count
    }
  }

  /** Appends a command as an array of bulk strings. */
  appendCommand(args: Arguments): void {
    this.appendHeader(STAR, args.count)
    for (let index = 0; index < args.count; index++) {
      const start = args.start(index)
      const end = args.end(index)
      this.appendHeader(DOLLAR, end - start)
      this.append(args.memory, start, end)
      this.append(LINE_END)
    }
  }

  private appendHeader(sign: number, value: number): void {
    const last = this.last
    if (value < 10 && last.bytes.length - last.used >= 4) {
      const { bytes } = last
      bytes[last.used++] = sign
      bytes[last.used++] = 48 + value
      bytes[last.used++] = 13
      bytes[last.used++] = 10
    } else this.append(Buffer.from(`${String.fromCharCode(sign)}${value}\r\n`, 'latin1'))
  }

  private roomyBlock(wanted: number): Block {
    const last = this.last
    if (last.used < last.bytes.length) return last
    const next = makeBlock(this.endOffset + 1, Math.min(Math.max(wanted, BLOCK_BYTES), BLOCK_BYTES * 64))
    last.next = next
    this.last = next
    return next
  }

  /** Forgets the oldest blocks as long as `sizeBytes` of history stay, and nothing from `neededOffset` on is lost. */
  trim(sizeBytes: number, neededOffset: number): void {
    while (this.first.next !== undefined) {
      const block = this.first
      const held = block.startOffset + block.used - this.oldestOffset
      if (this.historyBytes - held < sizeBytes || neededOffset < block.startOffset + block.used) return
      this.first = block.next as Block
      this.oldestOffset = this.first.startOffset
    }
  }
}

/** Short pieces are copied here: a view for `set` costs more than they do. */
const LOOP_BYTES_MAX = 48

function copy(from: Uint8Array, start: number, into: Buffer, at: number, count: number): void {
  if (count <= LOOP_BYTES_MAX) for (let i = 0; i < count; i++) into[at + i] = from[start + i] as number
  else into.set(start === 0 && count === from.length ? from : from.subarray(start, start + count), at)
}

const STAR = 42
const DOLLAR = 36
const LINE_END = Buffer.from('\r\n')
