/**
 * Running Lua code so that it can be interrupted at (almost) any instruction and go on later.
 *
 * Lua 5.1 can yield out of a count hook, but not across a C function that has called Lua; and `pcall` is one. So a
 * script runs in a coroutine, and `pcall`, `xpcall`, `coroutine.resume` and `coroutine.wrap` are written here: each
 * runs its function in a coroutine of its own, and when the hook has interrupted that one, it yields in turn:
 *
 *     runner ── pcall ──▶ thread 1 ── resume ──▶ thread 2 ── hook: yield
 *        ◀─ yield ── pcall ◀─ yield ── resume ◀──────┘          chain = [thread 2, thread 1]
 *
 * To go on, the innermost thread is resumed; when it ends, its results are what the C function that waits for it in
 * the next thread returns: that one is resumed with them, and so on up to the runner. Nothing is left on the stack of
 * WebAssembly or JavaScript meanwhile, so the server can do other things, and a script that must not go on is simply
 * forgotten. A script that catches every error cannot keep itself alive.
 *
 * Where C calls Lua by itself (the comparator of table.sort, the function of string.gsub, metamethods, iterators) there
 * is no way out but an error: the script runs on to the next point, and when that takes too long, it is thrown back to
 * the last one by an error that nothing catches in between. `lua_State` says where that is: `nCcalls` is above
 * `baseCcalls`.
 */
import { type LuaExports, type LuaFunction, LuaStatus, LuaType, REGISTRY, upvalue } from './lua-api.ts'
import type { LuaProgram } from './lua-program.ts'

/** Offsets in `lua_State` (lstate.h of Lua 5.1.5, 32-bit). */
const STATUS_BYTE = 6
/** Two halves: `nCcalls`, `baseCcalls`. */
const CALLS_WORD = 52
const HOOK_COUNT_WORD = 64

const C_CALLS_MAX = 200
const OVERDUE = 'Script ran for too long where it cannot be interrupted: a comparator, callback, metamethod or iterator'
const HOOK_COUNT_MASK = 8
/** Instructions between two looks at the clock: tens of microseconds. */
export const INSTRUCTIONS_PER_HOOK = 20_000

interface Started {
  thread: number
  /** What waits for the thread. */
  by: 'pcall' | 'xpcall' | 'resume' | 'wrap'
  /** xpcall: registry reference of the handler. */
  handler: number
}

export type Outcome = 'done' | 'error' | 'interrupted'

export class Coroutines {
  private readonly program: LuaProgram
  private readonly api: LuaExports
  private readonly main: number
  /**
   * Whether the running code should be interrupted now; may raise a Lua error instead. Called every so many
   * instructions.
   */
  onHook: (L: number) => boolean = () => false
  /** Whether code that cannot be interrupted has run for too long. Asked when `onHook` has said yes. */
  isOverdue: () => boolean = () => false
  private runner = 0
  private runnerReference = 0
  /** Interrupted threads, the innermost first. */
  private chain: Started[] = []
  private interrupting = false
  private interruptedAt: Place | undefined = undefined
  /** Coroutines on the stack that cannot yield now. */
  private stuck = 0
  /** An error is on its way to where the script can be interrupted. */
  private unwinding = false
  /** Threads of pcall and xpcall, with the thread that called. Scripts must not see that they are coroutines. */
  private readonly callers = new Map<number, number>()

  constructor(program: LuaProgram, main: number) {
    this.program = program
    this.api = program.api
    this.main = main
    const hook = program.addFunctions([(L) => this.hooked(L)], 'hook')
    this.api.lua_sethook(main, hook, HOOK_COUNT_MASK, INSTRUCTIONS_PER_HOOK)
  }

  /** Functions that replace those of the base library, by name. */
  get functions(): Readonly<Record<string, LuaFunction>> {
    return {
      pcall: (L) => this.pcall(L),
      xpcall: (L) => this.xpcall(L),
    }
  }

  get coroutineFunctions(): Readonly<Record<string, LuaFunction>> {
    return {
      resume: (L) => this.resumeFunction(L),
      yield: (L) => this.yieldFunction(L),
      running: (L) => this.running(L),
      status: (L) => this.statusFunction(L),
    }
  }

  /** The thread to push a function and its arguments onto, for `start`. */
  thread(): number {
    if (this.runner === 0) {
      this.runner = this.api.lua_newthread(this.main)
      this.runnerReference = this.api.luaL_ref(this.main, REGISTRY)
    }
    return this.runner
  }

