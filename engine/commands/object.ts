/** OBJECT: how a value is kept, and when or how often it was used. Asking does not count as a use. */
import { idleSeconds, lfuUses } from '../store/access-clock.ts'
import { type Entry, NO_ENTRY, ValueType } from '../store/keyspace-port.ts'
import type { Context } from './context.ts'

/** Redis shares the objects of these integers; their reference count is the largest int. */
const SHARED_INTEGERS = 10_000
const SHARED_REFERENCES = 2_147_483_647

const ADJUST =
  'Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.'

/** The entry of argument 2; answers nil when there is none. Neither counted nor removed when expired. */
function lookup(context: Context): Entry {
  const { args, db } = context
  const entry = db.find(args.memory, args.start(2), args.end(2))
  if (entry !== NO_ENTRY) {
    const expireAtMs = db.expireAtMs(entry)
    if (expireAtMs < 0 || expireAtMs >= context.nowMs) return entry
  }
  context.reply.nil()
  return NO_ENTRY
}

export function objectEncoding(context: Context): void {
  const entry = lookup(context)
  if (entry !== NO_ENTRY) context.reply.text(context.db.encoding(entry))
}

export function objectRefcount(context: Context): void {
  const entry = lookup(context)
  if (entry === NO_ENTRY) return
  context.reply.integer(referenceCount(context, entry))
}

/** As Redis would count: everybody refers to the same small integer. */
export function referenceCount(context: Context, entry: Entry): number {
  const { db } = context
  const value = db.type(entry) === ValueType.string ? db.integer(entry) : Number.NaN
  const shared = value >= 0 && value < SHARED_INTEGERS && sharesIntegers(context)
  return shared ? SHARED_REFERENCES : 1
}

/** Objects that need a clock of their own cannot be shared. */
function sharesIntegers(context: Context): boolean {
  const { maxmemory, 'maxmemory-policy': policy } = context.server.config.values
  return maxmemory === 0 || !(policy.endsWith('lru') || policy.endsWith('lfu'))
}

function usesLfu(context: Context): boolean {
  return context.server.config.values['maxmemory-policy'].endsWith('lfu')
}

export function objectIdletime(context: Context): void {
  const entry = lookup(context)
  if (entry === NO_ENTRY) return
  if (usesLfu(context)) {
    context.reply.error(`ERR An LFU maxmemory policy is selected, idle time not tracked. ${ADJUST}`)
    return
  }
  context.reply.integer(idleSeconds(context.db.accessed(entry), context.nowMs))
}

export function objectFreq(context: Context): void {
  const entry = lookup(context)
  if (entry === NO_ENTRY) return
  if (!usesLfu(context)) {
    context.reply.error(`ERR An LFU maxmemory policy is not selected, access frequency not tracked. ${ADJUST}`)
    return
  }
  const decayMinutes = context.server.config.values['lfu-decay-time']
  context.reply.integer(lfuUses(context.db.accessed(entry), context.nowMs, decayMinutes))
}

const help = [
  'OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:',
  'ENCODING <key>',
  '    Return the kind of internal representation used in order to store the value',
  '    associated with a <key>.',
  'FREQ <key>',
  '    Return the access frequency index of the <key>. The returned integer is',
  '    proportional to the logarithm of the recent access frequency of the key.',
  'IDLETIME <key>',
  '    Return the idle time of the <key>, that is the approximated number of',
  '    seconds elapsed since the last access to the key.',
  'REFCOUNT <key>',
  '    Return the number of references of the value associated with the specified',
  '    <key>.',
  'HELP',
  '    Prints this help.',
]

export function objectHelp(context: Context): void {
  context.reply.array(help.length)
  for (const line of help) context.reply.simple(line)
}
