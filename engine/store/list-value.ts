/** The value of a list. */
import { Quicklist } from '../data/quicklist.ts'
import type { AggregateSettings } from './aggregate-settings.ts'
import { type Aggregate, ValueType } from './keyspace-port.ts'

const OBJECT_BYTES = 64
/** Fewer nodes, of some kilobytes each, are read at once. */
const FREEZE_FROM_NODES = 8

export class ListValue implements Aggregate {
  readonly type = ValueType.list
  /** Redis 7.0 has no other form for lists, however small. */
  readonly encoding = 'quicklist'
  readonly list: Quicklist

  constructor(list: Quicklist) {
    this.list = list
  }

  /** As the configuration wants new lists to be. */
  static empty({ limits }: AggregateSettings): ListValue {
    return new ListValue(new Quicklist(limits['list-max-listpack-size'], limits['list-compress-depth']))
  }

  get memoryBytes(): number {
    return OBJECT_BYTES + this.list.memoryBytes
  }

  get parts(): number {
    return this.list.nodeCount
  }

  freeze(): ListValue | undefined {
    return this.list.nodeCount < FREEZE_FROM_NODES ? undefined : new ListValue(this.list.freeze())
  }

  clone(): ListValue {
    return new ListValue(this.list.clone())
  }
}
