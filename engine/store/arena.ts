/**
 * Memory for small byte blocks outside the JavaScript heap, where the garbage collector need not look.
 *
 *     chunk (256 KiB) ┌────────┬────────┬────────┬─ … ┐      a chunk has 16 pages
 *     page (16 KiB)   │ 24 24 24 24 … │ 160 160 160 … │      a page has blocks of one size class
 *     block           │ used │ used │ free → next free │     free blocks of a page: a list through their first bytes
 *
 * Sizes are rounded up to a class: multiples of 8 up to 128 bytes, then four classes to each doubling, up to 4096; so
 * at most a fifth is lost to rounding. A page whose last block is freed can serve any other class, and a chunk of free
 * pages is given back to the system. What remains is pages with few blocks left and chunks with few used pages, after
 * values changed their size or went: `evacuate` empties these. A block is named by a reference, its place in units of 8
 * bytes.
 */

const UNIT_SHIFT = 3
const PAGE_SHIFT = 11
const PAGE_UNITS = 1 << PAGE_SHIFT
const PAGE_MASK = PAGE_UNITS - 1
const PAGE_BYTES = PAGE_UNITS << UNIT_SHIFT
export const CHUNK_SHIFT = 15
export const CHUNK_MASK = (1 << CHUNK_SHIFT) - 1
const PAGES_PER_CHUNK = 1 << (CHUNK_SHIFT - PAGE_SHIFT)
const CHUNK_BYTES = 1 << (CHUNK_SHIFT + UNIT_SHIFT)
/** References are positive 32-bit integers: 16 GiB. */
const MAX_CHUNKS = 1 << (31 - CHUNK_SHIFT)
/** With fewer chunks left the arena says that it is nearly full: 1 GiB, more than is filled between two looks at it. */
const SPARE_CHUNKS = 1 << 12

/** The largest block. */
export const MAX_BLOCK_BYTES = 4096

/** Size of each class in units. */
const classUnits = sizeClasses()
/** Smallest class for a size, by units. */
const classOfUnits = classTable()
const blocksPerPage = classUnits.map((units) => Math.floor(PAGE_UNITS / units))
const FREE_PAGE = 255

function sizeClasses(): number[] {
  const units: number[] = []
  for (let size = 1; size <= 16; size++) units.push(size)
  for (let base = 16; base << UNIT_SHIFT < MAX_BLOCK_BYTES; base *= 2) {
    for (let quarter = 5; quarter <= 8; quarter++) units.push((base * quarter) / 4)
  }
  return units
}

function classTable(): Uint8Array {
  const table = new Uint8Array((MAX_BLOCK_BYTES >>> UNIT_SHIFT) + 1)
  for (let units = 1, sizeClass = 0; units < table.length; units++) {
    while ((classUnits[sizeClass] as number) < units) sizeClass++
    table[units] = sizeClass
  }
  return table
}

/** Bytes that a block for `bytes` really takes. */
export function blockBytes(bytes: number): number {
  return (classUnits[classOfUnits[(bytes + 7) >>> UNIT_SHIFT] as number] as number) << UNIT_SHIFT
}

export class Arena {
  /** By reference >>> CHUNK_SHIFT; a block begins at byte (reference & CHUNK_MASK) << 3 of its chunk. */
  readonly chunks: Buffer[] = []
  /** Bytes in used blocks, rounding included. */
  usedBytes = 0
  private readonly maxChunks: number
  private pageCount = 0
  private freeChunks: number[] = []
  /** Pages that lie empty in chunks that are all empty. */
  private emptyChunks = 0
  /** The page, and the chunk, that is being emptied; −1 for none. */
  private evacuating = -1
  private draining = -1
  private readonly freePagesInChunk: number[] = []

  /** By page: class, used blocks, blocks ever used, first free block + 1, neighbours in a list of pages. */
  private pageClass = new Uint8Array(8)
  private pageUsed = new Uint16Array(8)
  private pageTouched = new Uint16Array(8)
  private pageFirstFree = new Uint16Array(8)
  private pageNext = new Int32Array(8)
  private pagePrevious = new Int32Array(8)

