/**
 * DEBUG: what tests and client libraries use of it. It needs `enable-debug-command`. The larger ones have files of
 * their own; those that turn something off or on set a switch of `server/debug-switches.ts`.
 */
import { viewOf } from '../cluster/cluster.ts'
import { globMatch } from '../data/glob.ts'
import { PLAIN_FROM_BYTES } from '../data/quicklist.ts'
import { parseMemory } from '../server/config-kinds.ts'
import { NO_ENTRY } from '../store/keyspace-port.ts'
import { Arguments } from './arguments.ts'
import type { Command } from './command.ts'
import type { Context } from './context.ts'
import { debugAssert, debugOutOfMemory, debugPanic, debugRestart, debugSegfault } from './debug-crash.ts'
import { debugDigest, debugDigestValue } from './debug-digest.ts'
import { debugHelpLines } from './debug-help.ts'
import { debugListpack, debugObject, debugQuicklist, debugSdslen, debugTable, debugTableOfKey } from './debug-object.ts'
import { debugProtocol } from './debug-protocol.ts'
import { debugLoadLog, debugReload } from './debug-reload.ts'
import { replyHelp } from './help.ts'
import { numberArgument } from './number-argument.ts'

/** How many words there must be at least and at most. */
type Subcommand = readonly [least: number, most: number, run: (context: Context, args: Arguments) => void]

/** C's atoi: leading digits, else 0. */
function leadingInteger(text: string): number {
  return Number(/^\s*[+-]?\d+/.exec(text)?.[0] ?? 0)
}

type SwitchName = 'cronPaused' | 'allowsDeniedInScripts' | 'skipsChecksums'

/** A subcommand that sets a switch, and answers OK. */
function sets(name: SwitchName): (context: Context, args: Arguments) => void {
  return ({ reply, server }, args) => {
    server.debug[name] = leadingInteger(args.latin1(2)) !== 0
    reply.ok()
  }
}

function setActiveExpire({ reply, server }: Context, args: Arguments): void {
  server.activeExpiry = leadingInteger(args.latin1(2)) !== 0
  reply.ok()
}

function error({ reply }: Context, args: Arguments): void {
  reply.error(args.latin1(2))
}

function log({ reply, server }: Context, args: Arguments): void {
  server.log.warning(`DEBUG LOG: ${args.utf8(2)}`)
  reply.ok()
}

function sleep({ reply, server }: Context, args: Arguments): void {
  const seconds = Number.parseFloat(args.latin1(2))
  if (seconds > 0) {
    server.io.host.sleep(Math.floor(seconds * 1e6))
    server.refreshClock()
  }
  reply.ok()
}

const notPositive = 'ERR value is out of range, must be positive'

/** Strings `key:0`, `key:1` …, where there is none yet. Replicas do not hear of them. */
function populate(context: Context, args: Arguments): void {
  const { db, reply, server } = context
  const count = numberArgument(context, args, 2, notPositive)
  if (Number.isNaN(count)) return
  const bytes = args.count === 5 ? numberArgument(context, args, 4, notPositive) : 0
  if (Number.isNaN(bytes)) return
  if (count < 0 || bytes < 0) {
    reply.error(notPositive)
    return
  }
  const prefix = args.count >= 4 ? args.latin1(3) : 'key'
  for (let i = 0; i < count; i++) {
    const key = Buffer.from(`${prefix}:${i}`, 'latin1')
    if (db.findKey(key) !== NO_ENTRY) continue
    const text = Buffer.from(`value:${i}`)
    const value = bytes === 0 ? text : Buffer.alloc(bytes)
    if (bytes > 0) text.copy(value)
    db.setPlainText(key, 0, key.length, value, 0, value.length)
    server.keyTouched(db, key)
  }
  reply.ok()
}

const PACKED_BYTES_MAX = 2 ** 32

