/**
 * Commands as bytes. A command whose words all have a fixed length is one template: the request is a copy of it with
 * digits written over the places of its ids. Only where a length is drawn (values, times to live) are words put
 * together one by one.
 *
 *     *2 $3 GET $16 key:000000000000
 *                       └ 12 digits: the id is written here, right-aligned
 */
import type { IdSource } from './key-distribution.ts'

/** What a client draws for its operations. */
export interface Draws {
  ids: IdSource
  uniformIds: IdSource
  valueBytes(): number
  ttlSeconds(): number
  /** Id that was drawn last; `__again__` repeats it. */
  lastId: number
  sequence: number
  /** Now, in µs since the Unix epoch. */
  wallUs(): number
}

const ID_DIGITS = 12
const TIME_DIGITS = 16
const PLACEHOLDER = /__(key|id|again|rand_int|data|ttl|seq|time)__/
const KINDS = { id: 0, again: 1, rand_int: 2, seq: 3, time: 4 } as const

type Piece = { kind: 'text'; bytes: Buffer } | { kind: 'digits'; draw: number } | { kind: 'data' | 'ttl' }

interface Digits {
  /** Behind the last digit. */
  end: number
  draw: number
  /** So many can differ from 0. */
  width: number
}

/** The longest request of a command, and what makes one. */
export interface CommandShape {
  readonly maxBytes: number
  /** Every request has `maxBytes`, and differs from another in the digits of its ids only. */
  readonly isFixed: boolean
  /** Where an earlier request of this fixed command stands: draws anew and overwrites its ids. */
  overwrite(target: Buffer, at: number, draws: Draws): void
  /** Writes one request at `at`; returns its end. */
  encode(target: Buffer, at: number, draws: Draws): number
}

export interface ShapeOptions {
  keyPrefix: string
  /** Of the largest id. */
  idDigits: number
  valueBytesMax: number
  /** Given when every value has the same length. */
  fixedValueBytes: number | undefined
  /** What values are made of; at least `valueBytesMax` long. */
  valueText: Buffer
}

/** `requests` go out one after another, as one operation: a write and its WAIT. */
export function compileCommand(requests: readonly (readonly string[])[], options: ShapeOptions): CommandShape {
  const compiled = requests.map((words) => words.map((word) => piecesOf(word, options)))
  const isFixed = compiled.flat(2).every(({ kind }) => kind === 'text' || kind === 'digits')
  return isFixed ? new FixedShape(compiled, options.idDigits) : new DrawnShape(compiled, options)
}

function piecesOf(word: string, options: ShapeOptions): Piece[] {
  const pieces: Piece[] = []
  let rest = word
  const text = (value: string | Buffer): void => {
    if (value.length > 0) pieces.push({ kind: 'text', bytes: Buffer.from(value as string) })
  }
  for (;;) {
    const match = PLACEHOLDER.exec(rest)
    if (match === null) break
    text(rest.slice(0, match.index))
    const name = match[1] as 'key' | 'data' | 'ttl' | keyof typeof KINDS
    if (name === 'key') {
      text(options.keyPrefix)
      pieces.push({ kind: 'digits', draw: KINDS.id })
    } else if (name === 'data' && options.fixedValueBytes !== undefined) {
      text(options.valueText.subarray(0, options.fixedValueBytes))
    } else if (name === 'data' || name === 'ttl') pieces.push({ kind: name })
    else pieces.push({ kind: 'digits', draw: KINDS[name] })
    rest = rest.slice(match.index + match[0].length)
  }
  text(rest)
  return pieces
}

function draw(kind: number, draws: Draws): number {
  switch (kind) {
    case KINDS.id:
      draws.lastId = draws.ids.next()
      return draws.lastId
    case KINDS.again:
      return draws.lastId
    case KINDS.rand_int:
      return draws.uniformIds.next()
    case KINDS.time:
      return draws.wallUs()
    default:
      return draws.sequence++
  }
}

/** The last `width` digits before `end`, with leading zeros. */
function writeDigits(target: Buffer, end: number, number: number, width: number): void {
  let rest = number
  let position = end
  const start = end - width
  // Above 2^30 in two halves: whole-number division is much faster on small integers.
  if (rest > 999_999_999) {
    const high = Math.floor(rest / 1_000_000)
    writeDigits(target, end - 6, high, width - 6)
    writeDigits(target, end, rest - high * 1_000_000, 6)
    return
  }
  while (position > start) {
    const tenth = (rest / 10) | 0
    target[--position] = 48 + rest - tenth * 10
    rest = tenth
  }
}

class FixedShape implements CommandShape {
  readonly maxBytes: number
  readonly isFixed = true
  private readonly template: Buffer
  private readonly digits: readonly Digits[]

