/**
 * Scripts of one server: the cache of EVAL, and how a script or function runs, is interrupted, and ends.
 *
 * A script runs at once and to its end, as in Redis, until it has taken `busy-reply-threshold`. Then it is interrupted
 * from Lua's count hook (`coroutines.ts`), and goes on in slices, as a timer, while the server handles what comes in:
 * clients get -BUSY for all but the commands that may run then. What it wants to propagate is held back until it ends,
 * so that replicas see all of it as one; so is what other clients wait for.
 *
 *     EVAL … ─▶ [ slice 1: threshold ] ┄ events ┄ [ slice ] ┄ events ┄ [ slice ] ─▶ reply, propagation, waiting clients
 *                                         └ SCRIPT KILL: the rest is forgotten
 *
 * Inside MULTI the rest of the queue waits with it (`afterScript`). A script of a client without a connection (a
 * primary's stream) cannot wait: it runs to its end.
 */
import { createHash } from 'node:crypto'
import type { Arguments } from '../commands/arguments.ts'
import type { Command } from '../commands/command.ts'
import type { Context } from '../commands/context.ts'
import { findKeys } from '../commands/key-positions.ts'
import { readInteger } from '../commands/reading.ts'
import { keyHashSlot } from '../data/crc16.ts'
import type { Timer } from '../io.ts'
import type { Reply } from '../resp/reply.ts'
import { type CommandRecord, flagBits, traitBits } from '../server/command-table.ts'
import type { ClientConnection } from '../server/connection.ts'
import type { RunningServer } from '../server/running-server.ts'
import { INSTRUCTIONS_PER_HOOK, type Outcome } from './coroutines.ts'
import { LuaType, REGISTRY } from './lua-api.ts'
import { LuaMachine } from './lua-machine.ts'
import { LuaRandom } from './lua-random.ts'
import { RedisLibrary, type ScriptSession } from './redis-library.ts'
import { refuseStart } from './script-admission.ts'
import { parseScriptHeader } from './script-header.ts'
import { ScriptReply, writeError } from './script-reply.ts'
import { Replicate, type ScriptFlags, type ScriptRun } from './script-run.ts'

/** Cluster: the slot of the keys that a script declares; the keys that it touches must be of the same. */
function declaredSlot(command: Command, args: Arguments): number | undefined {
  const [first] = findKeys(command, args) ?? []
  return first === undefined ? undefined : keyHashSlot(args.view(first))
}

/** How long a script runs between two looks at the network, once it is slow. */
const SLICE_US = 5_000
/** Times `busy-reply-threshold`. */
const OVERDUE_FACTOR = 10
/** What an instruction of Lua costs, for simulated time. */
const US_PER_INSTRUCTION = 0.01

const SHA1_DIGITS = 40
const NO_SCRIPT = 'NOSCRIPT No matching script. Please use EVAL.'

const busyTexts = {
  script: 'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
  function: 'BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.',
} as const

interface CachedScript {
  /** 40 hexadecimal digits in lower case. */
  readonly sha: string
  readonly source: Buffer
  /** Registry reference of the function. */
  readonly reference: number
  readonly flags: ScriptFlags
}

/** What to run, and its machine. */
export interface Runnable {
  readonly kind: 'script' | 'function'
  readonly name: string
  readonly machine: LuaMachine
  readonly reference: number
  readonly flags: ScriptFlags
}

export class Scripting implements ScriptSession {
  readonly server: RunningServer
  readonly random = new LuaRandom()
  running: ScriptRun | undefined = undefined
  private readonly scripts = new Map<string, CachedScript>()
  private last: CachedScript | undefined = undefined
  private scriptMachine: LuaMachine | undefined = undefined
  private scriptClient: ClientConnection | undefined = undefined
  /** A script is slow and runs in slices. */
  private isSuspended = false
  private sliceStartedUs = 0
  private nextSlice: Timer | undefined = undefined
  private held: ClientConnection[] = []
  private afterwards: (() => void)[] = []

  constructor(server: RunningServer) {
    this.server = server
  }

