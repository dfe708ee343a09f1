/** Settings of aggregates for tests without a server: Redis's defaults, and a seed that everybody knows. */
import type { AggregateSettings } from '../aggregate-settings.ts'

export const testSettings: AggregateSettings = {
  hashSeed: [1, 2],
  plainFromBytes: 2 ** 30,
  limits: {
    'hash-max-listpack-entries': 512,
    'hash-max-listpack-value': 64,
    'list-compress-depth': 0,
    'list-max-listpack-size': -2,
    'set-max-intset-entries': 512,
    'stream-node-max-bytes': 4096,
    'stream-node-max-entries': 100,
    'zset-max-listpack-entries': 128,
    'zset-max-listpack-value': 64,
  },
}