  constructor(requests: readonly (readonly (readonly Piece[])[])[], idDigits: number) {
    const parts: Buffer[] = []
    const digits: Digits[] = []
    let length = 0
    const add = (bytes: Buffer): void => {
      parts.push(bytes)
      length += bytes.length
    }
    const addWord = (pieces: readonly Piece[]): void => {
      const bytes = pieces.reduce((sum, piece) => sum + fixedLength(piece), 0)
      add(Buffer.from(`$${bytes}\r\n`))
      for (const piece of pieces) {
        if (piece.kind === 'digits') {
          add(Buffer.alloc(fixedLength(piece), '0'))
          const width = piece.draw >= KINDS.seq ? fixedLength(piece) : idDigits
          digits.push({ end: length, draw: piece.draw, width })
        } else if (piece.kind === 'text') add(piece.bytes)
      }
      add(Buffer.from('\r\n'))
    }
    for (const words of requests) {
      add(Buffer.from(`*${words.length}\r\n`))
      for (const pieces of words) addWord(pieces)
    }
    this.template = Buffer.concat(parts)
    this.maxBytes = this.template.length
    this.digits = digits
  }

  encode(target: Buffer, at: number, draws: Draws): number {
    const { template } = this
    const { length } = template
    // A loop beats `copy` and `set` for what fits a few cache lines.
    if (length <= 256) for (let i = 0; i < length; i++) target[at + i] = template[i]!
    else template.copy(target, at)
    this.overwrite(target, at, draws)
    return at + length
  }

  overwrite(target: Buffer, at: number, draws: Draws): void {
    const { digits } = this
    for (let i = 0; i < digits.length; i++) {
      const place = digits[i]!
      writeDigits(target, at + place.end, draw(place.draw, draws), place.width)
    }
  }
}

function fixedLength(piece: Piece): number {
  if (piece.kind === 'text') return piece.bytes.length
  if (piece.kind !== 'digits') return 0
  return piece.draw === KINDS.time ? TIME_DIGITS : ID_DIGITS
}

class DrawnShape implements CommandShape {
  readonly maxBytes: number
  readonly isFixed = false
  private readonly requests: readonly (readonly (readonly Piece[])[])[]
  private readonly valueText: Buffer
  private readonly drawn: number[] = []

  constructor(requests: readonly (readonly (readonly Piece[])[])[], { valueBytesMax, valueText }: ShapeOptions) {
    this.requests = requests
    this.valueText = valueText
    const longest = (piece: Piece): number =>
      piece.kind === 'data' ? valueBytesMax : piece.kind === 'ttl' ? 16 : fixedLength(piece)
    const ofWord = (pieces: readonly Piece[]): number => pieces.reduce((sum, piece) => sum + longest(piece), 0) + 16
    this.maxBytes = requests.flat().reduce((sum, pieces) => sum + ofWord(pieces), 16 * requests.length)
  }

  encode(target: Buffer, start: number, draws: Draws): number {
    return this.requests.reduce((at, words) => this.encodeRequest(words, target, at, draws), start)
  }

  private encodeRequest(words: readonly (readonly Piece[])[], target: Buffer, start: number, draws: Draws): number {
    let at = start + target.write(`*${words.length}\r\n`, start, 'latin1')
    const { drawn } = this
    for (const pieces of words) {
      let length = 0
      for (let i = 0; i < pieces.length; i++) {
        const piece = pieces[i]!
        drawn[i] = piece.kind === 'data' ? draws.valueBytes() : piece.kind === 'ttl' ? draws.ttlSeconds() : 0
        if (piece.kind === 'data') length += drawn[i]!
        else length += piece.kind === 'ttl' ? String(drawn[i]).length : fixedLength(piece)
      }
      at += target.write(`$${length}\r\n`, at, 'latin1')
      for (let i = 0; i < pieces.length; i++) at = this.writePiece(target, at, pieces[i]!, drawn[i]!, draws)
      target[at++] = 13
      target[at++] = 10
    }
    return at
  }

  overwrite(target: Buffer, at: number, draws: Draws): void {
    this.encode(target, at, draws)
  }

  private writePiece(target: Buffer, at: number, piece: Piece, drawn: number, draws: Draws): number {
    switch (piece.kind) {
      case 'text':
        return at + piece.bytes.copy(target, at)
      case 'digits':
        writeDigits(target, at + fixedLength(piece), draw(piece.draw, draws), fixedLength(piece))
        return at + fixedLength(piece)
      case 'data':
        return at + this.valueText.copy(target, at, 0, drawn)
      case 'ttl':
        return at + target.write(String(drawn), at, 'latin1')
    }
  }
}