  // ---- the cache

  private get machine(): LuaMachine {
    this.scriptMachine ??= this.newMachine('script', (machine) => {
      new RedisLibrary(this, machine).install({
        replicate_commands: (L) => {
          machine.api.lua_pushboolean(L, 1)
          return 1
        },
        breakpoint: (L) => {
          machine.api.lua_pushboolean(L, 0)
          return 1
        },
        debug: () => 0,
      })
    })
    return this.scriptMachine
  }

  /** A machine whose scripts are interrupted when they are slow. */
  newMachine(kind: ScriptRun['kind'], redisLibrary: (machine: LuaMachine) => void): LuaMachine {
    const machine = new LuaMachine(this.server.io.host.luaProgram(), this.random, kind, redisLibrary)
    machine.coroutines.onHook = () => this.isDue()
    machine.coroutines.isOverdue = () => this.isOverdue()
    return machine
  }

  get scriptCount(): number {
    return this.scripts.size
  }

  get machineBytes(): number {
    return this.scriptMachine?.memoryBytes ?? 0
  }

  /** What the cache itself holds: sources and entries. */
  get cacheBytes(): number {
    let sum = 0
    for (const { source } of this.scripts.values()) sum += source.length + BYTES_PER_SCRIPT
    return sum
  }

  /** The SHA1 of a script after it was compiled and kept; or the error. */
  load(source: Buffer): { sha: string } | { error: string } {
    const sha = createHash('sha1').update(source).digest('hex')
    if (this.scripts.has(sha)) return { sha }
    const header = parseScriptHeader(source)
    if (typeof header === 'string') return { error: header }
    const { program, api, L } = this.machine
    const failed = program.load(L, header.code, '@user_script') !== 0
    if (failed) {
      const message = program.textAt(L, -1) ?? ''
      api.lua_settop(L, -2)
      return { error: `ERR Error compiling script (new function): ${message}` }
    }
    this.scripts.set(sha, { sha, source, reference: api.luaL_ref(L, REGISTRY), flags: header.flags })
    return { sha }
  }

  /** The script whose SHA1 is argument 1. One is called again and again: the last one is known by its bytes. */
  private cached(args: Arguments): CachedScript | undefined {
    const { last } = this
    if (last !== undefined && args.is(1, last.sha)) return last
    const found = this.scripts.get(args.latin1(1).toLowerCase())
    if (found !== undefined) this.last = found
    return found
  }

  has(sha: string): boolean {
    return this.scripts.has(sha.toLowerCase())
  }

  flush(): void {
    this.scripts.clear()
    this.last = undefined
    this.scriptMachine = undefined
  }

  // ---- EVAL

  /** EVAL and its kin. `keyCount` and what follows are checked here. */
  evaluate(context: Context, args: Arguments, options: { bySha: boolean; isReadOnly: boolean }): void {
    const { reply } = context
    if (options.bySha && args.length(1) !== SHA1_DIGITS) {
      reply.error(NO_SCRIPT)
      return
    }
    const keyCount = readKeyCount(args, reply)
    if (keyCount === undefined) return
    let sha: string
    if (options.bySha) {
      const script = this.cached(args)
      if (script === undefined) {
        reply.error(NO_SCRIPT)
        return
      }
      sha = script.sha
    } else {
      const loaded = this.load(args.copy(1))
      if ('error' in loaded) {
        reply.error(loaded.error)
        return
      }
      sha = loaded.sha
    }
    const { reference, flags } = this.scripts.get(sha) as CachedScript
    const runnable: Runnable = { kind: 'script', name: sha, machine: this.machine, reference, flags }
    this.run(context, args, runnable, keyCount, options.isReadOnly)
  }

  /** The flags of a command that runs a script: the script's own, where it declares some. */
  declaredBits(record: CommandRecord, args: Arguments): number {
    const flags = this.flagsOf(record, args)
    if (flags === undefined || flags.compatible) return record.bits
    let bits = record.bits & ~(flagBits.stale | flagBits.denyoom | flagBits.write | traitBits.mayReplicate)
    if (!flags.noWrites) bits |= flagBits.write
    if (!flags.noWrites && !flags.allowOom) bits |= flagBits.denyoom
    if (flags.allowStale) bits |= flagBits.stale
    return bits
  }

