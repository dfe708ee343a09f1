/**
 * What the commands further on in a chunk will ask for: the second word of each, which is the key in nearly all of
 * them. A pipeline of small commands on random keys waits for memory more than for anything else, and places that are
 * known beforehand can be fetched together (`KeyspacePort.announce`).
 *
 * Only a hint: this reads lengths of up to three digits and stops at whatever it does not understand. The parser
 * decides.
 *
 *     *2 $3 GET $5 key:1 *3 $3 SET $5 key:2 $1 x *2 $3 GET $5 ke
 *               ^    ^              ^    ^                    cut off: not counted
 *               starts[0], ends[0]  starts[1], ends[1]
 */

/** So many keys are found at once; also what fits the memory units of a processor. */
export const KEYS_AHEAD_MAX = 32

/**
 * The keys found, and where the first command lies that was not looked at. `word` says which word of a command it is.
 */
export class KeysAhead {
  readonly starts: number[] = new Array<number>(KEYS_AHEAD_MAX).fill(0)
  readonly ends: number[] = new Array<number>(KEYS_AHEAD_MAX).fill(0)
  count = 0
  memory: Uint8Array = NOTHING
  position = 0
  /** Reading position inside a command; -1 when it cannot be read. */
  private at = 0

  /** Looks at the commands in memory[start…end), until it has found so many words. */
  look(memory: Uint8Array, start: number, end: number, word = 1, most = KEYS_AHEAD_MAX): void {
    this.memory = memory
    this.count = 0
    this.position = start
    this.lookOn(end, word, most)
  }

  /** Goes on where `look` stopped, with what it found. */
  lookOn(end: number, word = 1, most = KEYS_AHEAD_MAX): void {
    while (this.count < most && this.skipCommand(this.memory, end, word)) this.position = this.at
  }

  private skipCommand(memory: Uint8Array, end: number, wanted: number): boolean {
    this.at = this.position
    const words = this.number(memory, end, STAR)
    for (let word = 0; word < words; word++) {
      const length = this.number(memory, end, DOLLAR)
      const wordEnd = this.at + length
      if (length < 0 || wordEnd + 2 > end) return false
      if (word === wanted) {
        this.starts[this.count] = this.at
        this.ends[this.count] = wordEnd
      }
      this.at = wordEnd + 2
    }
    if (words > wanted) this.count++
    return words > 0
  }

  /** A line of `type`, up to three digits and a line end; -1 for everything else. */
  private number(memory: Uint8Array, end: number, type: number): number {
    let at = this.at
    if (at + 4 > end || memory[at] !== type) return -1
    let value = (memory[at + 1] as number) - ZERO
    at += 2
    for (let digits = 1; digits < 3; digits++) {
      const byte = memory[at] as number
      if (byte === CR) break
      value = value * 10 + byte - ZERO
      at++
    }
    if (memory[at] !== CR || value < 0 || value > 999) return -1
    this.at = at + 2
    return value
  }
}

const NOTHING = new Uint8Array(0)
const STAR = 42
const DOLLAR = 36
const ZERO = 48
const CR = 13
