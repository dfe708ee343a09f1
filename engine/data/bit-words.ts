/**
 * Bits of long texts: combined, inverted, counted and skipped, part by part in the memory of `bit-program.ts`. What is
 * behind the end of a text counts as zeros.
 */
import { type BitOperation, type BitProgram, createBitProgram, HALF_BYTES, STEP_BYTES } from './bit-program.ts'

/** Up to here a loop over bytes is faster. */
const SHORT_BYTES = 32

/** Made when it is first needed; it keeps nothing between calls. */
let program: (BitProgram & { bytes: Uint8Array }) | undefined

function programWithBytes(): BitProgram & { bytes: Uint8Array } {
  if (program === undefined) {
    const made = createBitProgram()
    program = { ...made, bytes: new Uint8Array(made.memory.buffer) }
  }
  return program
}

/**
 * Fills `into` with texts[0] op texts[1] op …, or with the inverse of the only text; `into` may be one of them. Bytes
 * of texts behind the length of `into` are ignored.
 */
export function combineBits(into: Buffer, texts: readonly Buffer[], operation: BitOperation | 'not'): void {
  for (let start = 0; start < into.length; start += PART_BYTES) {
    into.set(combinePart(texts, operation, start, Math.min(PART_BYTES, into.length - start)), start)
  }
}

/** Bytes that `combinePart` can do. */
export const PART_BYTES = HALF_BYTES

/** The same for bytes start…start + length − 1: a window that is valid until the next call of anything here. */
export function combinePart(
  texts: readonly Buffer[],
  operation: BitOperation | 'not',
  start: number,
  length: number,
): Uint8Array {
  const { bytes, [operation]: combine } = programWithBytes()
  const end = wholeSteps(length)
  for (let i = 0; i < texts.length; i++) {
    load(bytes, i === 0 ? 0 : HALF_BYTES, texts[i] as Buffer, start, start + length)
    if (i > 0 || operation === 'not') combine(end)
  }
  return bytes.subarray(0, length)
}

/** How many bits of bytes[start…end) are set. */
export function countSetBits(text: Buffer, start: number, end: number): number {
  let count = 0
  if (end - start <= SHORT_BYTES) {
    for (let i = start; i < end; i++) count += bitsOfByte[text[i] as number] as number
    return count
  }
  const { bytes, count: countIn } = programWithBytes()
  for (let at = start; at < end; at += HALF_BYTES) {
    const length = Math.min(HALF_BYTES, end - at)
    load(bytes, 0, text, at, at + length)
    count += countIn(wholeSteps(length))
  }
  return count
}

/** Copies text[start…end) to bytes[at…], with zeros behind it up to a whole step. */
function load(bytes: Uint8Array, at: number, text: Buffer, start: number, end: number): void {
  const last = Math.min(end, text.length)
  const length = Math.max(0, last - start)
  if (length > 0) bytes.set(text.subarray(start, last), at)
  const needed = wholeSteps(end - start)
  if (length < needed) bytes.fill(0, at + length, at + needed)
}

function wholeSteps(length: number): number {
  return (length + STEP_BYTES - 1) & -STEP_BYTES
}

/** The first byte of text[start…end) that is not `byte` (0 or 255); `end` when all are. */
export function skipBytes(text: Buffer, byte: 0 | 255, start: number, end: number): number {
  let at = start
  if (end - start > SHORT_BYTES) {
    const { bytes, skip } = programWithBytes()
    for (let passed = HALF_BYTES; passed === HALF_BYTES && at < end; at += passed) {
      const length = Math.min(HALF_BYTES, end - at)
      load(bytes, 0, text, at, at + length)
      passed = skip(wholeSteps(length), 0, byte === 0 ? 0 : -1)
    }
  }
  while (at < end && text[at] === byte) at++
  return Math.min(at, end)
}

const bitsOfByte = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll('0', '').length)
