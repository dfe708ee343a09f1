/**
 * HyperLogLogs in Redis's own bytes (hyperloglog.c): 16384 registers of 6 bits, each the longest run of zeros seen
 * among the hashes that fall to it, behind a header of 16 bytes.
 *
 *     HYLL │ encoding │ 3 unused │ cardinality, 8 bytes, little endian; the uppermost bit: out of date
 *
 * Dense (0): the registers one after the other, least significant bit first. Sparse (1): runs of equal registers,
 *
 *     00nnnnnn                n+1 registers of 0       (ZERO)
 *     01nnnnnn nnnnnnnn       n+1 registers of 0       (XZERO)
 *     1vvvvvnn                n+1 registers of v+1     (VAL)
 *
 * which become dense for ever when a register exceeds 32 or the bytes a limit.
 *
 * The cardinality is Ertl's estimator ("New cardinality estimation algorithms for HyperLogLog sketches", 2017).
 */
import { type Hash64, murmurHash64 } from './murmur-hash.ts'

const HEADER_BYTES = 16
const ENCODING = 4
const CARDINALITY = 8
const STALE = 15
const DENSE = 0
const SPARSE = 1
export const REGISTERS = 16384
const INDEX_BITS = 14
/** A register counts up to one more than the bits of the hash that are left: 51. */
const HASH_BITS = 64 - INDEX_BITS
const REGISTER_BITS = 6
const REGISTER_MAX = 63
const DENSE_BYTES = HEADER_BYTES + (REGISTERS * REGISTER_BITS) / 8
const SEED = 0xadc83b19

const SPARSE_VALUE_MAX = 32
const VALUE_RUN_MAX = 4
const ZERO_RUN_MAX = 64
/** How many runs from the one before a change are looked at for equal neighbours. */
const MERGE_SCAN = 5
/** 1 / (2 ln 2) */
const ALPHA = 0.7213475204444817

/** What an operation on registers answers when the runs do not make up all registers. */
export class CorruptHyperLogLog extends Error {}

export function isHyperLogLog(bytes: Uint8Array): boolean {
  const { length } = bytes
  if (length < HEADER_BYTES || MAGIC.some((byte, i) => bytes[i] !== byte)) return false
  const encoding = bytes[ENCODING] as number
  return encoding === SPARSE || (encoding === DENSE && length === DENSE_BYTES)
}

const MAGIC = Buffer.from('HYLL')

/** No element yet: sparse, one run of zeros. */
export function emptyHyperLogLog(): Buffer {
  return Buffer.from([...MAGIC, SPARSE, ...new Uint8Array(11), 0x7f, 0xff])
}

interface Place {
  register: number
  count: number
}

const hash: Hash64 = { high: 0, low: 0 }
const place: Place = { register: 0, count: 0 }

/** The register that the element at memory[start…end) falls to, and the number that it shows there. Reused. */
function locate(memory: Uint8Array, start: number, end: number): Place {
  murmurHash64(memory, start, end, SEED, hash)
  place.register = hash.low & (REGISTERS - 1)
  const low = (hash.low >>> INDEX_BITS) | (hash.high << (32 - INDEX_BITS))
  const high = (hash.high >>> INDEX_BITS) | (1 << (HASH_BITS - 32))
  place.count = low !== 0 ? trailingZeros(low) + 1 : trailingZeros(high) + 33
  return place
}

function trailingZeros(value: number): number {
  return 31 - Math.clz32(value & -value)
}

/** A run of the sparse form. */
interface Run {
  value: number
  length: number
  /** Of the run itself. */
  bytes: number
}

/** The run at `at`. */
function runAt(bytes: Uint8Array, at: number): Run {
  const byte = bytes[at] as number
  if (byte >= 0x80) return { value: ((byte >> 2) & 0x1f) + 1, length: (byte & 3) + 1, bytes: 1 }
  if (byte < 0x40) return { value: 0, length: byte + 1, bytes: 1 }
  return { value: 0, length: (((byte & 0x3f) << 8) | (bytes[at + 1] ?? 0)) + 1, bytes: 2 }
}

function writeRun(runs: number[], value: number, length: number): void {
  if (value > 0) runs.push(0x80 | ((value - 1) << 2) | (length - 1))
  else if (length > ZERO_RUN_MAX) runs.push(0x40 | ((length - 1) >> 8), (length - 1) & 0xff)
  else runs.push(length - 1)
}

