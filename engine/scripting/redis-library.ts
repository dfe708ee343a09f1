/** The `redis` table: what scripts call the server with. Texts of errors are Redis 7.0.15's. */
import { createHash } from 'node:crypto'
import { Arguments } from '../commands/arguments.ts'
import { REDIS_VERSION } from '../server/info-fields.ts'
import type { RunningServer } from '../server/running-server.ts'
import { type LuaFunction, LuaType, REGISTRY } from './lua-api.ts'
import type { LuaMachine } from './lua-machine.ts'
import type { LuaProgram } from './lua-program.ts'
import { ReplyTape } from './reply-tape.ts'
import { refuseCall, refuseUnknown } from './script-admission.ts'
import { Replicate, type ScriptRun } from './script-run.ts'

const ARGUMENT_TYPES = 'Lua redis lib command arguments must be strings or integers'
const NO_ARGUMENT = 'Please specify at least one argument for this redis lib call'
const LOG_LEVELS = ['debug', 'verbose', 'notice', 'warning'] as const

/** What the library needs of the server's scripting. */
export interface ScriptSession {
  readonly server: RunningServer
  /** Undefined: no script runs, a library is being loaded. */
  readonly running: ScriptRun | undefined
}

export class RedisLibrary {
  private readonly session: ScriptSession
  private readonly machine: LuaMachine
  private readonly program: LuaProgram
  private readonly tape: ReplyTape
  private readonly args = new Arguments()
  private memory = Buffer.allocUnsafe(FIRST_ARGUMENT_BYTES)

  constructor(session: ScriptSession, machine: LuaMachine) {
    this.session = session
    this.machine = machine
    this.program = machine.program
    this.tape = new ReplyTape((message) => {
      const { running, server } = session
      if (running !== undefined) server.countError(running.client, message)
    })
  }

  /** Functions and constants for both kinds of machine; `more` depends on the kind. */
  install(more: Readonly<Record<string, LuaFunction>>): void {
    const functions: Record<string, LuaFunction> = {
      call: (state) => this.call(state, true),
      pcall: (state) => this.call(state, false),
      log: (state) => this.log(state),
      setresp: (state) => this.setresp(state),
      sha1hex: (state) => this.sha1hex(state),
      error_reply: (state) => this.errorReply(state),
      status_reply: (state) => this.statusReply(state),
      set_repl: (state) => this.setRepl(state),
      acl_check_cmd: (state) => this.aclCheck(state),
      ...more,
    }
    const numbers = {
      ...loadingNumbers,
      REPL_NONE: Replicate.none,
      REPL_AOF: Replicate.appendOnlyFile,
      REPL_SLAVE: Replicate.replicas,
      REPL_REPLICA: Replicate.replicas,
      REPL_ALL: Replicate.all,
    }
    this.machine.addLibrary('redis', functions, () => this.setConstants(numbers))
  }

  /** Sets numbers, and the version, in the table on top of the stack. */
  private setConstants(numbers: Readonly<Record<string, number>>): void {
    const { api } = this.program
    const { L } = this.machine
    for (const [name, value] of Object.entries(numbers)) {
      this.program.pushText(L, name)
      api.lua_pushnumber(L, value)
      api.lua_rawset(L, -3)
    }
    this.program.pushText(L, 'REDIS_VERSION')
    this.program.pushText(L, REDIS_VERSION)
    api.lua_rawset(L, -3)
  }

  /**
   * The globals of a library that is being loaded: a smaller `redis`, and nothing else. Answers a registry reference.
   */
  makeLoadingGlobals(functions: Readonly<Record<string, LuaFunction>>): number {
    const { api } = this.program
    const { L, sandbox } = this.machine
    api.lua_createtable(L, 0, 1)
    this.program.pushText(L, 'redis')
    api.lua_createtable(L, 0, 8)
    sandbox.setFunctions(api.lua_gettop(L), { ...functions, log: (state) => this.log(state) })
    this.setConstants(loadingNumbers)
    sandbox.refuseMissing()
    sandbox.protect()
    api.lua_rawset(L, -3)
    sandbox.refuseMissing()
    return api.luaL_ref(L, REGISTRY)
  }

