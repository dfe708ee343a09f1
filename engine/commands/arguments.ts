/**
 * The arguments of one command, as positions in the memory that they were received in.
 *
 * No object is made per argument: a command reads keys and values straight from the read buffer, and the store copies
 * them from there into its arena. What a command wants to keep past its own run it must copy (`copy`, `clone`).
 *
 *     memory  *3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2\r\nhi\r\n
 *                        ^  ^          ^^         ^ ^
 *     index              0             1          2       starts[i] … ends[i]
 */
export class Arguments {
  memory: Buffer = EMPTY
  starts: number[] = []
  ends: number[] = []
  /** How many there are, the command's name included. */
  count = 0

  /** Own memory, holding a copy of each of `values` (text is UTF-8). */
  static of(values: readonly (string | Buffer)[]): Arguments {
    const parts = values.map((value) => (typeof value === 'string' ? Buffer.from(value) : value))
    const args = new Arguments()
    args.memory = Buffer.concat(parts)
    let offset = 0
    for (const part of parts) {
      args.push(offset, offset + part.length)
      offset += part.length
    }
    return args
  }

  /** Forgets the arguments and reads from `memory` from now on. */
  reset(memory: Buffer): void {
    this.memory = memory
    this.count = 0
  }

  push(start: number, end: number): void {
    this.starts[this.count] = start
    this.ends[this.count] = end
    this.count++
  }

  /** Length of argument `index` in bytes. Out of range is a programmer's error. */
  length(index: number): number {
    return this.end(index) - this.start(index)
  }

  start(index: number): number {
    return this.starts[index] as number
  }

  end(index: number): number {
    return this.ends[index] as number
  }

  /** A window on the received memory: valid only while the command runs. */
  view(index: number): Buffer {
    return this.memory.subarray(this.starts[index], this.ends[index])
  }

  /** A copy that may be kept. */
  copy(index: number): Buffer {
    return Buffer.from(this.view(index))
  }

  /** One character per byte: lossless for binary data. */
  latin1(index: number): string {
    return this.memory.toString('latin1', this.starts[index], this.ends[index])
  }

  /** The same up to the first zero byte, as messages show it that Redis formats with `%s`. */
  cString(index: number): string {
    return cString(this.latin1(index))
  }

  utf8(index: number): string {
    return this.memory.toString('utf8', this.starts[index], this.ends[index])
  }

  /** Whether argument `index` is `word`, given in lower case ASCII, in any case. */
  is(index: number, word: string): boolean {
    const start = this.start(index)
    if (this.end(index) - start !== word.length) return false
    for (let i = 0; i < word.length; i++) {
      let byte = this.memory[start + i] as number
      if (byte >= 65 && byte <= 90) byte |= 32
      if (byte !== word.charCodeAt(i)) return false
    }
    return true
  }

  /** The same arguments in memory of their own, with `text` (one character per byte) in place of argument `index`. */
  cloneWith(index: number, text: string): Arguments {
    const copy = new Arguments()
    let total = text.length
    for (let i = 0; i < this.count; i++) if (i !== index) total += this.length(i)
    copy.memory = Buffer.allocUnsafe(total)
    let offset = 0
    for (let i = 0; i < this.count; i++) {
      const start = offset
      if (i === index) offset += copy.memory.write(text, offset, text.length, 'latin1')
      else offset += this.memory.copy(copy.memory, offset, this.start(i), this.end(i))
      copy.push(start, offset)
    }
    return copy
  }

  /** The same arguments in memory of their own. */
  clone(): Arguments {
    const copy = new Arguments()
    let total = 0
    for (let i = 0; i < this.count; i++) total += this.length(i)
    copy.memory = Buffer.allocUnsafe(total)
    let offset = 0
    for (let i = 0; i < this.count; i++) {
      this.memory.copy(copy.memory, offset, this.start(i), this.end(i))
      copy.push(offset, offset + this.length(i))
      offset += this.length(i)
    }
    return copy
  }
}

const EMPTY = Buffer.alloc(0)

/** What C sees of a text: it ends at the first zero byte. */
export function cString(text: string): string {
  const end = text.indexOf('\0')
  return end < 0 ? text : text.slice(0, end)
}