/**
 * One HyperLogLog being read or changed. Changes of a dense one happen in `bytes` itself; a sparse one gets new bytes
 * when its length changes.
 */
export class HyperLogLog {
  bytes: Buffer
  private readonly sparseBytesMax: number

  /** @param bytes as `isHyperLogLog` accepts them; they will be written to. */
  constructor(bytes: Buffer, sparseBytesMax: number) {
    this.bytes = bytes
    this.sparseBytesMax = sparseBytesMax
  }

  get isDense(): boolean {
    return this.bytes[ENCODING] === DENSE
  }

  /** Counts an element. True when a register has changed. */
  add(memory: Uint8Array, start: number, end: number): boolean {
    const { register, count } = locate(memory, start, end)
    return this.raise(register, count)
  }

  /** Makes a register at least `count`. True when it has changed. */
  raise(register: number, count: number): boolean {
    return this.isDense ? this.raiseDense(register, count) : this.raiseSparse(register, count)
  }

  /** Undefined when it must be counted first. */
  get knownCardinality(): bigint | undefined {
    if (((this.bytes[STALE] as number) & 0x80) !== 0) return undefined
    return this.bytes.readBigUInt64LE(CARDINALITY)
  }

  remember(cardinality: bigint): void {
    this.bytes.writeBigInt64LE(cardinality, CARDINALITY)
  }

  forgetCardinality(): void {
    this.bytes[STALE] = (this.bytes[STALE] as number) | 0x80
  }

  /** Calls `visit` for every run of equal registers. Throws CorruptHyperLogLog when they are too few or too many. */
  visitRuns(visit: (value: number, length: number, first: number) => void): void {
    const { bytes } = this
    let first = 0
    if (this.isDense) {
      for (; first < REGISTERS; first++) visit(denseRegister(bytes, first), 1, first)
      return
    }
    for (let at = HEADER_BYTES; at < bytes.length; ) {
      const run = runAt(bytes, at)
      if (first + run.length > REGISTERS) throw new CorruptHyperLogLog()
      visit(run.value, run.length, first)
      first += run.length
      at += run.bytes
    }
    if (first !== REGISTERS) throw new CorruptHyperLogLog()
  }

  /** Raises every register of `registers` to what this one has. Throws CorruptHyperLogLog. */
  mergeInto(registers: Uint8Array): void {
    this.visitRuns((value, length, first) => {
      if (value === 0) return
      for (let i = first; i < first + length; i++) if ((registers[i] as number) < value) registers[i] = value
    })
  }

  /** Throws CorruptHyperLogLog. */
  count(): bigint {
    const histogram = new Array<number>(REGISTER_MAX + 1).fill(0)
    this.visitRuns((value, length) => {
      histogram[value] = (histogram[value] as number) + length
    })
    return estimate(histogram)
  }

  /** The runs as PFDEBUG DECODE shows them. Only for the sparse form. */
  describeRuns(): string {
    const words: string[] = []
    const { bytes } = this
    for (let at = HEADER_BYTES; at < bytes.length; ) {
      const run = runAt(bytes, at)
      if (run.value > 0) words.push(`v:${run.value},${run.length}`)
      else words.push(`${run.bytes === 2 ? 'Z' : 'z'}:${run.length}`)
      at += run.bytes
    }
    return words.join(' ')
  }

  /** Throws CorruptHyperLogLog. The cardinality that is known stays known. */
  becomeDense(): void {
    if (this.isDense) return
    const dense = Buffer.alloc(DENSE_BYTES)
    this.bytes.copy(dense, 0, 0, HEADER_BYTES)
    dense[ENCODING] = DENSE
    this.visitRuns((value, length, first) => {
      if (value > 0) for (let i = first; i < first + length; i++) setDenseRegister(dense, i, value)
    })
    this.bytes = dense
  }

  private raiseDense(register: number, count: number): boolean {
    if (denseRegister(this.bytes, register) >= count) return false
    setDenseRegister(this.bytes, register, count)
    return true
  }

  private raiseSparse(register: number, count: number): boolean {
    if (count > SPARSE_VALUE_MAX) return this.raiseAsDense(register, count)
    const { bytes } = this
    let at = HEADER_BYTES
    let before = HEADER_BYTES
    let first = 0
    let run: Run | undefined
    while (at < bytes.length) {
      run = runAt(bytes, at)
      if (register < first + run.length) break
      before = at
      at += run.bytes
      first += run.length
    }
    if (run === undefined || at >= bytes.length) throw new CorruptHyperLogLog()
    if (run.value >= count) return false
    const replacement: number[] = []
    if (register > first) writeRun(replacement, run.value, register - first)
    writeRun(replacement, count, 1)
    const rest = first + run.length - 1 - register
    if (rest > 0) writeRun(replacement, run.value, rest)
    const growth = replacement.length - run.bytes
    if (growth > 0 && bytes.length + growth > this.sparseBytesMax) return this.raiseAsDense(register, count)
    this.splice(at, run.bytes, replacement)
    this.mergeRuns(before)
    this.forgetCardinality()
    return true
  }

