/**
 * XGROUP and XACK: consumer groups as such, and what they are done with. XSETID too, which sets a stream's own history.
 */
import { UNKNOWN_READ } from '../data/stream-group.ts'
import { StreamId } from '../data/stream-id.ts'
import { type Entry, NO_ENTRY } from '../store/keyspace-port.ts'
import { StreamValue } from '../store/stream-value.ts'
import type { Arguments } from './arguments.ts'
import { type Command, oneKey } from './command.ts'
import type { Context } from './context.ts'
import { errors } from './errors.ts'
import { replyHelp } from './help.ts'
import { numberArgument } from './number-argument.ts'
import { findGroup, isOtherType, readId, readIdOrEnd, streamAt } from './stream-lookup.ts'
import { addConsumer } from './stream-propagation.ts'

const KEY_MISSING =
  'ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.'

// ————— XGROUP

interface GroupOptions {
  makeStream: boolean
  entriesRead: number
}

/** Options from argument 5 on. Undefined after an error was answered. */
function readGroupOptions(context: Context, args: Arguments, mayMake: boolean): GroupOptions | undefined {
  const options = { makeStream: false, entriesRead: UNKNOWN_READ }
  for (let i = 5; i < args.count; i++) {
    if (mayMake && args.is(i, 'mkstream')) options.makeStream = true
    else if (i + 1 < args.count && args.is(i, 'entriesread')) {
      options.entriesRead = numberArgument(context, args, ++i)
      if (Number.isNaN(options.entriesRead)) return undefined
      if (options.entriesRead < UNKNOWN_READ) {
        context.reply.error('ERR value for ENTRIESREAD must be positive or -1')
        return undefined
      }
    } else return refuseSyntax(context, args)
  }
  return options
}

function refuseSyntax(context: Context, args: Arguments): undefined {
  const [name, subcommand] = [args.latin1(0).toUpperCase(), args.latin1(1)]
  context.reply.error(`ERR unknown subcommand or wrong number of arguments for '${subcommand}'. Try ${name} HELP.`)
  return undefined
}

/** The stream of argument 2. NO_ENTRY after an error was answered. */
function requireStream(context: Context): Entry {
  const entry = context.lookupWrite(2)
  if (entry === NO_ENTRY) context.reply.error(KEY_MISSING)
  return isOtherType(context, entry) ? NO_ENTRY : entry
}

/** Stream and group of arguments 2 and 3. Undefined after an error was answered. */
function requireGroup(context: Context, args: Arguments) {
  const entry = requireStream(context)
  if (entry === NO_ENTRY) return undefined
  const value = streamAt(context, entry)
  const group = value.group(args.view(3))
  if (group !== undefined) return { entry, value, group }
  context.reply.error(`NOGROUP No such consumer group '${args.cString(3)}' for key name '${args.cString(2)}'`)
  return undefined
}

function xgroupCreate(context: Context, args: Arguments): void {
  const { db, reply } = context
  const options = readGroupOptions(context, args, true)
  if (options === undefined) return
  let entry = options.makeStream ? context.lookupWrite(2) : requireStream(context)
  if (entry === NO_ENTRY && !options.makeStream) return
  if (options.makeStream && isOtherType(context, entry)) return
  if (args.count > 8) {
    refuseSyntax(context, args)
    return
  }
  const isLast = args.is(4, '$')
  const given = isLast ? undefined : readId(context, args, 4)
  if (!isLast && given === undefined) return
  if (entry === NO_ENTRY) {
    entry = db.setAggregate(args.memory, args.start(2), args.end(2), new StreamValue())
    context.created(2)
    context.server.keyTouched(db, args.copy(2))
  } else db.willChange(entry)
  const value = streamAt(context, entry)
  const group = value.addGroup(args.copy(3), given ?? value.stream.lastId, options.entriesRead)
  db.changed(entry)
  if (group === undefined) {
    reply.error('BUSYGROUP Consumer Group name already exists')
    return
  }
  reply.ok()
  context.dirty(1)
  context.notify('stream', 'xgroup-create', args.copy(2))
}

