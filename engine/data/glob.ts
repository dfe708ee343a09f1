/**
 * Glob patterns as Redis matches them (KEYS, SCAN MATCH, PSUBSCRIBE, CONFIG GET, ACL): over bytes.
 *
 *     *       any bytes, also none          [abc]   one of these      [^abc]  none of these
 *     ?       one byte                      [a-z]   a range, in either order
 *     \x      x itself, also inside brackets
 *
 * Nothing but the empty pattern matches what is empty, not even stars. A bracket that is never closed ends with the
 * pattern. After a `*` that found no place for the rest, no longer prefix is tried for an earlier `*`: the first place
 * that fits the part between two stars is as good as any other, so that matching takes pattern length × subject length
 * steps at most.
 */
export function globMatch(pattern: Uint8Array, subject: Uint8Array): boolean {
  if (subject.length === 0) return pattern.length === 0
  let at = 0
  let place = 0
  let starAt = -1
  let starPlace = 0
  for (;;) {
    if (at < pattern.length && pattern[at] === STAR) {
      starAt = ++at
      starPlace = place
      continue
    }
    if (at === pattern.length && place === subject.length) return true
    if (at < pattern.length && place < subject.length && matchOne(pattern, at, subject[place] as number)) {
      at = endOfOne(pattern, at)
      place++
      continue
    }
    if (starAt < 0 || starPlace >= subject.length) return false
    at = starAt
    place = ++starPlace
  }
}

const STAR = 42
const QUESTION = 63
const OPEN = 91
const CLOSE = 93
const BACKSLASH = 92
const CARET = 94
const DASH = 45

/** Whether the pattern's element at `at` (no star) fits `byte`. */
function matchOne(pattern: Uint8Array, at: number, byte: number): boolean {
  const first = pattern[at] as number
  if (first === QUESTION) return true
  if (first === BACKSLASH && at + 1 < pattern.length) return pattern[at + 1] === byte
  if (first !== OPEN) return first === byte
  const negated = pattern[at + 1] === CARET
  const end = endOfOne(pattern, at)
  let found = false
  let i = at + (negated ? 2 : 1)
  while (i < end && !(pattern[i] === CLOSE)) {
    if (pattern[i] === BACKSLASH && i + 1 < pattern.length) {
      if (pattern[i + 1] === byte) found = true
      i += 2
    } else if (pattern[i + 1] === DASH && i + 2 < pattern.length) {
      const [one, other, own] = [signed(pattern[i] as number), signed(pattern[i + 2] as number), signed(byte)]
      if (own >= Math.min(one, other) && own <= Math.max(one, other)) found = true
      i += 3
    } else {
      if (pattern[i] === byte) found = true
      i++
    }
  }
  return found !== negated
}

/** In a range, bytes from 128 on come before all others: C's char has a sign where Redis runs most, on x86. */
function signed(byte: number): number {
  return (byte << 24) >> 24
}

/** Where the element after the one at `at` begins. */
function endOfOne(pattern: Uint8Array, at: number): number {
  const first = pattern[at] as number
  if (first === BACKSLASH && at + 1 < pattern.length) return at + 2
  if (first !== OPEN) return at + 1
  let i = at + (pattern[at + 1] === CARET ? 2 : 1)
  while (i < pattern.length && pattern[i] !== CLOSE) {
    if (pattern[i] === BACKSLASH && i + 1 < pattern.length) i += 2
    else if (pattern[i + 1] === DASH && i + 2 < pattern.length) i += 3
    else i++
  }
  return Math.min(i + 1, pattern.length)
}