  private flagsOf({ command }: CommandRecord, args: Arguments): ScriptFlags | undefined {
    if (command.name.startsWith('fcall')) return this.server.functions.flagsOf(args.latin1(1))
    if (command.name.startsWith('evalsha')) return this.cached(args)?.flags
    const header = args.memory[args.start(1)] === 35 ? parseScriptHeader(args.view(1)) : undefined
    return typeof header === 'string' ? undefined : header?.flags
  }

  // ---- running

  /** Runs a script or function with the keys and arguments from index 3 on, and replies. */
  run(context: Context, args: Arguments, what: Runnable, keyCount: number, isReadOnlyCommand: boolean): void {
    const { server } = this
    const caller = context.client as ClientConnection
    if (!server.monitors.isEmpty) server.monitors.feed(caller, caller.databaseIndex, args, [])
    const refused = refuseStart(server, caller, what.flags, isReadOnlyCommand)
    if (refused !== undefined) {
      context.reply.error(refused)
      return
    }
    const client = this.clientFor(caller)
    const startedUs = server.io.clock.monotonicUs()
    this.sliceStartedUs = startedUs
    const run: ScriptRun = {
      kind: what.kind,
      name: what.name,
      machine: what.machine,
      flags: what.flags,
      isReadOnly: isReadOnlyCommand || what.flags.noWrites,
      caller,
      record: server.commands.recordOf(context.command),
      args,
      client,
      startedUs,
      nowMs: server.nowMs,
      hasWritten: false,
      replicates: Replicate.all,
      protocol: 2,
      slot: server.cluster === undefined ? undefined : declaredSlot(context.command, args),
    }
    this.running = run
    const { machine } = what
    const thread = machine.coroutines.thread()
    machine.api.lua_rawgeti(thread, REGISTRY, what.reference)
    pushWords(machine, thread, args, 3, 3 + keyCount)
    if (what.kind === 'script') machine.setArguments(thread, 'KEYS')
    pushWords(machine, thread, args, 3 + keyCount, args.count)
    if (what.kind === 'script') machine.setArguments(thread, 'ARGV')
    const outcome = this.attempt(run, () => machine.coroutines.start(what.kind === 'script' ? 0 : 2))
    if (outcome === 'interrupted') this.suspend(run, context.reply)
    else this.end(run, outcome, context.reply)
  }

  /** Scripts run as a client of their own, with the caller's database. */
  private clientFor(caller: ClientConnection): ClientConnection {
    this.scriptClient ??= this.server.createInternalClient('normal')
    const client = this.scriptClient
    client.kind = caller.kind === 'primary' ? 'primary' : 'normal'
    client.databaseIndex = caller.databaseIndex
    return client
  }

  /** A failure of the machine itself (JavaScript's stack, WebAssembly's traps) ends the script and the machine. */
  private attempt(run: ScriptRun, body: () => Outcome): Outcome | 'broken' {
    const { propagation } = this.server
    const { depth } = propagation
    try {
      return body()
    } catch (error) {
      if (!(error instanceof RangeError) && !isTrap(error)) throw error
      propagation.depth = depth
      this.server.log.warning(`Script ${run.name} has broken the Lua machine: ${(error as Error).message}`)
      return 'broken'
    }
  }

  private end(run: ScriptRun, outcome: Outcome | 'broken', reply: Reply): void {
    const { machine } = run
    const { coroutines, api } = machine
    this.running = undefined
    if (outcome === 'broken') {
      reply.error(`ERR Error running script ${run.name}, stack overflow`)
      this.discard(machine)
      return
    }
    const thread = coroutines.thread()
    if (outcome === 'done') {
      if (api.lua_gettop(thread) === 0) reply.nil()
      else {
        api.lua_settop(thread, 1)
        new ScriptReply(run, thread, reply).writeTop()
      }
      api.lua_settop(thread, 0)
    } else {
      this.replyError(run, reply)
      coroutines.abandon()
    }
  }