function xgroupSetid(context: Context, args: Arguments): void {
  const options = readGroupOptions(context, args, false)
  if (options === undefined) return
  const found = requireGroup(context, args)
  if (found === undefined) return
  const { entry, value, group } = found
  const id = args.is(4, '$') ? value.stream.lastId : readIdOrEnd(context, args, 4)
  if (id === undefined) return
  context.db.willChange(entry)
  group.lastId = id
  group.entriesRead = options.entriesRead
  context.reply.ok()
  context.dirty(1)
  context.notify('stream', 'xgroup-setid', args.copy(2))
}

function xgroupDestroy(context: Context, args: Arguments): void {
  const { db, reply } = context
  const entry = requireStream(context)
  if (entry === NO_ENTRY) return
  const value = streamAt(context, entry)
  const group = value.group(args.view(3))
  if (group === undefined) {
    reply.integer(0)
    return
  }
  db.willChange(entry)
  value.removeGroup(group)
  db.changed(entry)
  reply.integer(1)
  context.dirty(1)
  const key = args.copy(2)
  context.notify('stream', 'xgroup-destroy', key)
  // Those who wait in the group learn that it has gone.
  context.server.blockedKeys.touch(db, key)
}

function xgroupCreateconsumer(context: Context, args: Arguments): void {
  const found = requireGroup(context, args)
  if (found === undefined) return
  const { entry, group } = found
  const name = args.copy(4)
  if (group.consumer(name) !== undefined) {
    context.reply.integer(0)
    return
  }
  context.db.willChange(entry)
  addConsumer(context, args.copy(2), group, name)
  context.db.changed(entry)
  context.reply.integer(1)
}

function xgroupDelconsumer(context: Context, args: Arguments): void {
  const found = requireGroup(context, args)
  if (found === undefined) return
  const { entry, group } = found
  const consumer = group.consumer(args.view(4))
  if (consumer === undefined) {
    context.reply.integer(0)
    return
  }
  context.db.willChange(entry)
  const pending = consumer.pending.size
  group.removeConsumer(consumer)
  context.db.changed(entry)
  context.dirty(1)
  context.notify('stream', 'xgroup-delconsumer', args.copy(2))
  context.reply.integer(pending)
}

function xgroupHelp({ reply }: Context): void {
  replyHelp(reply, 'XGROUP', [
    'CREATE <key> <groupname> <id|$> [option]',
    '    Create a new consumer group. Options are:',
    '    * MKSTREAM',
    '      Create the empty stream if it does not exist.',
    '    * ENTRIESREAD entries_read',
    "      Set the group's entries_read counter (internal use).",
    'CREATECONSUMER <key> <groupname> <consumer>',
    '    Create a new consumer in the specified group.',
    'DELCONSUMER <key> <groupname> <consumer>',
    '    Remove the specified consumer.',
    'DESTROY <key> <groupname>',
    '    Remove the specified group.',
    'SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]',
    '    Set the current group ID and entries_read counter.',
  ])
}

// ————— XACK

function xack(context: Context, args: Arguments): void {
  const { db, reply } = context
  const found = findGroup(context, args)
  if (found === null) return
  if (found === undefined) {
    reply.integer(0)
    return
  }
  const { entry, group } = found
  const ids: StreamId[] = []
  for (let i = 3; i < args.count; i++) {
    const id = readId(context, args, i)
    if (id === undefined) return
    ids.push(id)
  }
  let acknowledged = 0
  for (const id of ids) {
    const pending = group.pending.find(id)
    if (pending === undefined) continue
    if (acknowledged === 0) db.willChange(entry)
    group.remove(pending)
    acknowledged++
  }
  if (acknowledged > 0) db.changed(entry)
  context.dirty(acknowledged)
  reply.integer(acknowledged)
}

// ————— XSETID

