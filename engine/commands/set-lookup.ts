/** Look-ups of sets for their commands, and what becomes of a set that was changed. */
import { type Entry, NO_ENTRY, ValueType } from '../store/keyspace-port.ts'
import { SetValue } from '../store/set-value.ts'
import type { Context } from './context.ts'
import { errors } from './errors.ts'

/** The set at `entry`; undefined when there is none, `'other'` after a type error was answered. */
export function setAt(context: Context, entry: Entry): SetValue | undefined | 'other' {
  if (entry === NO_ENTRY) return undefined
  if (context.db.type(entry) === ValueType.set) return context.db.aggregate(entry) as SetValue
  context.reply.error(errors.wrongType)
  return 'other'
}

/** Makes the key at argument `keyIndex`, which does not exist, an empty set, to be filled at once. */
export function createSet(context: Context, keyIndex: number): { entry: Entry; value: SetValue } {
  const { args, db, server } = context
  const value = SetValue.empty(server.aggregateSettings)
  const entry = db.setAggregate(args.memory, args.start(keyIndex), args.end(keyIndex), value)
  context.created(keyIndex)
  return { entry, value }
}

/** After members were removed: accounts for it, or removes the key when nothing is left. True in the latter case. */
export function settle(context: Context, entry: Entry, size: number): boolean {
  if (size > 0) context.db.changed(entry)
  else context.db.remove(entry)
  return size === 0
}
