/**
 * From arguments to a command that has run: look-up, the checks that may refuse it (in Redis 7.0's order, because the
 * first one gives the error), queueing in MULTI, execution, statistics and propagation.
 *
 * No command is named here: what is special about one stands in its row, as flags and traits.
 */
import type { Arguments } from '../commands/arguments.ts'
import { errors, wrongArity } from '../commands/errors.ts'
import { findKeys } from '../commands/key-positions.ts'
import type { Clock } from '../io.ts'
import type { Reply } from '../resp/reply.ts'
import { type CommandRecord, flagBits, traitBits } from './command-table.ts'
import type { ClientConnection } from './connection.ts'
import { CommandContext, type Frame } from './context.ts'
import type { RunningServer } from './running-server.ts'
import { applyUnwritten } from './unwritten.ts'

const KEYSPACE = flagBits.write | flagBits.readonly | traitBits.mayReplicate
const WRITES = flagBits.write | traitBits.mayReplicate
const HIDDEN_FROM_MONITOR = flagBits.skip_monitor | flagBits.admin
/** Not a time of the monotonic clock, which begins at 0 or above. */
const NO_TIME = -1
/** Commands that look whether the disk can be written to. */
const DISK_MATTERS = flagBits.write | traitBits.checksDisk
const NOT_PROPAGATED = traitBits.executesTransaction

export class Dispatcher {
  private readonly server: RunningServer
  private readonly context: CommandContext
  private readonly clock: Clock
  /** Errors up to here were counted for a command already: an error inside EXEC is not one of EXEC. */
  private errorsCounted = 0
  /**
   * Monotonic time up to which commands have been timed; NO_TIME: long ago. Commands of one chunk follow each other
   * closely, so that the end of one is the start of the next: reading the clock costs as much as a short command.
   */
  private timedUs = NO_TIME

  constructor(server: RunningServer) {
    this.server = server
    this.clock = server.io.clock
    this.context = new CommandContext(server)
  }

  /** Commands follow each other from now (`nowUs`, monotonic) on, without anything in between, until `endBatch`. */
  beginBatch(nowUs: number): void {
    this.timedUs = nowUs
  }

  endBatch(): void {
    this.timedUs = NO_TIME
  }

  /** One command of a client, complete: afterwards it has been answered, queued, parked or refused. */
  process(client: ClientConnection, args: Arguments): void {
    const { reply } = client
    const before = reply.length
    const record = this.server.commands.findFor(args)
    if (record === undefined) this.reject(client, undefined, this.unknown(args))
    else if (!record.arityAllows(args.count)) this.reject(client, record, wrongArity(record.fullName))
    else this.admit(client, record, args)
    if (client.replyMode !== 'on') this.silence(client, before)
  }

  /** CLIENT REPLY OFF and SKIP: the command ran, its answer goes nowhere. */
  private silence(client: ClientConnection, before: number): void {
    if (client.replyMode === 'skipNext') {
      client.replyMode = 'skip'
    } else {
      client.reply.truncate(before)
      if (client.replyMode === 'skip') client.replyMode = 'on'
    }
  }

  private admit(client: ClientConnection, record: CommandRecord, args: Arguments): void {
    client.lastRecord = record
    const refusal = this.refusal(client, record, args)
    const { transaction, asking } = client
    // ASKING holds for the one command that has been routed now; from MULTI on until EXEC.
    client.asking = false
    if (refusal !== undefined) {
      this.reject(client, record, refusal)
      client.asking = asking && client.transaction !== undefined
      return
    }
    if (this.server.pause.active && this.isPaused(client, record, args)) {
      client.postpone(args)
      this.server.pause.wait(client)
    } else if (transaction !== undefined && !record.has(traitBits.runsInTransaction)) {
      const copy = args.clone()
      transaction.commands.push({ command: record.command, args: copy })
      transaction.bytes += copy.memory.length
      client.reply.simple('QUEUED')
    } else {
      this.call(client, record, args, client.reply)
    }
    if (asking && client.transaction !== undefined) client.asking = true
  }