function packedThreshold({ reply, server }: Context, args: Arguments): void {
  const bytes = parseMemory(args.latin1(2))
  if (bytes === undefined || bytes > PACKED_BYTES_MAX) {
    reply.error('ERR argument must be a memory value bigger than 1 and smaller than 4gb')
    return
  }
  server.aggregateSettings.plainFromBytes = bytes === 0n ? PLAIN_FROM_BYTES : Number(bytes)
  reply.ok()
}

function aofFlushSleep({ reply, server }: Context, args: Arguments): void {
  server.debug.aofFlushSleepUs = Math.max(0, leadingInteger(args.latin1(2)))
  reply.ok()
}

/**
 * Buffers for replies grow and shrink with what is in them, at once: nothing here waits for a time or can be turned
 * off.
 */
function replyBuffer(context: Context, args: Arguments): void {
  const { reply } = context
  if (args.is(2, 'peak-reset-time')) {
    const isWord = args.is(3, 'never') || args.is(3, 'reset')
    if (!isWord && Number.isNaN(numberArgument(context, args, 3))) return
  } else if (!args.is(2, 'resizing')) {
    refuse(context, args)
    return
  }
  reply.ok()
}

/** The words go to the replicas as they are, and this server does not run them. */
function replicate({ reply, server }: Context, args: Arguments): void {
  const words = Array.from({ length: args.count - 2 }, (_, i) => args.copy(i + 2))
  const index = server.replication.position()?.databaseIndex ?? 0
  server.replication.feed(index, Arguments.of(words))
  reply.ok()
}

function changeReplicationId({ reply, server }: Context): void {
  server.log.warning('Changing replication IDs after receiving DEBUG change-repl-id')
  server.replication.changeId()
  reply.ok()
}

function clusterLink(context: Context, args: Arguments): void {
  const { reply, server } = context
  if (!args.is(2, 'kill')) {
    refuse(context, args)
    return
  }
  const view = viewOf(server.cluster)
  const node = view?.lookup(args.latin1(4))
  const direction = args.latin1(3).toLowerCase()
  if (view === undefined) reply.error('ERR Debug option only available for cluster mode enabled setup!')
  else if (node === undefined) reply.error(`ERR Unknown node ${args.latin1(4)}`)
  else if (!['to', 'from', 'all'].includes(direction)) reply.error(`ERR Unknown direction ${args.latin1(3)}`)
  else {
    if (direction !== 'to') node.inboundLink?.close()
    if (direction !== 'from') node.link?.close()
    reply.ok()
  }
}

function dropPackets(context: Context, args: Arguments): void {
  const type = numberArgument(context, args, 2)
  if (Number.isNaN(type)) return
  const view = viewOf(context.server.cluster)
  if (view !== undefined) view.droppedType = type
  context.reply.ok()
}

function rewriteAll({ reply, server }: Context): void {
  const failure = server.config.rewrite(true)
  if (failure === undefined) reply.ok()
  else reply.error(`ERR CONFIG-REWRITE-FORCE-ALL failed: ${server.config.filePath ? failure : 'Bad address'}`)
}

/** There is no allocator with settings of its own. */
function mallocControl({ reply }: Context): void {
  reply.error('ERR No such file or directory')
}

function leak({ reply, server }: Context, args: Arguments): void {
  server.debug.leaks.push(args.copy(2))
  reply.ok()
}

function clientEviction({ reply, server }: Context): void {
  const report = server.clientMemory.describe()
  if (report === undefined) reply.error('ERR maxmemory-clients is disabled.')
  else reply.verbatim('txt', report)
}

/** Sizes of Redis's structures in C, which some tests print. */
function structureSizes({ reply }: Context): void {
  reply.text('bits:64 robj:16 dictentry:24 sdshdr5:1 sdshdr8:3 sdshdr16:5 sdshdr32:9 sdshdr64:17 ')
}

const GLOB_ROUNDS = 100_000
const GLOB_BYTES_MAX = 32