  private discard(machine: LuaMachine): void {
    if (machine === this.scriptMachine) this.flush()
    else this.server.functions.reload()
  }

  /** The error on top of the thread, with the place where it was raised. */
  private replyError({ machine, name, record }: ScriptRun, reply: Reply): void {
    const { api, program, coroutines } = machine
    const thread = coroutines.thread()
    const place = coroutines.errorPlace()
    const where = place === undefined ? '' : ` script: ${name}, on ${place.source}:${place.line}.`
    if (api.lua_type(thread, -1) !== LuaType.table) {
      const text = errorText(machine, thread)
      if (text === 'not enough memory') reply.error(`ERR Error running script ${name}, ${text}`)
      else reply.error(`ERR ${text}${where}`)
      return
    }
    program.pushText(thread, 'ignore_error_stats_update')
    api.lua_gettable(thread, -2)
    const isCounted = api.lua_toboolean(thread, -1) !== 0
    api.lua_settop(thread, -2)
    program.pushText(thread, 'err')
    api.lua_gettable(thread, -2)
    const message = program.textAt(thread, -1)
    writeError(reply, `${message ?? 'ERR unknown error'}${where}`, isCounted, record)
  }

  // ---- slow scripts

  /** Called from Lua's hook: whether the script should be interrupted now. */
  private isDue(): boolean {
    const { server, running } = this
    const { clock } = server.io
    this.chargeHook()
    if (running === undefined || running.caller.connection === undefined) return false
    const thresholdMs = Number(server.config.values['busy-reply-threshold'])
    if (thresholdMs <= 0) return false
    const nowUs = clock.monotonicUs()
    return nowUs - running.startedUs >= thresholdMs * 1000 && nowUs - this.sliceStartedUs >= SLICE_US
  }

  /** The same where it cannot be interrupted: nobody can be told BUSY meanwhile, so that has to end some time. */
  private isOverdue(): boolean {
    const { clock } = this.server.io
    const limitMs = Number(this.server.config.values['busy-reply-threshold']) * OVERDUE_FACTOR
    return clock.monotonicUs() - this.sliceStartedUs >= limitMs * 1000
  }

  /** Tells simulated time what was computed since the last look. */
  chargeHook(): void {
    this.server.io.host.computed?.(INSTRUCTIONS_PER_HOOK * US_PER_INSTRUCTION)
  }

  /** The complete error that a command gets which must not run beside a slow script. */
  get busyText(): string | undefined {
    return this.isSuspended && this.running !== undefined ? busyTexts[this.running.kind] : undefined
  }

  private suspend(run: ScriptRun, reply: Reply): void {
    const { server } = this
    if (!this.isSuspended) {
      this.isSuspended = true
      const elapsedMs = Math.floor((server.io.clock.monotonicUs() - run.startedUs) / 1000)
      const command = run.kind === 'script' ? 'SCRIPT KILL' : 'FUNCTION KILL'
      server.log.warning(
        `Slow script detected: still in execution after ${elapsedMs} milliseconds. You can try killing the script using the ${command} command. Script name is: ${run.name}.`,
      )
      run.args = run.args.clone()
      // Nothing goes out before the script has ended, see Propagation.flush.
      server.propagation.depth++
      this.held = [run.caller]
      for (const client of server.clients as Iterable<ClientConnection>) {
        if (client.kind === 'primary' && client !== run.caller) this.held.push(client)
      }
      for (const client of this.held) client.hold()
    }
    this.nextSlice = server.io.timers.after(0, () => this.proceed(run, reply))
  }

