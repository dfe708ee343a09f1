/**
 * How values that are not strings stand in RDB files and DUMP payloads: one row per type.
 *
 * A row for writing belongs to a `ValueType` (what the keyspace holds); a row for reading to a number in the file
 * (there are many per type: old encodings stay readable for ever). A type without a row is refused with its name,
 * never dropped. To add a type: add its rows to the two tables.
 */
import type { AggregateSettings } from '../store/aggregate-settings.ts'
import { type Aggregate, ValueType } from '../store/keyspace-port.ts'
import { hashLoaders, hashWriter } from './rdb-hash.ts'
import type { RdbInput } from './rdb-input.ts'
import { listLoaders, listWriter } from './rdb-list.ts'
import type { RdbOutput } from './rdb-output.ts'
import { setLoaders, setWriter } from './rdb-set.ts'
import { sortedSetLoaders, sortedSetWriter } from './rdb-sorted-set.ts'
import { streamLoaders, streamWriter } from './rdb-stream.ts'

export interface AggregateWriter {
  /** The type number that goes before the key. */
  rdbType(value: Aggregate): number
  /**
   * Writes the value. A large one stops between its parts, each the work of some tens of elements; it must not change
   * meanwhile.
   */
  write(output: RdbOutput, value: Aggregate): Generator<void, void>
}

/**
 * Reads one value in steps, so that a large one can arrive in pieces. Each step takes one complete unit (a count, an
 * element) from the input; when its bytes are not all there the input unwinds the step, and it is repeated later. So a
 * step must change the loader only after its last read.
 */
export interface AggregateLoader {
  /** True when the value is complete. */
  step(input: RdbInput): boolean
  readonly value: Aggregate
}

export const aggregateWriters: Partial<Record<ValueType, AggregateWriter>> = {
  [ValueType.set]: setWriter,
  [ValueType.sortedSet]: sortedSetWriter,
  [ValueType.list]: listWriter,
  [ValueType.hash]: hashWriter,
  [ValueType.stream]: streamWriter,
}

export const aggregateLoaders: Record<number, ((settings: AggregateSettings) => AggregateLoader) | undefined> = {
  ...setLoaders,
  ...sortedSetLoaders,
  ...listLoaders,
  ...hashLoaders,
  ...streamLoaders,
}