/** Patterns and texts of random bytes: matching must come to an end whatever they are. */
function matchRandomPatterns({ reply, server }: Context): void {
  const { random } = server.io
  const draw = (): Buffer => {
    const bytes = Buffer.alloc(random.below(GLOB_BYTES_MAX))
    random.fill(bytes)
    return bytes.map((byte) => byte & 127) as Buffer
  }
  for (let round = 0; round < GLOB_ROUNDS; round++) globMatch(draw(), draw())
  reply.simple('Apparently Redis did not crash: test passed')
}

function refuse({ reply }: Context, args: Arguments): void {
  const name = args.latin1(1).slice(0, 128)
  reply.error(`ERR unknown subcommand or wrong number of arguments for '${name}'. Try DEBUG HELP.`)
}

const ANY = Number.MAX_SAFE_INTEGER

const subcommands = new Map<string, Subcommand>([
  ['aof-flush-sleep', [3, 3, aofFlushSleep]],
  ['assert', [2, ANY, debugAssert]],
  ['change-repl-id', [2, 2, changeReplicationId]],
  ['client-eviction', [2, 2, clientEviction]],
  ['clusterlink', [5, 5, clusterLink]],
  ['config-rewrite-force-all', [2, 2, rewriteAll]],
  ['crash-and-recover', [2, ANY, debugRestart]],
  ['digest', [2, 2, debugDigest]],
  ['digest-value', [2, ANY, debugDigestValue]],
  ['drop-cluster-packet-filter', [3, 3, dropPackets]],
  ['error', [3, 3, error]],
  ['help', [2, 2, ({ reply }) => replyHelp(reply, 'DEBUG', debugHelpLines)]],
  ['htstats', [3, 3, debugTable]],
  ['htstats-key', [3, 3, debugTableOfKey]],
  ['leak', [3, 3, leak]],
  ['listpack', [3, 3, debugListpack]],
  ['log', [3, 3, log]],
  ['mallctl', [3, ANY, mallocControl]],
  ['mallctl-str', [3, ANY, mallocControl]],
  ['object', [3, 3, debugObject]],
  ['oom', [2, ANY, debugOutOfMemory]],
  ['panic', [2, ANY, debugPanic]],
  ['pause-cron', [3, 3, sets('cronPaused')]],
  ['populate', [3, 5, populate]],
  ['protocol', [3, 3, debugProtocol]],
  ['quicklist', [3, 4, debugQuicklist]],
  ['quicklist-packed-threshold', [3, 3, packedThreshold]],
  ['loadaof', [2, 2, debugLoadLog]],
  ['reload', [2, ANY, debugReload]],
  ['replicate', [3, ANY, replicate]],
  ['replybuffer', [4, 4, replyBuffer]],
  ['restart', [2, ANY, debugRestart]],
  ['sdslen', [3, 3, debugSdslen]],
  ['segfault', [2, ANY, debugSegfault]],
  ['set-active-expire', [3, 3, setActiveExpire]],
  ['set-disable-deny-scripts', [3, 3, sets('allowsDeniedInScripts')]],
  ['set-skip-checksum-validation', [3, 3, sets('skipsChecksums')]],
  ['sleep', [3, 3, sleep]],
  ['stringmatch-test', [2, 2, matchRandomPatterns]],
  ['structsize', [2, 2, structureSizes]],
])

function debug(context: Context, args: Arguments): void {
  const subcommand = subcommands.get(args.latin1(1).toLowerCase())
  if (subcommand === undefined) {
    refuse(context, args)
    return
  }
  const [least, most, run] = subcommand
  if (args.count < least || args.count > most) refuse(context, args)
  else run(context, args)
}

export const debugCommands: readonly Command[] = [
  {
    name: 'debug',
    arity: -2,
    flags: ['admin', 'noscript', 'loading', 'stale'],
    categories: [],
    group: 'server',
    traits: ['protected'],
    run: debug,
  },
]