  private isPaused(client: ClientConnection, record: CommandRecord, args: Arguments): boolean {
    if (client.kind === 'replica' || client.kind === 'primary') return false
    const bits = record.has(traitBits.runsScript) ? this.server.scripting.declaredBits(record, args) : record.bits
    return this.server.pause.holds((bits & WRITES) !== 0 || this.queueHas(client, record, WRITES))
  }

  /** Whether the command executes a queue that holds a command with one of these flags. */
  private queueHas(client: ClientConnection, record: CommandRecord, bits: number): boolean {
    if (!record.has(traitBits.executesTransaction) || client.transaction === undefined) return false
    return client.transaction.commands.some(({ command }) => this.server.commands.recordOf(command).has(bits))
  }

  private queueLacks(client: ClientConnection, record: CommandRecord, bit: number): boolean {
    if (!record.has(traitBits.executesTransaction) || client.transaction === undefined) return false
    return client.transaction.commands.some(({ command }) => !this.server.commands.recordOf(command).has(bit))
  }

  /** The complete error that the command gets instead of running. */
  private refusal(client: ClientConnection, record: CommandRecord, args: Arguments): string | undefined {
    const { server } = this
    if (record.has(traitBits.protected)) {
      const refused = server.protectedRefusal(client, record)
      if (refused !== undefined) return refused
    }
    const denied = server.access.refusal(client, record, args)
    if (denied !== undefined) return denied
    if (client.transaction !== undefined && record.has(flagBits.no_multi)) {
      return 'ERR Command not allowed inside a transaction'
    }
    if (client.kind === 'primary') {
      if (server.eviction.isLimited) server.eviction.makeRoom()
      if (record.has(DISK_MATTERS) || this.queueHas(client, record, flagBits.write)) {
        applyUnwritten(server, record.has(traitBits.checksDisk))
      }
      return undefined
    }
    if (server.cluster !== undefined) {
      const redirection = this.redirection(client, record, args)
      if (redirection !== undefined) return redirection
    }
    const bits = record.has(traitBits.runsScript) ? server.scripting.declaredBits(record, args) : record.bits
    if (server.eviction.isLimited && !server.eviction.makeRoom() && this.needsMemory(client, record, bits)) {
      return errors.outOfMemory
    }
    const writes = (bits & flagBits.write) !== 0 || this.queueHas(client, record, flagBits.write)
    if (writes || record.has(traitBits.checksDisk)) {
      const refused = server.persistence.writeRefusal()
      if (refused !== undefined) return refused
    }
    if (writes) {
      const refused = server.replication.writeRefusal()
      if (refused !== undefined) return refused
    }
    if (!record.has(traitBits.runsWhileSubscribed) && client.reply.protocol === 2 && client.subscribed) {
      return `ERR Can't execute '${record.fullName}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`
    }
    if ((bits & flagBits.stale) === 0 || this.queueLacks(client, record, flagBits.stale)) {
      const refused = server.replication.readRefusal()
      if (refused !== undefined) return refused
    }
    if (server.loading && (!record.has(flagBits.loading) || this.queueLacks(client, record, flagBits.loading))) {
      return errors.loading
    }
    if (!record.has(flagBits.allow_busy)) {
      const busy = server.scripting.busyText
      if (busy !== undefined) return busy
    }
    if (client.kind === 'replica' && record.has(KEYSPACE)) return "ERR Replica can't interact with the keyspace"
    return undefined
  }

  /** Of a transaction any command: queueing takes memory. EXEC needs it when a command in the queue does. */
  private needsMemory(client: ClientConnection, record: CommandRecord, bits: number): boolean {
    if ((bits & flagBits.denyoom) !== 0 || this.queueHas(client, record, flagBits.denyoom)) return true
    return client.transaction !== undefined && !record.has(traitBits.runsInTransaction)
  }

