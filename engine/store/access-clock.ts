/**
 * The 24 bits that each key keeps about its use, as in Redis: either the second of its last use (LRU), or the minute of
 * the last decay in 16 bits and a logarithmic counter of uses in 8 (LFU). One field serves both; `maxmemory-policy`
 * says which it is.
 */

const MASK = 0xffffff
const MINUTES_MASK = 0xffff

/** LRU: seconds, which wrap around after 194 days. */
export function lruClock(nowMs: number): number {
  return Math.floor(nowMs / 1000) & MASK
}

/** Seconds since `clock`, seen from `nowMs`. */
export function idleSeconds(clock: number, nowMs: number): number {
  return (lruClock(nowMs) - clock) & MASK
}

/** New keys start with some uses, so that they are not evicted at once. */
const INITIAL_USES = 5

function minutes(nowMs: number): number {
  return Math.floor(nowMs / 60_000) & MINUTES_MASK
}

/** LFU: the field of a new key. */
export function lfuClock(nowMs: number, uses = INITIAL_USES): number {
  return (minutes(nowMs) << 8) | uses
}

/**
 * The counter of uses after it has decayed by one for every `decayMinutes` (`lfu-decay-time`) since the field was
 * written.
 */
export function lfuUses(clock: number, nowMs: number, decayMinutes: number): number {
  const uses = clock & 0xff
  if (decayMinutes === 0) return uses
  const elapsedMinutes = (minutes(nowMs) - (clock >>> 8)) & MINUTES_MASK
  return Math.max(0, uses - Math.floor(elapsedMinutes / decayMinutes))
}

/**
 * The field after one more use. The counter grows ever more slowly, with a chance of 1 in (uses − 5) × `logFactor` + 1;
 * `fraction` is drawn from [0, 1).
 */
export function lfuTouched(
  clock: number,
  nowMs: number,
  decayMinutes: number,
  logFactor: number,
  fraction: number,
): number {
  const uses = lfuUses(clock, nowMs, decayMinutes)
  const base = Math.max(0, uses - INITIAL_USES)
  const grows = uses < 255 && fraction < 1 / (base * logFactor + 1)
  return lfuClock(nowMs, grows ? uses + 1 : uses)
}