  /** By class: first page with a free block (−1: none), pages, used blocks. The last list is that of free pages. */
  private readonly firstPage = new Int32Array(FREE_PAGE + 1).fill(-1)
  private readonly classPages = new Int32Array(classUnits.length)
  private readonly classUsed = new Int32Array(classUnits.length)

  /** `maxChunks` is less than the addressable ones in tests only. */
  constructor(maxChunks = MAX_CHUNKS) {
    this.maxChunks = maxChunks
  }

  get isNearlyFull(): boolean {
    return this.chunks.length - this.freeChunks.length > this.maxChunks - Math.min(SPARE_CHUNKS, this.maxChunks / 2)
  }

  /** Bytes taken from the system. */
  get reservedBytes(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  }

  /** A block for `bytes` (1…MAX_BLOCK_BYTES) with undefined content. */
  allocate(bytes: number): number {
    const sizeClass = classOfUnits[(bytes + 7) >>> UNIT_SHIFT] as number
    let page = this.firstPage[sizeClass] as number
    if (page < 0) page = this.takePage(sizeClass)
    const units = classUnits[sizeClass] as number
    let block: number
    const free = this.pageFirstFree[page] as number
    if (free > 0) {
      block = free - 1
      const reference = (page << PAGE_SHIFT) + block * units
      const chunk = this.chunks[reference >>> CHUNK_SHIFT] as Buffer
      const offset = (reference & CHUNK_MASK) << UNIT_SHIFT
      this.pageFirstFree[page] = (chunk[offset] as number) | ((chunk[offset + 1] as number) << 8)
    } else {
      block = this.pageTouched[page] as number
      this.pageTouched[page] = block + 1
    }
    const used = (this.pageUsed[page] as number) + 1
    this.pageUsed[page] = used
    if (used === blocksPerPage[sizeClass]) this.unlink(sizeClass, page)
    this.classUsed[sizeClass]!++
    this.usedBytes += units << UNIT_SHIFT
    return (page << PAGE_SHIFT) + block * units
  }

  free(reference: number): void {
    const page = reference >>> PAGE_SHIFT
    const sizeClass = this.pageClass[page] as number
    const units = classUnits[sizeClass] as number
    const chunk = this.chunks[reference >>> CHUNK_SHIFT] as Buffer
    const offset = (reference & CHUNK_MASK) << UNIT_SHIFT
    const next = this.pageFirstFree[page] as number
    chunk[offset] = next
    chunk[offset + 1] = next >>> 8
    this.pageFirstFree[page] = ((reference & PAGE_MASK) / units + 1) | 0
    const used = (this.pageUsed[page] as number) - 1
    this.pageUsed[page] = used
    this.classUsed[sizeClass]!--
    this.usedBytes -= units << UNIT_SHIFT
    if (page === this.evacuating) return
    if (used + 1 === blocksPerPage[sizeClass]) this.link(sizeClass, page)
    if (used === 0 && (this.classPages[sizeClass] as number) > 1) {
      this.unlink(sizeClass, page)
      this.releasePage(sizeClass, page)
    }
  }

  /** How many bytes fit into the block. */
  capacity(reference: number): number {
    return (classUnits[this.pageClass[reference >>> PAGE_SHIFT] as number] as number) << UNIT_SHIFT
  }

  /**
   * One step towards giving memory back: empties a page of a class that needs at most three quarters of its pages, or,
   * when a fifth of all pages is free, a page of the emptiest chunk. `move` must move the block that it is given:
   * allocate another and free this one. False when there is nothing to gain.
   */
  evacuate(move: (reference: number) => void): boolean {
    const sizeClass = this.wastefulClass()
    if (sizeClass >= 0) {
      this.evacuatePage(this.sparsestPage(sizeClass), move)
      return true
    }
    if (this.draining < 0) this.startDraining()
    if (this.draining < 0) return false
    this.drain(move)
    return true
  }

