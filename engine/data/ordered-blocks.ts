/**
 * Items in the order of their ids, in blocks of bounded size: what a stream's nodes and lists of pending entries are
 * kept in, where Redis has radix trees.
 *
 *     blocks   [ a b c … ]  [ f g h … ]  [ … ]      each at most 2 × BLOCK items, none empty
 *
 * Finding is two binary searches. Inserting and removing move at most a block and, rarely, the list of blocks, which is
 * a five-hundredth of the items. New items nearly always come at the end, where a full block is left as it is instead
 * of being halved.
 */
import type { StreamId } from './stream-id.ts'

export interface Identified {
  readonly id: StreamId
}

const BLOCK = 256

/** Where an item is. Valid until the next change; `at` may move it on. */
export interface BlockPlace {
  block: number
  index: number
}

export class OrderedBlocks<Item extends Identified> {
  size = 0
  private readonly blocks: Item[][] = []

  get first(): Item | undefined {
    return this.blocks[0]?.[0]
  }

  get last(): Item | undefined {
    const block = this.blocks[this.blocks.length - 1]
    return block?.[block.length - 1]
  }

  find(id: StreamId): Item | undefined {
    const item = this.item(this.ceiling(id))
    return item !== undefined && item.id.compare(id) === 0 ? item : undefined
  }

  item(place: BlockPlace): Item | undefined {
    return this.blocks[place.block]?.[place.index]
  }

  /** Where the first item is whose id is at least `id`; behind the last when there is none. */
  ceiling(id: StreamId): BlockPlace {
    const { blocks } = this
    let low = 0
    let high = blocks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const block = blocks[middle] as Item[]
      if ((block[block.length - 1] as Item).id.compare(id) < 0) low = middle + 1
      else high = middle
    }
    return { block: low, index: low < blocks.length ? ceilingIn(blocks[low] as Item[], id) : 0 }
  }

  /** Where the last item is whose id is at most `id`; before the first when there is none. */
  floor(id: StreamId): BlockPlace {
    const place = this.ceiling(id)
    const item = this.item(place)
    if (item === undefined || item.id.compare(id) !== 0) this.retreat(place)
    return place
  }

  start(): BlockPlace {
    return { block: 0, index: 0 }
  }

  /** Moves on to the next item, which is answered; undefined behind the last. */
  advance(place: BlockPlace): Item | undefined {
    const block = this.blocks[place.block]
    if (block === undefined) return undefined
    if (++place.index === block.length) {
      place.block++
      place.index = 0
    }
    return this.item(place)
  }

  /** Moves to the item before, which is answered; undefined before the first. */
  retreat(place: BlockPlace): Item | undefined {
    if (--place.index < 0) {
      place.block--
      place.index = Math.max(0, (this.blocks[place.block]?.length ?? 0) - 1)
    }
    return this.item(place)
  }

  /** False, and nothing changed, when there is an item of that id. */
  insert(item: Item): boolean {
    const { last } = this
    if (last === undefined || last.id.compare(item.id) < 0) {
      this.append(item)
      return true
    }
    const place = this.ceiling(item.id)
    const block = this.blocks[place.block] as Item[]
    if ((block[place.index] as Item).id.compare(item.id) === 0) return false
    block.splice(place.index, 0, item)
    if (block.length > 2 * BLOCK) this.blocks.splice(place.block + 1, 0, block.splice(BLOCK))
    this.size++
    return true
  }

  private append(item: Item): void {
    const block = this.blocks[this.blocks.length - 1]
    if (block === undefined || block.length >= 2 * BLOCK) this.blocks.push([item])
    else block.push(item)
    this.size++
  }

  remove(id: StreamId): Item | undefined {
    const place = this.ceiling(id)
    const item = this.item(place)
    if (item === undefined || item.id.compare(id) !== 0) return undefined
    this.removeAt(place)
    return item
  }

  private removeAt({ block: at, index }: BlockPlace): void {
    const block = this.blocks[at] as Item[]
    if (index === 0) block.shift()
    else block.splice(index, 1)
    if (block.length === 0) this.blocks.splice(at, 1)
    else this.join(at)
    this.size--
  }

  /** Merges the block with the next one when both together are small. */
  private join(at: number): void {
    const [block, next] = [this.blocks[at] as Item[], this.blocks[at + 1]]
    if (next === undefined || block.length + next.length > BLOCK) return
    block.push(...next)
    this.blocks.splice(at + 1, 1)
  }

  *[Symbol.iterator](): Generator<Item> {
    for (const block of this.blocks) yield* block
  }
}

function ceilingIn(block: readonly Identified[], id: StreamId): number {
  let low = 0
  let high = block.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((block[middle] as Identified).id.compare(id) < 0) low = middle + 1
    else high = middle
  }
  return low
}