  /** Bytes of the arguments of the command that runs for the client now. */
  argumentBytesOf(client: ClientConnection): number {
    const { args, client: running } = this.context
    if (running !== client || this.server.propagation.depth === 0) return 0
    let bytes = 0
    for (let i = 0; i < args.count; i++) bytes += args.length(i)
    return bytes
  }

  private redirection(client: ClientConnection, record: CommandRecord, args: Arguments): string | undefined {
    const { cluster } = this.server
    if (cluster === undefined) return undefined
    if (record.has(traitBits.executesTransaction)) {
      const queued = client.transaction?.commands ?? []
      const commands = queued.map((one) => ({ ...one, keys: findKeys(one.command, one.args, true) ?? [] }))
      const redirection = cluster.route(client, commands)
      if (redirection !== undefined) client.discardTransaction()
      return redirection
    }
    if (!record.hasKeys) return undefined
    return cluster.route(client, [{ command: record.command, args, keys: findKeys(record.command, args, true) ?? [] }])
  }

  /** Answers an error instead of running the command; a transaction fails with it. */
  private reject(client: ClientConnection, record: CommandRecord | undefined, message: string): void {
    if (record !== undefined) record.rejectedCalls++
    if (record?.has(traitBits.executesTransaction)) {
      client.discardTransaction()
      client.reply.error(
        isRedirection(message) ? message : `EXECABORT Transaction discarded because of: ${withoutCode(message)}`,
      )
      return
    }
    if (client.transaction !== undefined) client.transaction.failed = true
    client.reply.error(message)
  }

  /**
   * Runs a command that has been admitted (or that needs no admission: inside EXEC or a script), with statistics and
   * propagation. `reply` gets the answer.
   */
  call(client: ClientConnection, record: CommandRecord, args: Arguments, reply: Reply): void {
    const { server, context, clock } = this
    const { propagation, stats } = server
    const outer = propagation.depth > 0 ? context.save() : undefined
    this.errorsCounted = stats.errorReplies
    const startUs = this.timedUs === NO_TIME ? clock.monotonicUs() : this.timedUs
    propagation.depth++
    context.begin(client, record, args, reply)
    const { run } = record
    if (run === undefined) throw new Error(`${record.fullName} is a container and cannot run`)
    run(context, args)
    const endUs = clock.monotonicUs()
    const durationUs = endUs - startUs
    if (this.timedUs !== NO_TIME) this.timedUs = endUs
    record.microseconds += durationUs
    record.calls++
    server.timings.note(client, record, args, durationUs, server.nowMs)
    stats.commandsProcessed++
    if (stats.errorReplies !== this.errorsCounted) record.failedCalls++
    this.errorsCounted = stats.errorReplies
    if (!server.monitors.isEmpty && !record.has(HIDDEN_FROM_MONITOR)) {
      const secrets = record.command.secretArguments?.(args, (name) => server.config.isSensitive(name)) ?? []
      server.monitors.feed(client, client.databaseIndex, args, secrets)
    }
    if (server.tracking.isActive) this.track(client, record, args, outer)
    this.propagate(client, record, args)
    propagation.depth--
    if (outer !== undefined) {
      context.restore(outer)
      return
    }
    // A script that goes on later.
    if (propagation.depth > 0) return
    if (!propagation.isEmpty) propagation.flush()
    client.lastWriteOffset = server.replication.offset
    if (server.blockedKeys.hasReady) server.blockedKeys.serve()
    if (server.tracking.isActive) {
      server.tracking.commandEnded(client, record.parent?.has(traitBits.keepsCaching) ?? false)
    }
  }

