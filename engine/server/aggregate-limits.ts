/**
 * The limits of the compact encodings, kept beside the configuration: every HSET, SADD and ZADD asks for some, and the
 * configuration is an object of so many names that V8 keeps it as a hash table.
 */
import type { AggregateLimit } from '../store/aggregate-settings.ts'
import type { Config } from './config.ts'

/** Follows CONFIG SET. */
export function aggregateLimitsOf(config: Config): Readonly<Record<AggregateLimit, number>> {
  const limits: Record<AggregateLimit, number> = {
    'hash-max-listpack-entries': 0,
    'hash-max-listpack-value': 0,
    'list-compress-depth': 0,
    'list-max-listpack-size': 0,
    'set-max-intset-entries': 0,
    'stream-node-max-bytes': 0,
    'stream-node-max-entries': 0,
    'zset-max-listpack-entries': 0,
    'zset-max-listpack-value': 0,
  }
  for (const name of Object.keys(limits) as AggregateLimit[]) {
    const follow = () => {
      limits[name] = config.values[name]
    }
    follow()
    config.onChange(name, follow)
  }
  return limits
}
