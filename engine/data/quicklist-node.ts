/**
 * A node of a quicklist: a listpack, or one huge element as it is (plain), either of them as it is or compressed.
 *
 *     raw          listpack or plain element, to be read and changed
 *     compressed   LZF of its bytes; a read unpacks a copy, which is kept for the next read; `open` makes it raw
 *
 * As in Redis, nodes of less than 48 bytes, and those that would not become more than 8 bytes shorter, stay raw.
 */
import { Listpack } from './listpack.ts'
import { compress, decompress } from './lzf.ts'

const COMPRESSED_MIN_BYTES = 48
const LEAST_GAIN_BYTES = 8

export class QuicklistNode {
  before: QuicklistNode | undefined = undefined
  after: QuicklistNode | undefined = undefined
  /** What the list's totals hold for this node. */
  countedLength = 0
  countedBytes = 0
  /** It was compressed before it was opened. */
  private wasCompressed = false
  private rawPack: Listpack | undefined
  private rawPlain: Buffer | undefined
  private lzf: Buffer | undefined = undefined
  /** Of what is compressed. */
  private unpackedCount = 0
  private unpackedBytes = 0
  readonly isPlain: boolean

  constructor(pack: Listpack | undefined, plain: Buffer | undefined, isPlain = pack === undefined) {
    this.rawPack = pack
    this.rawPlain = plain
    this.isPlain = isPlain
  }

  /** To read from; undefined in a plain node. */
  get pack(): Listpack | undefined {
    return this.lzf === undefined ? this.rawPack : this.unpacked().rawPack
  }

  /** To read from; undefined where there is a listpack. */
  get plain(): Buffer | undefined {
    return this.lzf === undefined ? this.rawPlain : this.unpacked().rawPlain
  }

  /** Elements. */
  get count(): number {
    if (this.lzf !== undefined) return this.unpackedCount
    return this.rawPack === undefined ? 1 : this.rawPack.count
  }

  /** Uncompressed. */
  get byteLength(): number {
    return this.rawPack?.byteLength ?? this.rawPlain?.length ?? this.unpackedBytes
  }

  /** What it takes in memory. */
  get heldBytes(): number {
    return this.lzf?.length ?? this.byteLength
  }

  /** The LZF stream, where it is compressed. */
  get compressed(): Buffer | undefined {
    return this.lzf
  }

  clone(): QuicklistNode {
    const copy = new QuicklistNode(this.rawPack?.clone(), this.rawPlain && Buffer.from(this.rawPlain), this.isPlain)
    // What is compressed never changes.
    copy.lzf = this.lzf
    copy.unpackedCount = this.unpackedCount
    copy.unpackedBytes = this.unpackedBytes
    return copy
  }

  /** The listpack, to be changed; undefined in a plain node. `close` must follow. */
  open(): Listpack | undefined {
    if (this.lzf !== undefined) {
      this.expand()
      this.wasCompressed = true
    }
    return this.rawPack
  }

  /** Compresses again what `open` has expanded. */
  close(): void {
    if (this.wasCompressed) this.compress()
  }

  /** Raw from now on. */
  expand(): void {
    this.wasCompressed = false
    if (this.lzf === undefined) return
    const { rawPack, rawPlain } = this.unpacked()
    forget()
    this.rawPack = rawPack
    this.rawPlain = rawPlain
    this.lzf = undefined
  }

  compress(): void {
    this.wasCompressed = false
    const size = this.byteLength
    if (this.lzf !== undefined || size < COMPRESSED_MIN_BYTES) return
    const room = size <= scratch.length ? scratch.subarray(0, size) : Buffer.allocUnsafe(size)
    const length = compress(this.rawPack?.serialized() ?? (this.rawPlain as Buffer), room)
    if (length === 0 || length + LEAST_GAIN_BYTES >= size) return
    this.unpackedCount = this.count
    this.unpackedBytes = size
    this.lzf = Buffer.allocUnsafeSlow(length)
    room.copy(this.lzf, 0, 0, length)
    this.rawPack = undefined
    this.rawPlain = undefined
  }

  /** This node as a raw one, which must not be changed. */
  private unpacked(): QuicklistNode {
    if (unpackedFrom === this.lzf && unpackedNode !== undefined) return unpackedNode
    const bytes = Buffer.allocUnsafeSlow(this.unpackedBytes)
    if (!decompress(this.lzf as Buffer, bytes)) throw new Error('a compressed node of a list does not unpack')
    unpackedFrom = this.lzf
    unpackedNode = this.isPlain
      ? new QuicklistNode(undefined, bytes)
      : new QuicklistNode(Listpack.trusted(bytes, this.unpackedCount), undefined)
    return unpackedNode
  }
}

/** The node that was read last, unpacked: neighbours are read one after the other. */
let unpackedFrom: Buffer | undefined
let unpackedNode: QuicklistNode | undefined

function forget(): void {
  unpackedFrom = undefined
  unpackedNode = undefined
}

const scratch = Buffer.allocUnsafe(65_536)
