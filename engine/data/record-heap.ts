/**
 * Memory for the records of one table: outside the JavaScript heap, where the garbage collector need not look at
 * millions of texts, and gone with the table.
 *
 *     chunk (64 KiB)  │ record │ dead │ record │ record │ dead │ …free… │     filled from the left, never refilled
 *     own chunk       │ one record longer than 16 KiB │
 *
 * A record is named by a reference: its chunk and its place there, in units of 4 bytes. What is freed stays behind as
 * a gap; when less than half of a chunk is alive its owner moves what lives elsewhere and drops the chunk, so that no
 * more than half of the memory is lost and no removal moves more than half a chunk. The chunk being filled starts small
 * and doubles, so that a small table is small.
 */

const UNIT_SHIFT = 2
const CHUNK_SHIFT = 14
const CHUNK_MASK = (1 << CHUNK_SHIFT) - 1
const CHUNK_BYTES = 1 << (CHUNK_SHIFT + UNIT_SHIFT)
/** Longer records have a chunk of their own. */
const SHARED_MAX_BYTES = CHUNK_BYTES / 4
const FIRST_BYTES = 64
/** References have 32 bits. */
const CHUNKS_MAX = 2 ** (32 - CHUNK_SHIFT)
/** For a chunk beside its bytes. */
const CHUNK_OVERHEAD_BYTES = 200
const NO_CHUNK = -1

export class RecordHeap {
  /** Bytes taken from the system. */
  reservedBytes = 0
  private readonly chunks: Buffer[] = []
  /** By chunk: bytes that were given out, and those of them not freed. */
  private readonly filled: number[] = []
  private readonly live: number[] = []
  private readonly unused: number[] = []
  private current = NO_CHUNK
  /** Chunks that frozen views look at, too, once there is one. Records that come to such a chunk are none of theirs. */
  private shared: Set<number> | undefined

  /** The memory that the record is in. */
  memory(reference: number): Buffer {
    return this.chunks[reference >>> CHUNK_SHIFT] as Buffer
  }

  /** The same, to change the record in its place. */
  writableMemory(reference: number): Buffer {
    const chunk = reference >>> CHUNK_SHIFT
    if (this.shared?.delete(chunk)) this.chunks[chunk] = duplicate(this.chunks[chunk] as Buffer)
    return this.chunks[chunk] as Buffer
  }

  /** Where the record begins in its memory. */
  offset(reference: number): number {
    return (reference & CHUNK_MASK) << UNIT_SHIFT
  }

  /**
   * A record of so many bytes with undefined content. Throws RangeError when there are no references left (at 4…16
   * GiB).
   */
  allocate(bytes: number): number {
    const size = reserved(bytes)
    if (size > SHARED_MAX_BYTES) {
      const chunk = this.addChunk(size)
      this.filled[chunk] = this.live[chunk] = size
      return chunk << CHUNK_SHIFT
    }
    let chunk = this.current
    let at = chunk === NO_CHUNK ? 0 : (this.filled[chunk] as number)
    if (chunk === NO_CHUNK || at + size > (this.chunks[chunk] as Buffer).length) {
      chunk = this.makeRoom(size)
      at = this.filled[chunk] as number
    }
    this.filled[chunk] = at + size
    this.live[chunk] = (this.live[chunk] as number) + size
    return (chunk << CHUNK_SHIFT) | (at >>> UNIT_SHIFT)
  }

  /** Frees a record of so many bytes. True when its chunk should be emptied now: see `evacuate`. */
  free(reference: number, bytes: number): boolean {
    const chunk = reference >>> CHUNK_SHIFT
    const live = (this.live[chunk] as number) - reserved(bytes)
    this.live[chunk] = live
    if (live > 0) return live * 2 < (this.filled[chunk] as number)
    this.drop(chunk)
    return false
  }

  /**
   * Drops the chunk that `reference` is or was in, after `move` was called with the reference of each record in it, in
   * order. It copies the record elsewhere if it lives, and returns its bytes either way.
   */
  evacuate(reference: number, move: (reference: number) => number): void {
    const chunk = reference >>> CHUNK_SHIFT
    const filled = this.filled[chunk] as number
    if (chunk === this.current) this.current = this.addChunk(powerOfTwo((this.live[chunk] as number) * 2))
    for (let at = 0; at < filled; ) at += reserved(move((chunk << CHUNK_SHIFT) | (at >>> UNIT_SHIFT)))
    this.drop(chunk)
  }

  clone(): RecordHeap {
    const copy = new RecordHeap()
    for (const chunk of this.chunks) copy.chunks.push(duplicate(chunk))
    copy.filled.push(...this.filled)
    copy.live.push(...this.live)
    copy.unused.push(...this.unused)
    copy.current = this.current
    copy.reservedBytes = this.reservedBytes
    return copy
  }

  /** The records that are there now, for reading, whatever becomes of them afterwards: chunks are shared until then. */
  freeze(): RecordHeap {
    const view = new RecordHeap()
    view.chunks.push(...this.chunks)
    this.shared = new Set(this.chunks.keys())
    return view
  }

  private makeRoom(size: number): number {
    const { current } = this
    const memory = this.chunks[current]
    const filled = this.filled[current] ?? 0
    if (memory !== undefined && filled + size <= CHUNK_BYTES) {
      const grown = Buffer.allocUnsafeSlow(powerOfTwo(Math.max(filled + size, memory.length * 2)))
      memory.copy(grown, 0, 0, filled)
      this.chunks[current] = grown
      this.reservedBytes += grown.length - memory.length
      return current
    }
    this.current = this.addChunk(memory === undefined ? powerOfTwo(size) : CHUNK_BYTES)
    return this.current
  }

  private addChunk(bytes: number): number {
    const chunk = this.unused.pop() ?? this.chunks.length
    if (chunk >= CHUNKS_MAX) throw new RangeError('a value has too many records')
    this.chunks[chunk] = Buffer.allocUnsafeSlow(bytes)
    this.filled[chunk] = 0
    this.live[chunk] = 0
    this.reservedBytes += bytes + CHUNK_OVERHEAD_BYTES
    return chunk
  }

  private drop(chunk: number): void {
    this.reservedBytes -= (this.chunks[chunk] as Buffer).length + CHUNK_OVERHEAD_BYTES
    this.chunks[chunk] = NO_MEMORY
    this.unused.push(chunk)
    if (this.current === chunk) this.current = NO_CHUNK
  }
}

const NO_MEMORY = Buffer.alloc(0)

function reserved(bytes: number): number {
  return (bytes + 3) & ~3
}

/** The smallest that is not less, from the size of a first chunk to that of a full one. */
function powerOfTwo(bytes: number): number {
  let size = FIRST_BYTES
  while (size < bytes && size < CHUNK_BYTES) size *= 2
  return size
}

function duplicate(memory: Buffer): Buffer {
  if (memory.length === 0) return memory
  const copy = Buffer.allocUnsafeSlow(memory.length)
  memory.copy(copy)
  return copy
}