  /**
   * Runs the function below `argumentCount` values on `thread()`. Results, or the error, are on its stack afterwards.
   */
  start(argumentCount: number): Outcome {
    return this.outcome(this.api.lua_resume(this.runner, argumentCount))
  }

  /** Goes on after 'interrupted'. */
  proceed(): Outcome {
    const { api } = this
    const chain = this.chain
    this.chain = []
    this.interrupting = false
    let status = api.lua_resume(chain[0]?.thread ?? this.runner, 0)
    for (let i = 0; i < chain.length; i++) {
      const started = chain[i] as Started
      if (status === LuaStatus.yielded && this.interrupting) {
        this.chain.push(...chain.slice(i))
        return 'interrupted'
      }
      const parent = chain[i + 1]?.thread ?? this.runner
      if (started.by === 'wrap' && status > LuaStatus.yielded) {
        // The error goes through the parent, which has no handler of its own: it ends as well.
        api.lua_xmove(started.thread, parent, 1)
        this.program.bytes[parent + STATUS_BYTE] = status
      } else {
        this.unwinding = false
        status = api.lua_resume(parent, this.deliver(parent, started, status))
      }
    }
    return this.outcome(status)
  }

  /** Forgets what is interrupted, and the runner with it. */
  abandon(): void {
    this.chain = []
    this.interrupting = false
    this.unwinding = false
    this.stuck = 0
    this.callers.clear()
    if (this.runner !== 0) this.api.luaL_unref(this.main, REGISTRY, this.runnerReference)
    this.runner = 0
  }

  private outcome(status: number): Outcome {
    if (status === LuaStatus.ok) return 'done'
    return status === LuaStatus.yielded ? 'interrupted' : 'error'
  }

  // ---- interruption

  private canYield(L: number): boolean {
    const calls = this.program.word(L + CALLS_WORD)
    return (calls & 0xffff) === calls >>> 16
  }

  /** Code in `L` cannot be interrupted now. */
  private isStuck(L: number): boolean {
    return this.stuck > 0 || !this.canYield(L)
  }

  private hooked(L: number): undefined {
    if (!this.onHook(L)) return
    if (this.isStuck(L)) {
      if (!this.isOverdue()) return
      this.unwinding = true
      this.program.raise(L, OVERDUE)
    }
    this.unwinding = false
    this.interrupting = true
    this.interruptedAt = this.placeIn(L, 0)
    this.api.lua_yield(L, 0)
  }

  /** Resumes a thread on behalf of a C function that runs in `L`. */
  private resume(L: number, thread: number, argumentCount: number): number {
    const { program } = this
    const stuck = this.canYield(L) ? 0 : 1
    const calls = program.word(thread + CALLS_WORD)
    program.setWord(thread + CALLS_WORD, (calls & 0xffff0000) | (program.word(L + CALLS_WORD) & 0xffff))
    // One count of instructions for all threads.
    program.setWord(thread + HOOK_COUNT_WORD, program.word(L + HOOK_COUNT_WORD))
    this.stuck += stuck
    const status = this.api.lua_resume(thread, argumentCount)
    this.stuck -= stuck
    program.setWord(L + HOOK_COUNT_WORD, program.word(thread + HOOK_COUNT_WORD))
    return status
  }

  /** After `resume`: the results for the C function that runs in `L`, or its own interruption. */
  private finish(L: number, started: Started, status: number): number {
    if (status === LuaStatus.yielded && this.interrupting) {
      this.chain.push(started)
      return this.api.lua_yield(L, 0)
    }
    if (!this.unwinding || status <= LuaStatus.yielded) return this.deliver(L, started, status)
    if (!this.isStuck(L)) {
      // Here it ends. The script is interrupted at its next instruction.
      this.unwinding = false
      this.program.setWord(L + HOOK_COUNT_WORD, 1)
      return this.deliver(L, started, status)
    }
    this.callers.delete(started.thread)
    if (started.by === 'xpcall') this.api.luaL_unref(L, REGISTRY, started.handler)
    return this.program.raise(L, OVERDUE)
  }