  /** Client-side caching. When a script reads, the client that called it is taken to read all keys it has declared. */
  private track(client: ClientConnection, record: CommandRecord, args: Arguments, outer: Frame | undefined): void {
    if (!record.has(flagBits.readonly) || record.has(flagBits.pubsub | flagBits.noscript)) return
    if (client.connection !== undefined) this.server.tracking.remember(client, record.command, args)
    else if (outer !== undefined) this.server.tracking.remember(outer.client, outer.record.command, outer.args)
  }

  /**
   * A command of the append-only log: it was admitted when it was written. Not counted, not propagated; only EXEC's
   * commands run as usual. False when there is no such command.
   */
  replay(client: ClientConnection, args: Arguments): boolean {
    const { server, context } = this
    const record = server.commands.findFor(args)
    const run = record?.command.run
    if (record === undefined || run === undefined) return false
    client.lastRecord = record
    if (!record.arityAllows(args.count)) client.reply.error(wrongArity(record.fullName))
    else if (client.transaction !== undefined && !record.has(traitBits.runsInTransaction)) {
      client.transaction.commands.push({ command: record.command, args: args.clone() })
    } else {
      const { propagation } = server
      const outer = propagation.depth > 0 ? context.save() : undefined
      propagation.depth++
      context.begin(client, record, args, client.reply)
      run(context, args)
      server.stats.changes += context.changes
      propagation.depth--
      if (outer !== undefined) context.restore(outer)
      else if (!propagation.isEmpty) propagation.flush()
    }
    return true
  }

  /** The rest of a command that was parked and can go on: `body` runs in its context, outside of any other command. */
  resume(
    client: ClientConnection,
    record: CommandRecord,
    args: Arguments,
    reply: Reply,
    body: (context: CommandContext) => void,
  ): void {
    const { server, context } = this
    const { propagation } = server
    propagation.depth++
    context.begin(client, record, args, reply)
    body(context)
    this.propagate(client, record, args)
    propagation.depth--
    if (!propagation.isEmpty) propagation.flush()
    client.lastWriteOffset = server.replication.offset
  }

  /** A script's command was refused, and the error has been counted. */
  countRejection(record: CommandRecord | undefined): void {
    if (record !== undefined) record.rejectedCalls++
    this.errorsCounted = this.server.stats.errorReplies
  }

  private propagate(client: ClientConnection, record: CommandRecord, args: Arguments): void {
    const { context, server } = this
    server.stats.changes += context.changes
    if ((context.changes === 0 && context.forced === undefined) || context.prevented || record.has(NOT_PROPAGATED))
      return
    if (server.loading) return
    const additions = context.additions
    // What was executed for a client that replicates another server's stream goes on as that server sent it.
    // What was propagated only because it had to be (PUBLISH) changes no data: replicas need it, the log does not.
    const toLog = context.changes > 0 || context.forced === 'everywhere'
    server.propagation.add(context.db.index, context.replacement ?? args, additions === undefined, toLog)
    if (additions === undefined) return
    for (const one of additions) server.propagation.add(client.databaseIndex, one, false, true)
  }

  private unknown(args: Arguments): string {
    const record = this.server.commands.findName(args.memory, args.start(0), args.end(0))
    if (record !== undefined) {
      const name = args.cString(0).toUpperCase()
      return `ERR unknown subcommand '${args.cString(1).slice(0, 128)}'. Try ${name} HELP.`
    }
    let preview = ''
    for (let i = 1; i < args.count && preview.length < 128; i++) {
      preview += `'${args.cString(i).slice(0, 128 - preview.length)}' `
    }
    return `ERR unknown command '${args.cString(0).slice(0, 128)}', with args beginning with: ${preview}`
  }
}

function isRedirection(message: string): boolean {
  return /^(MOVED|ASK|CROSSSLOT|TRYAGAIN|CLUSTERDOWN) /.test(message)
}

/** Only the general code is left out: `READONLY …` stays. */
function withoutCode(message: string): string {
  return message.startsWith('ERR ') ? message.slice(4) : message
}
