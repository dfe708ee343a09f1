/**
 * The shop's ledger: what every instance did under the lock, in the order in which one server took it down. An instance
 * writes `enter` after it has the lock and `leave` before it gives it back, so holds are never longer in the ledger
 * than they were: two that overlap there did overlap.
 */

export interface LedgerCounts {
  /** Orders that were told that they have the goods. */
  sold: number
  /** Holds that began while another one lasted. */
  overlaps: number
  /** Of these: the lock of the one before had run out, or there was none. */
  overlapsByExpiry: number
  /** Of these: somebody had deleted the lock of the one before. */
  overlapsByDeletion: number
  /** Locks of others that were deleted. */
  foreignDeletions: number
}

/** Entries are `enter TOKEN`, `sold TOKEN`, `leave TOKEN` and `deleted TOKEN`, the latter with the token that went. */
export function readLedger(entries: readonly string[]): LedgerCounts {
  const rows = entries.map((entry) => entry.split(' ') as [kind: string, token: string])
  const deleted = new Set(rows.filter(([kind]) => kind === 'deleted').map(([, token]) => token))
  /** In the order of entering: the last one had the lock. */
  const inside = new Set<string>()
  const counts = { sold: 0, overlaps: 0, overlapsByExpiry: 0, overlapsByDeletion: 0, foreignDeletions: deleted.size }
  for (const [kind, token] of rows) {
    if (kind === 'sold') counts.sold++
    else if (kind === 'leave') inside.delete(token)
    else if (kind === 'enter') {
      const holder = [...inside].at(-1)
      inside.add(token)
      if (holder === undefined) continue
      counts.overlaps++
      if (deleted.has(holder)) counts.overlapsByDeletion++
      else counts.overlapsByExpiry++
    }
  }
  return counts
}