  private proceed(run: ScriptRun, reply: Reply): void {
    const { server } = this
    const { nowMs } = server
    this.sliceStartedUs = server.io.clock.monotonicUs()
    // Keys do not expire while a script runs.
    server.nowMs = run.nowMs
    const outcome = this.attempt(run, () => run.machine.coroutines.proceed())
    server.nowMs = nowMs
    if (outcome === 'interrupted') this.suspend(run, reply)
    else {
      this.end(run, outcome, reply)
      this.conclude(run)
    }
  }

  /** A slow script has ended: the rest of its transaction, then everything that was held back. */
  private conclude(run: ScriptRun): void {
    const { server } = this
    const elapsedUs = server.io.clock.monotonicUs() - run.startedUs
    server.timings.note(run.caller, run.record, run.args, elapsedUs, server.nowMs)
    const tasks = this.afterwards
    this.afterwards = []
    for (let i = 0; i < tasks.length; i++) {
      tasks[i]?.()
      if (this.running !== undefined) {
        // Another slow script of the same transaction.
        this.afterwards.push(...tasks.slice(i + 1))
        return
      }
    }
    this.isSuspended = false
    const { propagation, blockedKeys } = server
    propagation.depth--
    if (!propagation.isEmpty) propagation.flush()
    run.caller.lastWriteOffset = server.replication.offset
    if (blockedKeys.hasReady) blockedKeys.serve()
    for (const client of this.held.splice(0)) client.release()
  }

  /** The script that has just run goes on later. */
  get isSlow(): boolean {
    return this.isSuspended && this.running !== undefined
  }

  /** Runs `task` when the slow script has ended, before anything else happens: the rest of its transaction. */
  afterScript(task: () => void): void {
    this.afterwards.push(task)
  }

  /** SCRIPT KILL and FUNCTION KILL: an error, or undefined when the script was ended. */
  kill(kind: 'script' | 'function'): string | undefined {
    const run = this.running
    if (run === undefined) return 'NOTBUSY No scripts in execution right now.'
    if (run.hasWritten) {
      return 'UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.'
    }
    if (run.kind !== kind) return busyTexts[run.kind]
    const { coroutines } = run.machine
    this.nextSlice?.cancel()
    this.server.log.notice('Lua script killed by user with SCRIPT KILL.')
    const place = coroutines.interruptionPlace()
    const where = place === undefined ? '' : ` script: ${run.name}, on ${place.source}:${place.line}.`
    coroutines.abandon()
    this.running = undefined
    run.caller.reply.error(`ERR Script killed by user with SCRIPT KILL...${where}`)
    this.server.io.timers.defer(() => this.conclude(run))
    return undefined
  }

  stop(): void {
    this.nextSlice?.cancel()
  }
}

/** The number of keys, or undefined after the error was answered. */
export function readKeyCount(
  args: Arguments,
  reply: Reply,
  notANumber = 'ERR value is not an integer or out of range',
): number | undefined {
  const count = readInteger(args, 2)
  if (count === undefined) reply.error(notANumber)
  else if (count > args.count - 3) reply.error("ERR Number of keys can't be greater than number of args")
  else if (count < 0) reply.error("ERR Number of keys can't be negative")
  else return count
  return undefined
}

function pushWords(machine: LuaMachine, L: number, args: Arguments, from: number, to: number): void {
  const { api, program } = machine
  api.lua_createtable(L, to - from, 0)
  for (let i = from; i < to; i++) {
    program.pushBytes(L, args.memory, args.start(i), args.end(i))
    api.lua_rawseti(L, -2, i - from + 1)
  }
}

/** What Lua's tostring makes of an error that is no table. */
function errorText({ api, program }: LuaMachine, L: number): string {
  const type = api.lua_type(L, -1)
  if (type === LuaType.nil) return 'nil'
  if (type === LuaType.boolean) return api.lua_toboolean(L, -1) !== 0 ? 'true' : 'false'
  const address = api.lua_topointer(L, -1).toString(16)
  return program.textAt(L, -1) ?? `${type === LuaType.function ? 'function' : 'userdata'}: 0x${address}`
}

function isTrap(error: unknown): boolean {
  return error instanceof Error && error.name === 'RuntimeError'
}

const BYTES_PER_SCRIPT = 120