  private raiseAsDense(register: number, count: number): boolean {
    this.becomeDense()
    return this.raiseDense(register, count)
  }

  /** The last run of a damaged one may be cut off: then so is what replaces it, as in Redis. */
  private splice(at: number, removed: number, replacement: readonly number[]): void {
    const { bytes } = this
    const length = bytes.length - removed + replacement.length
    const spliced = length === bytes.length ? bytes : Buffer.allocUnsafe(length)
    if (spliced !== bytes) bytes.copy(spliced, 0, 0, at)
    spliced.set(replacement.slice(0, length - at), at)
    if (spliced === bytes) return
    if (at + removed < bytes.length) bytes.copy(spliced, at + replacement.length, at + removed)
    this.bytes = spliced
  }

  /** Joins neighbours of the same value, around a change only. */
  private mergeRuns(from: number): void {
    let at = from
    for (let i = 0; i < MERGE_SCAN && at < this.bytes.length; i++) {
      const run = runAt(this.bytes, at)
      const next = run.value > 0 && at + 1 < this.bytes.length ? runAt(this.bytes, at + 1) : undefined
      if (next?.value === run.value && run.value > 0 && run.length + next.length <= VALUE_RUN_MAX) {
        const merged: number[] = []
        writeRun(merged, run.value, run.length + next.length)
        this.splice(at, 2, merged)
      } else {
        at += run.bytes
      }
    }
  }
}

/**
 * How many different elements gave registers of this histogram, rounded; as in C the least int64 for infinitely many.
 */
function estimate(histogram: readonly number[]): bigint {
  const registers = REGISTERS
  let z = registers * tau((registers - (histogram[HASH_BITS + 1] as number)) / registers)
  for (let j = HASH_BITS; j >= 1; j--) {
    z += histogram[j] as number
    z *= 0.5
  }
  z += registers * sigma((histogram[0] as number) / registers)
  const estimated = (ALPHA * registers * registers) / z
  return Number.isFinite(estimated) ? BigInt(Math.round(estimated)) : -(2n ** 63n)
}

export function countRegisters(registers: Uint8Array): bigint {
  const histogram = new Array<number>(REGISTER_MAX + 1).fill(0)
  for (const value of registers) histogram[value] = (histogram[value] as number) + 1
  return estimate(histogram)
}

/** x + Σ x^(2^k) 2^(k−1), k from 1 on. */
function sigma(x: number): number {
  if (x === 1) return Number.POSITIVE_INFINITY
  let power = x
  let factor = 1
  let z = x
  for (;;) {
    power *= power
    const before = z
    z += power * factor
    factor += factor
    if (before === z) return z
  }
}

/** (1 − x − Σ (1 − x^(2^−k))² 2^−k) / 3, k from 1 on. */
function tau(x: number): number {
  if (x === 0 || x === 1) return 0
  let root = x
  let factor = 1
  let z = 1 - x
  for (;;) {
    root = Math.sqrt(root)
    const before = z
    factor *= 0.5
    z -= (1 - root) * (1 - root) * factor
    if (before === z) return z / 3
  }
}

export function denseRegister(bytes: Uint8Array, register: number): number {
  const bit = register * REGISTER_BITS
  const at = HEADER_BYTES + (bit >> 3)
  const shift = bit & 7
  return (((bytes[at] as number) | ((bytes[at + 1] ?? 0) << 8)) >> shift) & REGISTER_MAX
}

function setDenseRegister(bytes: Uint8Array, register: number, value: number): void {
  const bit = register * REGISTER_BITS
  const at = HEADER_BYTES + (bit >> 3)
  const shift = bit & 7
  const pair = (bytes[at] as number) | ((bytes[at + 1] ?? 0) << 8)
  const changed = (pair & ~(REGISTER_MAX << shift)) | (value << shift)
  bytes[at] = changed & 0xff
  if (at + 1 < bytes.length) bytes[at + 1] = changed >> 8
}