  /** Raises an error of the library, as a table. */
  raise(L: number, message: string): never {
    this.pushError(L, `ERR ${message}`)
    return this.program.raiseTop(L)
  }

  // ---- commands

  /** redis.call raises errors, redis.pcall returns them. */
  private call(L: number, raises: boolean): number {
    const { running: run, server } = this.session
    if (run === undefined) return this.fail(L, true, 'redis.call/pcall can only be called inside a script invocation')
    const problem = this.takeArguments(L)
    if (problem !== undefined) return this.fail(L, raises, problem)
    const { args, tape, program } = this
    const { dispatcher, commands } = server
    const record = commands.findFor(args)
    const refused = refuseUnknown(record, args) ?? refuseCall(server, run, record as NonNullable<typeof record>, args)
    tape.clear()
    tape.protocol = run.protocol
    if (refused !== undefined || record === undefined) {
      tape.error(refused as string)
      dispatcher.countRejection(record)
    } else {
      run.client.setProtocol(run.protocol)
      const { propagation } = server
      propagation.mayLog = server.persistence.appendOnly && (run.replicates & Replicate.appendOnlyFile) !== 0
      propagation.mayReplicate = (run.replicates & Replicate.replicas) !== 0
      dispatcher.call(run.client, record, args, tape)
      propagation.mayLog = true
      propagation.mayReplicate = true
    }
    if (this.memory.length > KEPT_ARGUMENT_BYTES) this.memory = Buffer.allocUnsafe(FIRST_ARGUMENT_BYTES)
    tape.pushTo(program, L)
    return raises && tape.isError ? program.raiseTop(L) : 1
  }

  /** An error of the library itself, as a table. */
  private fail(L: number, raises: boolean, message: string): number {
    this.pushError(L, `ERR ${message}`)
    return raises ? this.program.raiseTop(L) : 1
  }

  private pushError(L: number, message: string): void {
    const { api } = this.program
    api.lua_createtable(L, 0, 1)
    this.program.pushText(L, 'err')
    this.program.pushText(L, message)
    api.lua_rawset(L, -3)
  }

  /** Copies the stack's strings and numbers to `args`: Lua's memory may move while a command runs. */
  private takeArguments(L: number): string | undefined {
    const { args, program } = this
    const { api } = program
    const count = api.lua_gettop(L)
    if (count === 0) return NO_ARGUMENT
    args.reset(this.memory)
    let at = 0
    for (let i = 1; i <= count; i++) {
      const type = api.lua_type(L, i)
      if (type === LuaType.string) {
        const pointer = program.stringAt(L, i)
        const size = program.stringLength
        if (at + size > this.memory.length) this.growArguments(at, size)
        const { memory } = this
        const { bytes } = program
        if (size < COPY_BY_HAND) for (let j = 0; j < size; j++) memory[at + j] = bytes[pointer + j] as number
        else bytes.copy(memory, at, pointer, pointer + size)
        args.push(at, at + size)
        at += size
      } else if (type === LuaType.number) {
        const text = program.numberText(L, i)
        if (at + text.length > this.memory.length) this.growArguments(at, text.length)
        this.memory.write(text, at, 'latin1')
        args.push(at, at + text.length)
        at += text.length
      } else {
        return ARGUMENT_TYPES
      }
    }
    return undefined
  }

  private growArguments(used: number, more: number): void {
    const larger = Buffer.allocUnsafe(Math.max(this.memory.length * 2, used + more))
    this.memory.copy(larger, 0, 0, used)
    this.memory = larger
    this.args.memory = larger
  }

