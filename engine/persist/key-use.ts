/** How a key's use travels in RDB files and RESTORE: idle seconds under an LRU policy, a counter under an LFU one. */
import type { Config } from '../server/config.ts'
import { idleSeconds, lfuClock, lfuUses, lruClock } from '../store/access-clock.ts'
import type { KeyUse } from './rdb-writer.ts'

/** What to write for a key with this access field; undefined when the policy keeps no account. */
export function keyUse(config: Config, accessed: number, nowMs: number): KeyUse | undefined {
  const policy = config.values['maxmemory-policy']
  if (policy.endsWith('lru')) return { idleSeconds: idleSeconds(accessed, nowMs) }
  if (policy.endsWith('lfu')) return { frequency: lfuUses(accessed, nowMs, config.values['lfu-decay-time']) }
  return undefined
}

/** The access field for what was read; undefined when the policy here is of the other kind. */
export function accessField(config: Config, use: KeyUse, nowMs: number): number | undefined {
  const isLfu = config.values['maxmemory-policy'].endsWith('lfu')
  if ('frequency' in use) return isLfu ? lfuClock(nowMs, use.frequency) : undefined
  return isLfu ? undefined : lruClock(nowMs - use.idleSeconds * 1000)
}
