/**
 * What values that are not strings depend on beside their contents: up to which size they keep their compact form, and
 * the secret under which their tables hash. One object per server; the limits follow CONFIG SET.
 */
import type { HashSeed } from '../data/scan-table.ts'

export type AggregateLimit =
  | 'hash-max-listpack-entries'
  | 'hash-max-listpack-value'
  | 'list-compress-depth'
  | 'list-max-listpack-size'
  | 'set-max-intset-entries'
  | 'stream-node-max-bytes'
  | 'stream-node-max-entries'
  | 'zset-max-listpack-entries'
  | 'zset-max-listpack-value'

export interface AggregateSettings {
  readonly hashSeed: HashSeed
  /** By parameter name; current at any time. */
  readonly limits: Readonly<Record<AggregateLimit, number>>
  /** Elements of lists from this size on are nodes of their own. */
  plainFromBytes: number
}