  private aclCheck(L: number): number {
    const { running: run, server } = this.session
    if (run === undefined)
      return this.fail(L, true, 'redis.acl_check_cmd can only be called inside a script invocation')
    const problem = this.takeArguments(L)
    if (problem !== undefined) return this.fail(L, true, problem)
    const record = server.commands.findFor(this.args)
    if (record === undefined) return this.fail(L, true, 'Invalid command passed to redis.acl_check_cmd()')
    this.program.api.lua_pushboolean(L, server.access.allows(run.caller, record, this.args) ? 1 : 0)
    return 1
  }

  // ---- replies

  private errorReply(L: number): number {
    if (!this.hasOneText(L)) return this.fail(L, false, 'wrong number or type of arguments')
    const text = this.program.textAt(L, 1) as string
    // "-CODE text" and "CODE text" are complete; one word is a text without a code.
    const bare = text.startsWith('-') ? text.slice(1) : text
    const line = bare.replace(/^[\r\n]+|[\r\n]+$/g, '')
    this.pushError(L, line.includes(' ') ? line : `ERR ${line}`)
    return 1
  }

  private statusReply(L: number): number {
    if (!this.hasOneText(L)) return this.fail(L, false, 'wrong number or type of arguments')
    const { api } = this.program
    api.lua_createtable(L, 0, 1)
    this.program.pushText(L, 'ok')
    api.lua_pushvalue(L, 1)
    api.lua_rawset(L, -3)
    return 1
  }

  private hasOneText(L: number): boolean {
    const { api } = this.program
    return api.lua_gettop(L) === 1 && api.lua_type(L, -1) === LuaType.string
  }

  // ---- the rest

  private sha1hex(L: number): number {
    if (this.program.api.lua_gettop(L) !== 1) return this.fail(L, true, 'wrong number of arguments')
    const text = this.program.copyAt(L, 1) ?? Buffer.alloc(0)
    this.program.pushText(L, createHash('sha1').update(text).digest('hex'))
    return 1
  }

  private log(L: number): number {
    const { api } = this.program
    const count = api.lua_gettop(L)
    if (count < 2) return this.fail(L, true, 'redis.log() requires two arguments or more.')
    if (api.lua_type(L, 1) !== LuaType.number) {
      return this.fail(L, true, 'First argument must be a number (log level).')
    }
    const level = LOG_LEVELS[Math.trunc(api.lua_tonumber(L, 1))]
    if (level === undefined) return this.fail(L, true, 'Invalid debug level.')
    const words = Array.from({ length: count - 1 }, (_, i) => this.program.textAt(L, i + 2)).filter(
      (word) => word !== undefined,
    )
    this.session.server.log[level](words.join(' '))
    return 0
  }

  private setresp(L: number): number {
    const { api } = this.program
    if (api.lua_gettop(L) !== 1) return this.fail(L, true, 'redis.setresp() requires one argument.')
    const protocol = Math.trunc(api.lua_tonumber(L, 1))
    if (protocol !== 2 && protocol !== 3) return this.fail(L, true, 'RESP version must be 2 or 3.')
    const run = this.session.running
    if (run === undefined) return this.fail(L, true, 'redis.setresp can only be called inside a script invocation')
    run.protocol = protocol
    return 0
  }

  private setRepl(L: number): number {
    const { api } = this.program
    if (api.lua_gettop(L) !== 1) return this.fail(L, true, 'redis.set_repl() requires two arguments.')
    const bits = Math.trunc(api.lua_tonumber(L, 1))
    if ((bits & ~Replicate.all) !== 0) {
      return this.fail(L, true, 'Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.')
    }
    const run = this.session.running
    if (run === undefined) return this.fail(L, true, 'redis.set_repl can only be called inside a script invocation')
    run.replicates = bits
    return 0
  }
}

const loadingNumbers = {
  LOG_DEBUG: 0,
  LOG_VERBOSE: 1,
  LOG_NOTICE: 2,
  LOG_WARNING: 3,
  REDIS_VERSION_NUM: REDIS_VERSION.split('.').reduce((sum, part) => sum * 256 + Number(part), 0),
}

const COPY_BY_HAND = 24
const FIRST_ARGUMENT_BYTES = 4096
const KEPT_ARGUMENT_BYTES = 1024 * 1024
