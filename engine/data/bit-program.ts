/**
 * The loops over the bits of long texts as a WebAssembly program of a few instructions: 16 bytes at a time (SIMD), and
 * the processor's own instruction for counting. In JavaScript, 4 bytes at a time, they take three times as long, though
 * here every part of a text has to be copied into the program's memory first and back afterwards.
 *
 *     memory   │ left, result (16 KiB) │ right (16 KiB) │       small enough for the nearest cache
 *
 * The source is this file: an assembler would be longer than the program. Instructions and their codes are those of the
 * WebAssembly specification, https://webassembly.github.io/spec/core/binary/.
 */
import { instantiate, type WasmMemory } from './web-assembly.ts'

export type BitOperation = 'and' | 'or' | 'xor'

/** Bytes of each of the two halves of the memory. */
export const HALF_BYTES = 16_384
/** Texts are processed in steps of so many bytes: what is behind their end up to the next step must be defined. */
export const STEP_BYTES = 16

export interface BitProgram {
  readonly memory: WasmMemory
  /** left op= right, up to `end`: a multiple of `STEP_BYTES`, not 0. */
  readonly and: (end: number) => void
  readonly or: (end: number) => void
  readonly xor: (end: number) => void
  /** left = ~left. */
  readonly not: (end: number) => void
  /** Bits that are set in the left half. */
  readonly count: (end: number) => number
  /**
   * The first step of the left half from `start` on that holds anything but `pattern` four times; `end` if none does.
   */
  readonly skip: (end: number, start: number, pattern: number) => number
}

const I32 = 0x7f
const I64 = 0x7e
const LOCAL_GET = 0x20
const LOCAL_SET = 0x21
const LOCAL_TEE = 0x22
const SIMD = 0xfd
const END = 0x0b
/** Operands of a load or store: alignment as a power of two, and an offset, which is the second half's for `RIGHT`. */
const LEFT = [4, 0]
const RIGHT = [4, 0x80, 0x80, 0x01]
const LEFT_WORD = [3, 0]

/** Local 0 is the parameter `end`, local 1 the place, which begins at 0 where it is no parameter. */
const AT = [LOCAL_GET, 1]
const v128 = { load: [SIMD, 0x00], store: [SIMD, 0x0b], not: [SIMD, 0x4d], splat: [SIMD, 0x11], anyTrue: [SIMD, 0x53] }
const operations = { and: [SIMD, 0x4e], or: [SIMD, 0x50], xor: [SIMD, 0x51] }

/** `do body while ((at += step) < end)` */
function loop(step: number, ...body: number[]): number[] {
  const advance = [...AT, 0x41, step, 0x6a, LOCAL_TEE, 1, LOCAL_GET, 0, 0x49, 0x0d, 0]
  return [0x03, 0x40, ...body, ...advance, END]
}

function combining(operation: readonly number[]): number[] {
  const operands = [...AT, ...v128.load, ...LEFT, ...AT, ...v128.load, ...RIGHT]
  return [1, 1, I32, ...loop(STEP_BYTES, ...AT, ...operands, ...operation, ...v128.store, ...LEFT), END]
}

function inverting(): number[] {
  const inverted = [...AT, ...v128.load, ...LEFT, ...v128.not]
  return [1, 1, I32, ...loop(STEP_BYTES, ...AT, ...inverted, ...v128.store, ...LEFT), END]
}

/** Local 2 is the sum. */
function counting(): number[] {
  const add = [LOCAL_GET, 2, ...AT, 0x29, ...LEFT_WORD, 0x7b, 0x7c, LOCAL_SET, 2]
  return [2, 1, I32, 1, I64, ...loop(8, ...add), LOCAL_GET, 2, 0xa7, END]
}

/** Local 2 is the pattern. The loop is left, by way of the block around it, at what is different. */
function skipping(): number[] {
  const difference = [...AT, ...v128.load, ...LEFT, LOCAL_GET, 2, ...v128.splat, ...operations.xor]
  return [0, 0x02, 0x40, ...loop(STEP_BYTES, ...difference, ...v128.anyTrue, 0x0d, 1), END, ...AT, END]
}

/** Length and content. All that is here is shorter than 128 bytes, so that its length is one byte. */
function sized(content: readonly number[]): number[] {
  return [content.length, ...content]
}

function vector(items: readonly (readonly number[])[]): number[] {
  return [items.length, ...items.flat()]
}

function named(name: string, kind: 'function' | 'memory', index: number): number[] {
  return [...sized([...Buffer.from(name)]), kind === 'function' ? 0 : 2, index]
}

/** A section's length may need two bytes. */
function section(id: number, content: readonly number[]): number[] {
  return [id, (content.length & 127) | 128, content.length >> 7, ...content]
}

function assemble(): Uint8Array {
  const bodies = [
    combining(operations.and),
    combining(operations.or),
    combining(operations.xor),
    inverting(),
    counting(),
    skipping(),
  ]
  const toNothing = [0x60, 1, I32, 0]
  const toNumber = [0x60, 1, I32, 1, I32]
  const fromThree = [0x60, 3, I32, I32, I32, 1, I32]
  const names = ['and', 'or', 'xor', 'not', 'count', 'skip'].map((name, index) => named(name, 'function', index))
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector([toNothing, toNumber, fromThree])),
    ...section(3, vector([[0], [0], [0], [0], [1], [2]])),
    ...section(5, vector([[0, 1]])),
    ...section(7, vector([named('memory', 'memory', 0), ...names])),
    ...section(10, vector(bodies.map(sized))),
  ])
}

export function createBitProgram(): BitProgram {
  return instantiate(assemble(), () => ({})) as BitProgram
}
