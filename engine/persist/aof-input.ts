/**
 * Reads commands back from a file of the append-only log.
 *
 * The form is strict: what no server writes is damage, and damage is reported with its offset. A file that ends in the
 * middle of a command was cut off, which is another thing: its beginning is sound.
 */
import type { Arguments } from '../commands/arguments.ts'
import type { File } from '../io.ts'

const CHUNK_BYTES = 256 * 1024
/** Redis's AOF_ANNOTATION_LINE_MAX_LEN; also longer than any line with a number. */
const LINE_BYTES_MAX = 1024
const DIGITS_MAX = 15

/** What stands there is no command. */
export class AofFormatError extends Error {
  readonly offsetBytes: number
  constructor(offsetBytes: number) {
    super(`not a command at offset ${offsetBytes}`)
    this.name = 'AofFormatError'
    this.offsetBytes = offsetBytes
  }
}

export class AofInput {
  private readonly file: File
  private memory: Buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  private limit = 0
  private position = 0
  /** Offset in the file of memory[0]. */
  private memoryOffset: number
  private atEnd = false

  /** Reads from `startOffset` on. */
  constructor(file: File, startOffset: number) {
    this.file = file
    this.memoryOffset = startOffset
  }

  /** Offset of the first byte that has not been read: where the last complete command ended. */
  get offsetBytes(): number {
    return this.memoryOffset + this.position
  }

  /**
   * Reads the next command into `args`, which point into memory that is valid until the next call.
   * @returns `end`: there is none; `cut`: the file ends in the middle of it.
   * @throws AofFormatError, IoError
   */
  next(args: Arguments): 'command' | 'end' | 'cut' {
    for (;;) {
      if (this.parse(args)) return 'command'
      if (this.atEnd) return this.position === this.limit ? 'end' : 'cut'
      this.fill()
    }
  }

  private fill(): void {
    this.memory.copyWithin(0, this.position, this.limit)
    this.limit -= this.position
    this.memoryOffset += this.position
    this.position = 0
    if (this.limit * 2 > this.memory.length) {
      const larger = Buffer.allocUnsafeSlow(this.memory.length * 2)
      this.memory.copy(larger, 0, 0, this.limit)
      this.memory = larger
    }
    const read = this.file.read(this.memory.subarray(this.limit), this.memoryOffset + this.limit)
    this.limit += read
    this.atEnd = read === 0
  }

  /** False when bytes are missing: annotations before the command have been passed then, and nothing else. */
  private parse(args: Arguments): boolean {
    while (this.memory[this.position] === HASH && this.position < this.limit) {
      const end = this.lineEnd(this.position)
      if (end < 0) return false
      this.position = end
    }
    if (this.position >= this.limit) return false
    this.expect(this.position, STAR)
    let at = this.number(this.position)
    if (at < 0) return false
    const count = this.value
    if (count < 1) this.fail(this.position)
    args.reset(this.memory)
    for (let i = 0; i < count; i++) {
      if (at >= this.limit) return false
      this.expect(at, DOLLAR)
      const start = this.number(at)
      if (start < 0) return false
      const end = start + this.value
      if (end + 2 > this.limit) return false
      if (this.memory[end] !== CR || this.memory[end + 1] !== LF) this.fail(end)
      args.push(start, end)
      at = end + 2
    }
    this.position = at
    return true
  }

  private lineEnd(from: number): number {
    const end = this.memory.indexOf(LF, from)
    if (end >= 0 && end < this.limit && end - from < LINE_BYTES_MAX) return end + 1
    if (this.limit - from >= LINE_BYTES_MAX) this.fail(from)
    return -1
  }

  private value = 0

  /** Reads the number behind the sign at `at` into `value`. Returns where its line ends, -1 when bytes are missing. */
  private number(at: number): number {
    const { memory, limit } = this
    let value = 0
    let next = at + 1
    for (; next < limit; next++) {
      const digit = (memory[next] as number) - 48
      if (digit < 0 || digit > 9) break
      value = value * 10 + digit
    }
    if (next - at > DIGITS_MAX) this.fail(at)
    if (next >= limit) return -1
    if (next === at + 1 || memory[next] !== CR) this.fail(at)
    if (next + 1 >= limit) return -1
    if (memory[next + 1] !== LF) this.fail(at)
    this.value = value
    return next + 2
  }

  private expect(at: number, sign: number): void {
    if (this.memory[at] !== sign) this.fail(at)
  }

  private fail(at: number): never {
    throw new AofFormatError(this.memoryOffset + at)
  }
}

const HASH = 35
const STAR = 42
const DOLLAR = 36
const CR = 13
const LF = 10
