/**
 * Different whole numbers by chance: for SPOP, SRANDMEMBER, ZRANDMEMBER and their kind.
 */

/**
 * `count` different whole numbers below `limit`, every choice as likely as another, in random order. Takes time and
 * room for `count`, however large the limit: a shuffle (Fisher and Yates) that remembers only the places it touched.
 * `draw(limit)` gives a whole number in [0, limit).
 */
export function sample(count: number, limit: number, draw: (limit: number) => number): number[] {
  const moved = new Map<number, number>()
  const chosen: number[] = []
  for (let i = 0; i < count; i++) {
    const place = i + draw(limit - i)
    chosen.push(moved.get(place) ?? place)
    moved.set(place, moved.get(i) ?? i)
  }
  return chosen
}
