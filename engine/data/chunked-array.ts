/**
 * Typed arrays that grow without copying: full chunks stay where they are, only the first one is copied while it is
 * smaller than a chunk, so that a small array is small and a large one never stalls for its growth.
 */

const CHUNK_SHIFT = 13
const CHUNK_LENGTH = 1 << CHUNK_SHIFT
const CHUNK_MASK = CHUNK_LENGTH - 1
const FIRST_LENGTH = 16

/** 32-bit integers, 0 where never set. */
export class ChunkedInt32Array {
  private chunks: Int32Array[] = []

  get byteLength(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0)
  }

  get(index: number): number {
    return (this.chunks[index >>> CHUNK_SHIFT] as Int32Array)[index & CHUNK_MASK] as number
  }

  set(index: number, value: number): void {
    const chunk = this.chunks[index >>> CHUNK_SHIFT] as Int32Array
    chunk[index & CHUNK_MASK] = value
  }

  /** Makes room for indices below `length`. */
  reserve(length: number): void {
    reserveChunks(this.chunks, length, (size) => new Int32Array(size))
  }

  /** Gives back chunks that lie wholly beyond `length`, except one. */
  trim(length: number): void {
    trimChunks(this.chunks, length)
  }
}

/** Doubles, 0 where never set. */
export class ChunkedFloat64Array {
  private chunks: Float64Array[] = []

  get byteLength(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0)
  }

  get(index: number): number {
    return (this.chunks[index >>> CHUNK_SHIFT] as Float64Array)[index & CHUNK_MASK] as number
  }

  set(index: number, value: number): void {
    const chunk = this.chunks[index >>> CHUNK_SHIFT] as Float64Array
    chunk[index & CHUNK_MASK] = value
  }

  reserve(length: number): void {
    reserveChunks(this.chunks, length, (size) => new Float64Array(size))
  }

  trim(length: number): void {
    trimChunks(this.chunks, length)
  }
}

interface Chunk {
  readonly length: number
  set(source: ArrayLike<number>): void
}

function reserveChunks<T extends Chunk & ArrayLike<number>>(
  chunks: T[],
  length: number,
  make: (size: number) => T,
): void {
  const first = chunks[0]
  if (first === undefined || (first.length < CHUNK_LENGTH && first.length < length)) {
    let size = first?.length ?? FIRST_LENGTH
    while (size < length && size < CHUNK_LENGTH) size *= 2
    const grown = make(size)
    if (first !== undefined) grown.set(first)
    chunks[0] = grown
  }
  while (chunks.length << CHUNK_SHIFT < length) chunks.push(make(CHUNK_LENGTH))
}

function trimChunks(chunks: unknown[], length: number): void {
  const needed = ((length + CHUNK_MASK) >>> CHUNK_SHIFT) + 1
  if (chunks.length > needed) chunks.length = needed
}