  private evacuatePage(page: number, move: (reference: number) => void): void {
    const sizeClass = this.pageClass[page] as number
    if ((this.pageUsed[page] as number) < (blocksPerPage[sizeClass] as number)) this.unlink(sizeClass, page)
    this.evacuating = page
    const units = classUnits[sizeClass] as number
    const isFree = this.freeBlocks(page, units)
    for (let block = 0; block < (this.pageTouched[page] as number); block++) {
      if (isFree[block] === 0) move((page << PAGE_SHIFT) + block * units)
    }
    this.evacuating = -1
    this.releasePage(sizeClass, page)
  }

  /**
   * Chooses the emptiest chunk, if the free pages of the others can take what it holds, and takes its free pages away.
   */
  private startDraining(): void {
    // A first chunk that has not grown to its size is small already.
    const first = this.pageCount >= PAGES_PER_CHUNK ? 0 : 1
    let free = 0
    let emptiest = -1
    for (let chunk = first; chunk < this.chunks.length; chunk++) {
      const here = this.freePagesInChunk[chunk] as number
      free += here
      if (here > 0 && here < PAGES_PER_CHUNK && here > (this.freePagesInChunk[emptiest] ?? 0)) emptiest = chunk
    }
    const pages = (this.chunks.length - this.freeChunks.length) * PAGES_PER_CHUNK
    if (emptiest < 0 || free * 5 < pages || free <= PAGES_PER_CHUNK) return
    this.draining = emptiest
    for (let page = emptiest * PAGES_PER_CHUNK; page < (emptiest + 1) * PAGES_PER_CHUNK; page++) {
      if (this.pageClass[page] === FREE_PAGE) this.unlink(FREE_PAGE, page)
    }
  }

  private drain(move: (reference: number) => void): void {
    const chunk = this.draining
    for (let page = chunk * PAGES_PER_CHUNK; page < (chunk + 1) * PAGES_PER_CHUNK; page++) {
      if (this.pageClass[page] === FREE_PAGE) continue
      this.evacuatePage(page, move)
      return
    }
    this.draining = -1
    this.dropChunk(chunk)
  }

  private freeBlocks(page: number, units: number): Uint8Array {
    const isFree = new Uint8Array(PAGE_UNITS)
    for (let free = this.pageFirstFree[page] as number; free > 0; ) {
      isFree[free - 1] = 1
      const reference = (page << PAGE_SHIFT) + (free - 1) * units
      const chunk = this.chunks[reference >>> CHUNK_SHIFT] as Buffer
      const offset = (reference & CHUNK_MASK) << UNIT_SHIFT
      free = (chunk[offset] as number) | ((chunk[offset + 1] as number) << 8)
    }
    return isFree
  }

  /** A class whose blocks would fit into three quarters of its pages, at least one page less; −1 for none. */
  private wastefulClass(): number {
    for (let sizeClass = 0; sizeClass < classUnits.length; sizeClass++) {
      const pages = this.classPages[sizeClass] as number
      if (pages < 2) continue
      const needed = Math.ceil((this.classUsed[sizeClass] as number) / (blocksPerPage[sizeClass] as number))
      if (needed < pages && needed <= pages * 0.75) return sizeClass
    }
    return -1
  }

  /** The emptiest of the first pages with free blocks. */
  private sparsestPage(sizeClass: number): number {
    let best = this.firstPage[sizeClass] as number
    let page = best
    for (let seen = 0; page >= 0 && seen < 32; seen++) {
      if ((this.pageUsed[page] as number) < (this.pageUsed[best] as number)) best = page
      page = this.pageNext[page] as number
    }
    return best
  }

  private takePage(sizeClass: number): number {
    let page = this.firstPage[FREE_PAGE] as number
    if (page < 0) {
      this.addPages()
      page = this.firstPage[FREE_PAGE] as number
    }
    this.unlink(FREE_PAGE, page)
    const chunk = page >>> (CHUNK_SHIFT - PAGE_SHIFT)
    if (this.freePagesInChunk[chunk] === PAGES_PER_CHUNK) this.emptyChunks--
    this.freePagesInChunk[chunk]!--
    this.pageClass[page] = sizeClass
    this.pageUsed[page] = 0
    this.pageTouched[page] = 0
    this.pageFirstFree[page] = 0
    this.classPages[sizeClass]!++
    this.link(sizeClass, page)
    return page
  }