/** Options from argument 3 on. */
function readHistory(context: Context, args: Arguments, id: StreamId) {
  let entriesAdded: number | undefined
  let maxDeletedId = new StreamId()
  const refuse = (message: string): undefined => {
    context.reply.error(message)
    return undefined
  }
  for (let i = 3; i < args.count; i += 2) {
    if (i + 1 < args.count && args.is(i, 'entriesadded')) {
      entriesAdded = numberArgument(context, args, i + 1)
      if (Number.isNaN(entriesAdded)) return undefined
      if (entriesAdded < 0) return refuse('ERR entries_added must be positive')
    } else if (i + 1 < args.count && args.is(i, 'maxdeletedid')) {
      const read = readId(context, args, i + 1)
      if (read === undefined) return undefined
      if (id.compare(read) < 0)
        return refuse('ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id')
      maxDeletedId = read
    } else return refuse(errors.syntax)
  }
  return { entriesAdded, maxDeletedId }
}

function xsetid(context: Context, args: Arguments): void {
  const { db, reply } = context
  const id = readId(context, args, 2)
  if (id === undefined) return
  const history = readHistory(context, args, id)
  if (history === undefined) return
  const entry = context.lookupWrite(1)
  if (entry === NO_ENTRY) {
    reply.error(errors.noSuchKey)
    return
  }
  if (isOtherType(context, entry)) return
  const { stream } = streamAt(context, entry)
  const { entriesAdded, maxDeletedId } = history
  if (stream.length > 0 && id.compare(stream.lastEntryId()) < 0) {
    reply.error('ERR The ID specified in XSETID is smaller than the target stream top item')
    return
  }
  if (stream.length > 0 && entriesAdded !== undefined && stream.length > entriesAdded) {
    reply.error('ERR The entries_added specified in XSETID is smaller than the target stream length')
    return
  }
  db.willChange(entry)
  stream.lastId = id
  if (entriesAdded !== undefined) stream.entriesAdded = entriesAdded
  if (!maxDeletedId.isZero) stream.maxDeletedId = maxDeletedId
  reply.ok()
  context.dirty(1)
  context.notify('stream', 'xsetid', args.copy(1))
}

export const streamGroupCommands: readonly Command[] = [
  {
    name: 'xack',
    arity: -4,
    flags: ['write', 'fast'],
    categories: ['stream'],
    keySpecs: oneKey('RW', 'update'),
    group: 'stream',
    run: xack,
  },
  {
    name: 'xgroup',
    arity: -2,
    flags: [],
    categories: [],
    group: 'stream',
    subcommands: [
      {
        name: 'create',
        arity: -5,
        flags: ['write', 'denyoom'],
        categories: ['stream'],
        keySpecs: [{ flags: ['RW', 'insert'], begin: { index: 2 }, find: { lastKey: 0, step: 1, limit: 0 } }],
        group: 'stream',
        run: xgroupCreate,
      },
      {
        name: 'createconsumer',
        arity: 5,
        flags: ['write', 'denyoom'],
        categories: ['stream'],
        keySpecs: [{ flags: ['RW', 'insert'], begin: { index: 2 }, find: { lastKey: 0, step: 1, limit: 0 } }],
        group: 'stream',
        run: xgroupCreateconsumer,
      },
      {
        name: 'delconsumer',
        arity: 5,
        flags: ['write'],
        categories: ['stream'],
        keySpecs: [{ flags: ['RW', 'delete'], begin: { index: 2 }, find: { lastKey: 0, step: 1, limit: 0 } }],
        group: 'stream',
        run: xgroupDelconsumer,
      },
      {
        name: 'setid',
        arity: -5,
        flags: ['write'],
        categories: ['stream'],
        keySpecs: [{ flags: ['RW', 'update'], begin: { index: 2 }, find: { lastKey: 0, step: 1, limit: 0 } }],
        group: 'stream',
        run: xgroupSetid,
      },
      {
        name: 'destroy',
        arity: 4,
        flags: ['write'],
        categories: ['stream'],
        keySpecs: [{ flags: ['RW', 'delete'], begin: { index: 2 }, find: { lastKey: 0, step: 1, limit: 0 } }],
        group: 'stream',
        run: xgroupDestroy,
      },
      {
        name: 'help',
        arity: 2,
        flags: ['loading', 'stale'],
        categories: ['stream'],
        group: 'stream',
        run: xgroupHelp,
      },
    ],
  },
  {
    name: 'xsetid',
    arity: -3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['stream'],
    keySpecs: oneKey('RW', 'update'),
    group: 'stream',
    run: xsetid,
  },
]
