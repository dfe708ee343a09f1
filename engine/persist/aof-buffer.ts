/**
 * What a turn of the event loop adds to the append-only file: commands as they will stand in it, in one buffer that is
 * written with one call and used again.
 *
 *     #TS:1700000000\r\n            once a second, with aof-timestamp-enabled
 *     *2\r\n$6\r\nSELECT\r\n…       when the database changes
 *     *3\r\n$3\r\nSET\r\n…
 */
import type { Arguments } from '../commands/arguments.ts'

const START_BYTES = 64 * 1024
/** A buffer that a burst has made larger than this is given back when it is empty. */
const KEPT_BYTES = 4 * 1024 * 1024
/** Shorter arguments are copied byte by byte: a view for `set` costs more than they do. */
const LOOP_BYTES_MAX = 48

export class AofBuffer {
  private memory: Buffer = Buffer.allocUnsafeSlow(START_BYTES)
  private used = 0

  get length(): number {
    return this.used
  }

  /** What has been gathered; valid until the next change. */
  bytes(): Buffer {
    return this.memory.subarray(0, this.used)
  }

  /** Forgets the first `count` bytes. */
  drop(count: number): void {
    // Nearly always nothing is left, and even that copy is a call into the runtime.
    if (count < this.used) this.memory.copyWithin(0, count, this.used)
    this.used -= count
    if (this.used === 0 && this.memory.length > KEPT_BYTES) this.memory = Buffer.allocUnsafeSlow(START_BYTES)
  }

  append(bytes: Buffer): void {
    this.room(bytes.length)
    bytes.copy(this.memory, this.used)
    this.used += bytes.length
  }

  annotate(text: string): void {
    this.room(text.length + 3)
    this.used += this.memory.write(`#${text}\r\n`, this.used, 'latin1')
  }

  select(databaseIndex: number): void {
    const digits = String(databaseIndex)
    const text = `*2\r\n$6\r\nSELECT\r\n$${digits.length}\r\n${digits}\r\n`
    this.room(text.length)
    this.used += this.memory.write(text, this.used, 'latin1')
  }

  command(args: Arguments): void {
    const { count, memory: source, starts, ends } = args
    let total = 16
    for (let i = 0; i < count; i++) total += (ends[i] as number) - (starts[i] as number) + 16
    this.room(total)
    const { memory } = this
    let at = writeHeader(memory, this.used, STAR, count)
    for (let i = 0; i < count; i++) {
      const start = starts[i] as number
      const end = ends[i] as number
      at = writeHeader(memory, at, DOLLAR, end - start)
      if (end - start <= LOOP_BYTES_MAX)
        for (let from = start; from < end; from++) memory[at++] = source[from] as number
      else {
        source.copy(memory, at, start, end)
        at += end - start
      }
      memory[at++] = 13
      memory[at++] = 10
    }
    this.used = at
  }

  private room(count: number): void {
    const wanted = this.used + count
    if (wanted <= this.memory.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(wanted, this.memory.length * 2))
    this.memory.copy(larger, 0, 0, this.used)
    this.memory = larger
  }
}

const STAR = 42
const DOLLAR = 36

/** Returns where the bytes behind it go. */
function writeHeader(memory: Buffer, from: number, sign: number, value: number): number {
  let at = from
  memory[at++] = sign
  if (value < 10) memory[at++] = 48 + value
  else if (value < 100) {
    // value / 10, for values below 100: a multiplication is cheaper than a division, in every command that is written.
    const tens = (value * 205) >>> 11
    memory[at++] = 48 + tens
    memory[at++] = 48 + value - tens * 10
  } else at += memory.write(String(value), at, 'latin1')
  memory[at++] = 13
  memory[at++] = 10
  return at
}