  /** Pushes onto `L` what the function that has started the thread returns; answers how many values. */
  private deliver(L: number, started: Started, status: number): number {
    const { api } = this
    const { thread, by, handler } = started
    this.callers.delete(thread)
    if (status > LuaStatus.yielded) {
      if (by === 'xpcall') return this.handle(L, thread, handler, status)
      api.lua_pushboolean(L, 0)
      if (by === 'pcall') this.unpackError(thread)
      api.lua_xmove(thread, L, 1)
      return 2
    }
    if (by === 'xpcall') api.luaL_unref(L, REGISTRY, handler)
    const count = api.lua_gettop(thread)
    if (api.lua_checkstack(L, count + 1) === 0) {
      api.lua_settop(thread, 0)
      return this.program.raiseHere(L, 'too many results to resume')
    }
    if (by !== 'wrap') api.lua_pushboolean(L, 1)
    api.lua_xmove(thread, L, count)
    return by === 'wrap' ? count : count + 1
  }

  /** Redis's pcall gives the text of an error that is a table of the redis library. */
  private unpackError(thread: number): void {
    const { api, program } = this
    if (api.lua_type(thread, -1) !== LuaType.table) return
    program.pushText(thread, 'err')
    api.lua_gettable(thread, -2)
    const type = api.lua_type(thread, -1)
    if (type === LuaType.string || type === LuaType.number) api.lua_replace(thread, -2)
    else api.lua_settop(thread, -2)
  }

  // ---- pcall and xpcall

  private newThread(L: number): number {
    const thread = this.api.lua_newthread(L)
    this.callers.set(thread, L)
    return thread
  }

  private tooDeep(L: number): boolean {
    return (this.program.word(L + CALLS_WORD) & 0xffff) + 1 >= C_CALLS_MAX
  }

  private pcall(L: number): number {
    const { api } = this
    const count = api.lua_gettop(L)
    if (count === 0 || this.tooDeep(L)) {
      api.lua_pushboolean(L, 0)
      this.program.pushText(L, count === 0 ? 'attempt to call a boolean value' : 'C stack overflow')
      return 2
    }
    const thread = this.newThread(L)
    api.lua_insert(L, 1)
    api.lua_checkstack(thread, count)
    api.lua_xmove(L, thread, count)
    return this.finish(L, { thread, by: 'pcall', handler: 0 }, this.resume(L, thread, count - 1))
  }

  private xpcall(L: number): number {
    const { api } = this
    api.luaL_checkany(L, 2)
    api.lua_settop(L, 2)
    if (this.tooDeep(L)) {
      api.lua_pushboolean(L, 0)
      this.program.pushText(L, 'C stack overflow')
      return 2
    }
    const handler = api.luaL_ref(L, REGISTRY)
    const thread = this.newThread(L)
    api.lua_insert(L, 1)
    api.lua_xmove(L, thread, 1)
    return this.finish(L, { thread, by: 'xpcall', handler }, this.resume(L, thread, 0))
  }

  /** The error on `thread` goes through the handler, which cannot be interrupted. */
  private handle(L: number, thread: number, handler: number, status: number): number {
    const { api } = this
    api.lua_pushboolean(L, 0)
    if (status !== LuaStatus.runError) {
      api.luaL_unref(L, REGISTRY, handler)
      api.lua_xmove(thread, L, 1)
      return 2
    }
    const handling = api.lua_newthread(L)
    api.lua_rawgeti(handling, REGISTRY, handler)
    api.luaL_unref(L, REGISTRY, handler)
    api.lua_xmove(thread, handling, 1)
    this.callers.set(handling, L)
    this.stuck++
    const failed = this.tooDeep(L) || this.resume(L, handling, 1) !== LuaStatus.ok
    this.stuck--
    this.callers.delete(handling)
    if (this.unwinding && this.isStuck(L)) return this.program.raise(L, OVERDUE)
    if (failed) {
      this.program.pushText(L, 'error in error handling')
    } else {
      api.lua_settop(handling, 1)
      api.lua_xmove(handling, L, 1)
    }
    api.lua_remove(L, -2)
    return 2
  }

  // ---- coroutines of scripts

  /** The coroutine that a script would say it is in: that of the outermost pcall around. */
  private ownerOf(L: number): number {
    let owner = L
    for (let caller = this.callers.get(owner); caller !== undefined; caller = this.callers.get(owner)) owner = caller
    return owner
  }

  private yieldFunction(L: number): number {
    if (L === this.runner || this.callers.has(L)) {
      return this.program.raise(L, 'attempt to yield across metamethod/C-call boundary')
    }
    return this.api.lua_yield(L, this.api.lua_gettop(L))
  }

