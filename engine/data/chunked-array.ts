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
  /** Of all chunks. */
  private length = 0
  private shared: SharedChunks | undefined = undefined

  /** Bytes taken from the system. */
  get byteLength(): number {
    return this.length * Int32Array.BYTES_PER_ELEMENT
  }

  get(index: number): number {
    return (this.chunks[index >>> CHUNK_SHIFT] as Int32Array)[index & CHUNK_MASK] as number
  }

  set(index: number, value: number): void {
    if (this.shared !== undefined) this.shared = own(this.shared, this.chunks, index >>> CHUNK_SHIFT)
    const chunk = this.chunks[index >>> CHUNK_SHIFT] as Int32Array
    chunk[index & CHUNK_MASK] = value
  }

  /** Makes room for indices below `length`. */
  reserve(length: number): void {
    if (length > this.length) this.length = reserveChunks(this.chunks, length, (size) => new Int32Array(size))
  }

  /** Gives back chunks that lie wholly beyond `length`, except one. */
  trim(length: number): void {
    this.length = trimChunks(this.chunks, length)
  }

  clone(): ChunkedInt32Array {
    const copy = new ChunkedInt32Array()
    copy.chunks = this.chunks.map((chunk) => chunk.slice())
    copy.length = this.length
    return copy
  }

  /**
   * What it holds now, for reading, whatever is set afterwards: a chunk is copied when it is set for the first time.
   */
  freeze(): ChunkedInt32Array {
    const view = new ChunkedInt32Array()
    view.chunks = this.chunks.slice()
    view.length = this.length
    this.shared = allShared(this.chunks.length)
    return view
  }
}

/** Doubles, 0 where never set. */
export class ChunkedFloat64Array {
  private chunks: Float64Array[] = []
  /** Of all chunks. */
  private length = 0
  private shared: SharedChunks | undefined = undefined

  /** Bytes taken from the system. */
  get byteLength(): number {
    return this.length * Float64Array.BYTES_PER_ELEMENT
  }

  get(index: number): number {
    return (this.chunks[index >>> CHUNK_SHIFT] as Float64Array)[index & CHUNK_MASK] as number
  }

  set(index: number, value: number): void {
    if (this.shared !== undefined) this.shared = own(this.shared, this.chunks, index >>> CHUNK_SHIFT)
    const chunk = this.chunks[index >>> CHUNK_SHIFT] as Float64Array
    chunk[index & CHUNK_MASK] = value
  }

  reserve(length: number): void {
    if (length > this.length) this.length = reserveChunks(this.chunks, length, (size) => new Float64Array(size))
  }

  trim(length: number): void {
    this.length = trimChunks(this.chunks, length)
  }

  clone(): ChunkedFloat64Array {
    const copy = new ChunkedFloat64Array()
    copy.chunks = this.chunks.map((chunk) => chunk.slice())
    copy.length = this.length
    return copy
  }

  /**
   * What it holds now, for reading, whatever is set afterwards: a chunk is copied when it is set for the first time.
   */
  freeze(): ChunkedFloat64Array {
    const view = new ChunkedFloat64Array()
    view.chunks = this.chunks.slice()
    view.length = this.length
    this.shared = allShared(this.chunks.length)
    return view
  }
}

/** Chunks that frozen views look at, too. */
interface SharedChunks {
  readonly isShared: Uint8Array
  count: number
}

function allShared(count: number): SharedChunks {
  return { isShared: new Uint8Array(count).fill(1), count }
}

/** Gives the array a copy of its own of a shared chunk. Undefined when none is shared any more. */
function own<T extends { slice(): T }>(shared: SharedChunks, chunks: T[], at: number): SharedChunks | undefined {
  if (shared.isShared[at] !== 1) return shared
  chunks[at] = (chunks[at] as T).slice()
  shared.isShared[at] = 0
  shared.count--
  return shared.count > 0 ? shared : undefined
}

interface Chunk {
  readonly length: number
  set(source: ArrayLike<number>): void
}

/** All chunks but the first, while it is the only one, have the same length. */
function lengthOf(chunks: readonly Chunk[]): number {
  return chunks.length > 1 ? chunks.length << CHUNK_SHIFT : (chunks[0]?.length ?? 0)
}

/** Returns the length of all chunks, as `trimChunks`. */
function reserveChunks<T extends Chunk & ArrayLike<number>>(
  chunks: T[],
  length: number,
  make: (size: number) => T,
): number {
  const first = chunks[0]
  if (first === undefined || (first.length < CHUNK_LENGTH && first.length < length)) {
    let size = first?.length ?? FIRST_LENGTH
    while (size < length && size < CHUNK_LENGTH) size *= 2
    const grown = make(size)
    if (first !== undefined) grown.set(first)
    chunks[0] = grown
  }
  while (chunks.length << CHUNK_SHIFT < length) chunks.push(make(CHUNK_LENGTH))
  return lengthOf(chunks)
}

function trimChunks(chunks: Chunk[], length: number): number {
  const needed = ((length + CHUNK_MASK) >>> CHUNK_SHIFT) + 1
  if (chunks.length > needed) chunks.length = needed
  return lengthOf(chunks)
}
