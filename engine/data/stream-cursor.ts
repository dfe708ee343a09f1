/**
 * Walks over the entries of a stream in a range of ids, in either direction.
 *
 * Values are not looked at before `sendTexts`: a walk that only counts or looks for an id steps over them. The stream
 * must not change while a cursor is in use.
 */
import { END, type Listpack, type TextSink } from './listpack.ts'
import type { BlockPlace, OrderedBlocks } from './ordered-blocks.ts'
import { StreamId } from './stream-id.ts'
import { DELETED, SAME_FIELDS, type StreamNode } from './stream-node.ts'

export class StreamCursor {
  /** Of the current entry; changes with every step. */
  readonly id = new StreamId()
  /** Of the current entry. */
  fieldCount = 0
  showsDeleted = false
  private readonly nodes: OrderedBlocks<StreamNode>
  private readonly start: StreamId
  private readonly end: StreamId
  private readonly reverse: boolean
  private readonly place: BlockPlace
  private node: StreamNode | undefined
  /** Forward: flags of the next entry, END when the node has no more. Backward: number of elements of the next one. */
  private at = END
  /** Of the current entry. */
  private flagsAt = END
  private sameFields = false
  /** Forward: elements of the current entry from `at` on that have not been stepped over. */
  private unread = 0
  /** Forward: no entry of this node has been looked at. */
  private fresh = true
  private readonly fieldPositions: number[] = []
  private fieldsNode: StreamNode | undefined

  constructor(nodes: OrderedBlocks<StreamNode>, start: StreamId, end: StreamId, reverse: boolean) {
    this.nodes = nodes
    this.start = start
    this.end = end
    this.reverse = reverse
    this.place = nodes.floor(reverse ? end : start)
    let node = nodes.item(this.place)
    if (node === undefined && !reverse) {
      this.place = nodes.start()
      node = nodes.item(this.place)
    }
    this.enter(node)
  }

  /** Where the current entry is. */
  get current(): { node: StreamNode; flagsPosition: number } {
    return { node: this.node as StreamNode, flagsPosition: this.flagsAt }
  }

  private enter(node: StreamNode | undefined): void {
    this.node = node
    this.fresh = true
    this.unread = 0
    if (node !== undefined) this.at = this.reverse ? node.behind(this.end) : this.firstIn(node)
  }

  /** Only in the first node there can be entries before the range. */
  private firstIn(node: StreamNode): number {
    return node.id.compare(this.start) < 0 ? node.before(this.start) : node.bodyStart
  }

  /** Goes to the next entry. False when there is none. */
  next(): boolean {
    while (this.node !== undefined) {
      if (!(this.reverse ? this.stepBack() : this.step())) {
        this.enter(this.reverse ? this.nodes.retreat(this.place) : this.nodes.advance(this.place))
        continue
      }
      if (this.id.compare(this.start) < 0) {
        if (this.reverse) return false
        continue
      }
      if (this.id.compare(this.end) > 0) {
        if (!this.reverse) return false
        continue
      }
      if (this.showsDeleted || !this.isDeleted) return true
    }
    return false
  }

  /**
   * Passes over whole nodes that lie inside the range until they have at least `limit` entries; answers how many they
   * have. Forward only, and it does nothing within a node.
   */
  passNodes(limit: number): number {
    let passed = 0
    while (
      passed < limit &&
      this.node !== undefined &&
      this.fresh &&
      this.node.id.compare(this.start) >= 0 &&
      this.endsInside()
    ) {
      passed += this.node.entries
      this.enter(this.nodes.advance(this.place))
    }
    return passed
  }

  /** Whether the range goes on behind the current node. */
  private endsInside(): boolean {
    if (this.end.isMax) return true
    const after = this.nodes.advance({ ...this.place })
    return after !== undefined && after.id.compare(this.end) <= 0
  }

  private step(): boolean {
    const { pack } = this.node as StreamNode
    if (this.unread > 0) this.skip(pack)
    if (this.at === END) return false
    this.fresh = false
    this.at = this.readHead(this.at)
    this.unread = (this.sameFields ? this.fieldCount : 2 * this.fieldCount) + 1
    return true
  }

  private skip(pack: Listpack): void {
    let { at } = this
    for (let i = this.unread; i > 0; i--) at = pack.next(at)
    this.at = at
    this.unread = 0
  }

  private stepBack(): boolean {
    const node = this.node as StreamNode
    const flagsAt = node.flagsBefore(this.at)
    if (flagsAt === END) return false
    this.textsAt = this.readHead(flagsAt)
    this.at = node.pack.previous(flagsAt)
    return true
  }

  /** Backward: first value (or field) of the current entry. */
  private textsAt = END

  /** Reads flags, id and number of fields; answers where fields and values begin. */
  private readHead(position: number): number {
    const node = this.node as StreamNode
    const { pack } = node
    this.flagsAt = position
    node.readId(position, this.id)
    this.sameFields = (pack.integer(position) & SAME_FIELDS) !== 0
    const at = pack.next(pack.next(pack.next(position)))
    if (this.sameFields) {
      this.fieldCount = node.fieldCount
      return at
    }
    this.fieldCount = pack.integer(at)
    return pack.next(at)
  }

  private get isDeleted(): boolean {
    return ((this.node as StreamNode).pack.integer(this.flagsAt) & DELETED) !== 0
  }

  /** Hands over the fields and values of the current entry. At most once per entry. */
  sendTexts(sink: TextSink): void {
    const { pack } = this.node as StreamNode
    const { sameFields } = this
    let at = this.reverse ? this.textsAt : this.at
    if (sameFields) this.findFields()
    for (let i = 0; i < this.fieldCount; i++) {
      const field = pack.read(sameFields ? (this.fieldPositions[i] as number) : at)
      sink.bulk(field.memory, field.start, field.end)
      if (!sameFields) at = pack.next(at)
      const value = pack.read(at)
      sink.bulk(value.memory, value.start, value.end)
      at = pack.next(at)
    }
    if (this.reverse) return
    this.at = at
    this.unread = 1
  }

  /** Where the fields at the head of the node are. */
  private findFields(): void {
    const node = this.node as StreamNode
    if (this.fieldsNode === node) return
    this.fieldsNode = node
    let at = node.fieldsStart
    for (let i = 0; i < node.fieldCount; i++) {
      this.fieldPositions[i] = at
      at = node.pack.next(at)
    }
  }
}