  private running(L: number): number {
    const { api } = this
    const owner = this.ownerOf(L)
    if (owner === this.runner) {
      api.lua_pushnil(L)
    } else {
      api.lua_pushthread(owner)
      if (owner !== L) api.lua_xmove(owner, L, 1)
    }
    return 1
  }

  private statusOf(L: number, thread: number): 'running' | 'suspended' | 'normal' | 'dead' {
    const { api, program } = this
    if (this.ownerOf(L) === thread) return 'running'
    const status = program.bytes[thread + STATUS_BYTE]
    if (status === LuaStatus.yielded) return 'suspended'
    if (status !== LuaStatus.ok) return 'dead'
    if (api.lua_getstack(thread, 0, this.debugRecord) > 0) return 'normal'
    return api.lua_gettop(thread) === 0 ? 'dead' : 'suspended'
  }

  private statusFunction(L: number): number {
    this.program.pushText(L, this.statusOf(L, this.checkThread(L)))
    return 1
  }

  private checkThread(L: number): number {
    const thread = this.api.lua_tothread(L, 1)
    return thread === 0 ? this.program.raiseArgument(L, 1, 'coroutine expected') : thread
  }

  private resumeFunction(L: number): number {
    return this.resumeCoroutine(L, this.checkThread(L), this.api.lua_gettop(L) - 1, 'resume')
  }

  private resumeCoroutine(L: number, thread: number, count: number, by: 'resume' | 'wrap'): number {
    const { api, program } = this
    const status = this.statusOf(L, thread)
    let refused = status === 'suspended' ? undefined : `cannot resume ${status} coroutine`
    if (refused === undefined && this.tooDeep(L)) refused = 'C stack overflow'
    if (refused !== undefined) {
      if (by === 'wrap') return program.raiseHere(L, refused)
      api.lua_pushboolean(L, 0)
      program.pushText(L, refused)
      return 2
    }
    if (api.lua_checkstack(thread, count) === 0) return program.raiseHere(L, 'too many arguments to resume')
    api.lua_xmove(L, thread, count)
    const result = this.resume(L, thread, count)
    if (by === 'wrap' && result > LuaStatus.yielded) {
      // As C's auxwrap: an error's text says where the coroutine was resumed, too.
      if (api.lua_type(thread, -1) !== LuaType.string) {
        api.lua_xmove(thread, L, 1)
      } else {
        api.luaL_where(L, 1)
        api.lua_xmove(thread, L, 1)
        api.lua_concat(L, 2)
      }
      return program.raiseTop(L)
    }
    return this.finish(L, { thread, by, handler: 0 }, result)
  }

  /** The function that coroutine.wrap returns; its coroutine is the upvalue. */
  readonly wrapped: LuaFunction = (L) => {
    return this.resumeCoroutine(L, this.api.lua_tothread(L, upvalue(1)), this.api.lua_gettop(L), 'wrap')
  }

  private record = 0

  /** Room for a `lua_Debug`. */
  private get debugRecord(): number {
    if (this.record === 0) this.record = this.api.malloc(DEBUG_RECORD_BYTES)
    return this.record
  }

  /** Where the error that ended the runner was raised. */
  errorPlace(): Place | undefined {
    return this.placeIn(this.runner, 0)
  }

  /** Where the runner itself stands after 'interrupted'. */
  interruptionPlace(): Place | undefined {
    return this.chain.length === 0 ? this.interruptedAt : this.placeIn(this.runner, 0)
  }

  /**
   * The innermost Lua function from `level` of the calls on, as Redis's error handler finds it: one C function is
   * skipped.
   */
  placeIn(L: number, level: number): Place | undefined {
    const { api, program } = this
    const record = this.debugRecord
    for (const at of [level, level + 1]) {
      if (api.lua_getstack(L, at, record) === 0) return undefined
      api.lua_getinfo(L, program.constant('Sl'), record)
      if (program.cText(program.word(record + DEBUG_WHAT_WORD)) !== 'C') break
    }
    const line = program.word(record + DEBUG_LINE_WORD) | 0
    return { source: program.cText(program.word(record + DEBUG_SOURCE_WORD)), line }
  }
}

export interface Place {
  /** The name of the chunk: `@user_script`. */
  source: string
  line: number
}

/** Offsets in `lua_Debug` (lua.h), and its size. */
const DEBUG_WHAT_WORD = 12
const DEBUG_SOURCE_WORD = 16
const DEBUG_LINE_WORD = 20
const DEBUG_RECORD_BYTES = 100