  private releasePage(sizeClass: number, page: number): void {
    this.classPages[sizeClass]!--
    this.pageClass[page] = FREE_PAGE
    const chunk = page >>> (CHUNK_SHIFT - PAGE_SHIFT)
    this.freePagesInChunk[chunk]!++
    if (chunk === this.draining) return
    this.link(FREE_PAGE, page)
    if (this.freePagesInChunk[chunk] !== PAGES_PER_CHUNK) return
    // One empty chunk is kept, so that a size swinging around a limit does not make and drop it again and again.
    this.emptyChunks++
    if (this.emptyChunks === 1) return
    this.emptyChunks--
    const first = chunk * PAGES_PER_CHUNK
    for (let other = first; other < first + PAGES_PER_CHUNK; other++) this.unlink(FREE_PAGE, other)
    this.dropChunk(chunk)
  }

  /** Its pages must be in no list. */
  private dropChunk(chunk: number): void {
    this.chunks[chunk] = NO_MEMORY
    this.freePagesInChunk[chunk] = 0
    this.freeChunks.push(chunk)
  }

  /** The first chunk grows by doubling, so that a small arena is small; others come whole. */
  private addPages(): void {
    if (this.pageCount < PAGES_PER_CHUNK) {
      const pages = Math.max(1, this.pageCount)
      const grown = Buffer.allocUnsafeSlow((this.pageCount + pages) * PAGE_BYTES)
      this.chunks[0]?.copy(grown)
      this.chunks[0] = grown
      this.addFreePages(0, this.pageCount, pages)
      this.pageCount += pages
      return
    }
    const chunk = this.freeChunks.pop() ?? this.chunks.length
    if (chunk >= this.maxChunks) throw new RangeError('the arena is full: 16 GiB')
    this.chunks[chunk] = Buffer.allocUnsafeSlow(CHUNK_BYTES)
    this.addFreePages(chunk, chunk * PAGES_PER_CHUNK, PAGES_PER_CHUNK)
    this.pageCount = Math.max(this.pageCount, (chunk + 1) * PAGES_PER_CHUNK)
    this.emptyChunks++
  }

  private addFreePages(chunk: number, first: number, count: number): void {
    this.reservePages(first + count)
    this.freePagesInChunk[chunk] = (this.freePagesInChunk[chunk] ?? 0) + count
    for (let page = first + count - 1; page >= first; page--) {
      this.pageClass[page] = FREE_PAGE
      this.link(FREE_PAGE, page)
    }
  }

  private reservePages(count: number): void {
    if (count <= this.pageClass.length) return
    const length = Math.max(count, this.pageClass.length * 2)
    this.pageClass = copyInto(new Uint8Array(length), this.pageClass)
    this.pageUsed = copyInto(new Uint16Array(length), this.pageUsed)
    this.pageTouched = copyInto(new Uint16Array(length), this.pageTouched)
    this.pageFirstFree = copyInto(new Uint16Array(length), this.pageFirstFree)
    this.pageNext = copyInto(new Int32Array(length), this.pageNext)
    this.pagePrevious = copyInto(new Int32Array(length), this.pagePrevious)
  }

  private link(list: number, page: number): void {
    const first = this.firstPage[list] as number
    this.pageNext[page] = first
    this.pagePrevious[page] = -1
    if (first >= 0) this.pagePrevious[first] = page
    this.firstPage[list] = page
  }

  private unlink(list: number, page: number): void {
    const next = this.pageNext[page] as number
    const previous = this.pagePrevious[page] as number
    if (previous >= 0) this.pageNext[previous] = next
    else this.firstPage[list] = next
    if (next >= 0) this.pagePrevious[next] = previous
  }
}

const NO_MEMORY = Buffer.alloc(0)

function copyInto<T extends Uint8Array | Uint16Array | Int32Array>(grown: T, old: T): T {
  grown.set(old)
  return grown
}
