/**
 * Look-ups that do not count as a use of the key (Redis's LOOKUP_NOTOUCH), for commands that merely ask about it.
 */
import { type Entry, NO_ENTRY } from '../store/keyspace-port.ts'
import type { Context } from './context.ts'

/** As `context.lookupRead`, but the key's LRU or LFU field stays as it was. */
export function lookupQuietly(context: Context, keyIndex: number): Entry {
  const { args, db } = context
  const before = db.find(args.memory, args.start(keyIndex), args.end(keyIndex))
  const accessed = before === NO_ENTRY ? 0 : db.accessed(before)
  const entry = context.lookupRead(keyIndex)
  if (entry !== NO_ENTRY) db.setAccessed(entry, accessed)
  return entry
}
