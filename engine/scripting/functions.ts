/**
 * Function libraries: what FUNCTION LOAD registers and FCALL runs.
 *
 * A library is a text that is run once, when it is loaded, and that only registers functions then: it sees nothing but
 * `redis.register_function`, `redis.log` and constants. The functions it registers see what scripts see, without KEYS
 * and ARGV, which they get as arguments. All libraries live in one Lua machine. A set of libraries changes as a whole
 * or not at all, so a load goes into a set of its own, which is then joined with the current one.
 */
import type { Arguments } from '../commands/arguments.ts'
import type { Context } from '../commands/context.ts'
import { splitWords } from '../resp/inline-words.ts'
import type { RunningServer } from '../server/running-server.ts'
import { LuaType, REGISTRY } from './lua-api.ts'
import type { LuaMachine } from './lua-machine.ts'
import { RedisLibrary } from './redis-library.ts'
import { parseFlags, type ScriptFlags } from './script-run.ts'
import { readKeyCount, type Scripting } from './scripting.ts'

const BAD_NAME =
  'Library names can only contain letters, numbers, or underscores(_) and must be at least one character long'
const LOAD_TIMEOUT_US = 500_000

export interface LibraryFunction {
  readonly name: string
  readonly description: string | undefined
  readonly flags: ScriptFlags
  /** Registry reference. */
  readonly reference: number
}

export interface Library {
  readonly name: string
  readonly source: Buffer
  readonly functions: Map<string, LibraryFunction>
}

/** Complete errors are made of these by the commands (`ERR …`). */
export class LibraryError extends Error {}

export class FunctionLibraries {
  /** By name. */
  libraries = new Map<string, Library>()
  private readonly server: RunningServer
  private readonly scripting: Scripting
  private functionMachine: LuaMachine | undefined = undefined
  /** The library that is being loaded. */
  private loading: Library | undefined = undefined
  private loadingSinceUs = 0

  constructor(server: RunningServer) {
    this.server = server
    this.scripting = server.scripting
  }

  get functionCount(): number {
    let count = 0
    for (const { functions } of this.libraries.values()) count += functions.size
    return count
  }

  get machineBytes(): number {
    return this.functionMachine?.memoryBytes ?? 0
  }

  /** What the libraries themselves hold: sources and entries. */
  get cacheBytes(): number {
    let sum = 0
    for (const { source, functions } of this.libraries.values()) sum += source.length + 200 * (1 + functions.size)
    return sum
  }

  private get machine(): LuaMachine {
    if (this.functionMachine === undefined) {
      const machine = this.scripting.newMachine('function', (made) => {
        const redis = new RedisLibrary(this.scripting, made)
        redis.install({})
        const register = { register_function: (L: number) => this.register(made, redis, L) }
        made.sandbox.restrictedGlobals = redis.makeLoadingGlobals(register)
      })
      const { onHook } = machine.coroutines
      machine.coroutines.onHook = (L) => (this.loading === undefined ? onHook(L) : this.checkLoadTime(machine, L))
      this.functionMachine = machine
    }
    return this.functionMachine
  }

  private checkLoadTime({ program }: LuaMachine, L: number): boolean {
    const { clock } = this.server.io
    this.scripting.chargeHook()
    if (!this.server.loading && clock.monotonicUs() - this.loadingSinceUs > LOAD_TIMEOUT_US) {
      program.raise(L, 'ERR FUNCTION LOAD timeout')
    }
    return false
  }

  // ---- changes

  /** Loads a library; answers its name. @throws LibraryError, and nothing has changed */
  load(source: Buffer, replace: boolean): string {
    const { name, code } = parseLibrary(source)
    if (this.libraries.has(name) && !replace) throw new LibraryError(`Library '${name}' already exists`)
    const library = this.run({ name, source, functions: new Map() }, code)
    this.join([library], replace)
    return name
  }

  /** Loads libraries of a dump. `flush`: they take the place of all that there are. @throws LibraryError */
  restore(sources: readonly Buffer[], policy: 'append' | 'replace' | 'flush'): void {
    const loaded: Library[] = []
    try {
      for (const source of sources) {
        const { name, code } = parseLibrary(source)
        if (loaded.some((library) => library.name === name)) throw new LibraryError(`Library '${name}' already exists`)
        const library = this.run({ name, source, functions: new Map() }, code)
        loaded.push(library)
        this.refuseTwins(library, loaded.slice(0, -1))
      }
      if (policy !== 'flush') {
        this.join(loaded, policy === 'replace')
        return
      }
    } catch (error) {
      for (const library of loaded) this.release(library)
      throw error
    }
    for (const library of this.libraries.values()) this.release(library)
    this.libraries = new Map(loaded.map((library) => [library.name, library]))
  }

  /** Adds libraries to the current ones. @throws LibraryError when names collide */
  private join(added: readonly Library[], replace: boolean): void {
    const names = new Set(added.map(({ name }) => name))
    for (const { name } of added) {
      if (this.libraries.has(name) && !replace) throw new LibraryError(`Library ${name} already exists`)
    }
    const staying = [...this.libraries.values()].filter(({ name }) => !names.has(name))
    for (const library of added) {
      try {
        this.refuseTwins(library, staying)
      } catch (error) {
        if (added.length === 1) this.release(library)
        throw error
      }
    }
    for (const library of added) {
      const old = this.libraries.get(library.name)
      if (old !== undefined) this.release(old)
      this.libraries.set(library.name, library)
    }
  }

  private refuseTwins(library: Library, others: readonly Library[]): void {
    for (const name of library.functions.keys()) {
      if (others.some(({ functions }) => functions.has(name))) throw new LibraryError(`Function ${name} already exists`)
    }
  }

  private release(library: Library): void {
    const { api, L } = this.machine
    for (const { reference } of library.functions.values()) api.luaL_unref(L, REGISTRY, reference)
    library.functions.clear()
  }

  /** False when there is no such library. */
  remove(name: string): boolean {
    const library = this.libraries.get(name)
    if (library === undefined) return false
    this.release(library)
    return this.libraries.delete(name)
  }

  flush(): void {
    this.libraries.clear()
    this.functionMachine = undefined
  }

  /** Makes the machine anew, with the same libraries. */
  reload(): void {
    const sources = [...this.libraries.values()].map(({ source }) => source)
    this.flush()
    this.restore(sources, 'flush')
  }

  // ---- loading

  /** Runs a library's text, which registers its functions. */
  private run(library: Library, code: Buffer): Library {
    const { machine } = this
    const { program, api, coroutines } = machine
    const thread = coroutines.thread()
    if (program.load(thread, code, '@user_function') !== 0) {
      const message = program.textAt(thread, -1) ?? ''
      api.lua_settop(thread, 0)
      throw new LibraryError(`Error compiling function: ${message}`)
    }
    this.loading = library
    this.loadingSinceUs = this.server.io.clock.monotonicUs()
    machine.sandbox.restrictGlobals(true)
    const outcome = coroutines.start(0)
    machine.sandbox.restrictGlobals(false)
    this.loading = undefined
    if (outcome === 'done') {
      api.lua_settop(thread, 0)
      if (library.functions.size === 0) throw new LibraryError('No functions registered')
      return library
    }
    const message = loadError(machine, thread)
    coroutines.abandon()
    this.release(library)
    throw new LibraryError(`Error registering functions: ${message}`)
  }

  private register({ program, api }: LuaMachine, redis: RedisLibrary, L: number): number {
    const { loading } = this
    const fail = (message: string): never => redis.raise(L, message)
    if (loading === undefined) return fail('redis.register_function can only be called on FUNCTION LOAD command')
    const count = api.lua_gettop(L)
    if (count < 1 || count > 2) return fail('wrong number of arguments to redis.register_function')
    const named = count === 1
    if (named && api.lua_type(L, 1) !== LuaType.table) {
      return fail(
        'calling redis.register_function with a single argument is only applicable to Lua table (representing named arguments).',
      )
    }
    let name: string | undefined
    let description: string | undefined
    let flags: ScriptFlags | undefined = parseFlags([], () => {})
    let reference: number | undefined
    if (!named) {
      name = program.textAt(L, 1)
      if (name === undefined) return fail('first argument to redis.register_function must be a string')
      if (api.lua_type(L, 2) !== LuaType.function) {
        return fail('second argument to redis.register_function must be a function')
      }
      reference = api.luaL_ref(L, REGISTRY)
    } else {
      api.lua_pushnil(L)
      while (api.lua_next(L, 1) !== 0) {
        const key = api.lua_type(L, -2) === LuaType.string ? program.textAt(L, -2)?.toLowerCase() : undefined
        if (key === 'function_name') {
          name = program.textAt(L, -1)
          if (name === undefined)
            return fail('function_name argument given to redis.register_function must be a string')
        } else if (key === 'description') {
          description = program.textAt(L, -1)
          if (description === undefined) {
            return fail('description argument given to redis.register_function must be a string')
          }
        } else if (key === 'callback') {
          if (api.lua_type(L, -1) !== LuaType.function) {
            return fail('callback argument given to redis.register_function must be a function')
          }
          reference = api.luaL_ref(L, REGISTRY)
          continue
        } else if (key === 'flags') {
          if (api.lua_type(L, -1) !== LuaType.table) {
            return fail('flags argument to redis.register_function must be a table representing function flags')
          }
          flags = readFlags({ program, api }, L)
          if (flags === undefined) return fail('unknown flag given')
        } else {
          return fail('unknown argument given to redis.register_function')
        }
        api.lua_settop(L, -2)
      }
      if (name === undefined) return fail('redis.register_function must get a function name argument')
      if (reference === undefined) return fail('redis.register_function must get a callback argument')
    }
    if (!isName(name)) return fail(BAD_NAME)
    if (loading.functions.has(name)) return fail('Function already exists in the library')
    loading.functions.set(name, { name, description, flags: flags as ScriptFlags, reference })
    return 0
  }

  // ---- calls

  private find(name: string): LibraryFunction | undefined {
    for (const { functions } of this.libraries.values()) {
      const found = functions.get(name)
      if (found !== undefined) return found
    }
    return undefined
  }

  flagsOf(name: string): ScriptFlags | undefined {
    return this.find(name)?.flags
  }

  /** FCALL and FCALL_RO. */
  call(context: Context, args: Arguments, isReadOnly: boolean): void {
    const found = this.find(args.latin1(1))
    if (found === undefined) {
      context.reply.error('ERR Function not found')
      return
    }
    const keyCount = readKeyCount(args, context.reply, 'ERR Bad number of keys provided')
    if (keyCount === undefined) return
    const { name, reference, flags } = found
    const what = { kind: 'function' as const, name, machine: this.machine, reference, flags }
    this.scripting.run(context, args, what, keyCount, isReadOnly)
  }
}

function isName(name: string): boolean {
  return /^[A-Za-z0-9_]+$/.test(name)
}

/** Name and code of a library, whose first line is `#!lua name=…`. @throws LibraryError */
function parseLibrary(source: Buffer): { name: string; code: Buffer } {
  if (source[0] !== 35 || source[1] !== 33) throw new LibraryError('Missing library metadata')
  const end = source.indexOf(10)
  if (end < 0) throw new LibraryError('Invalid library metadata')
  const words = splitWords(source.toString('latin1', 0, end))
  if (words === undefined || words.length === 0) throw new LibraryError('Invalid library metadata')
  let name: string | undefined
  for (const word of words.slice(1)) {
    if (!word.toLowerCase().startsWith('name=')) throw new LibraryError(`Invalid metadata value given: ${word}`)
    if (name !== undefined) throw new LibraryError('Invalid metadata value, name argument was given multiple times')
    name = word.slice('name='.length)
  }
  if (name === undefined) throw new LibraryError('Library name was not given')
  if (!isName(name)) throw new LibraryError(BAD_NAME)
  const engine = (words[0] as string).slice(2)
  if (engine.toLowerCase() !== 'lua') throw new LibraryError(`Engine '${engine}' not found`)
  return { name, code: source.subarray(end) }
}

/** The flags in the table on top of the stack, up to its first nil; undefined when one is unknown. */
function readFlags({ program, api }: Pick<LuaMachine, 'program' | 'api'>, L: number): ScriptFlags | undefined {
  const words: string[] = []
  for (let i = 1; ; i++) {
    api.lua_rawgeti(L, -1, i)
    const type = api.lua_type(L, -1)
    const word = program.textAt(L, -1)
    api.lua_settop(L, -2)
    if (type === LuaType.nil) return parseFlags(words, () => {})
    if (word === undefined) return undefined
    words.push(word)
  }
}

/** The text of the error on top of the stack. */
function loadError({ program, api }: LuaMachine, L: number): string {
  if (api.lua_type(L, -1) === LuaType.table) {
    program.pushText(L, 'err')
    api.lua_rawget(L, -2)
    return program.textAt(L, -1) ?? 'ERR unknown error'
  }
  const text = program.textAt(L, -1) ?? 'unknown error'
  return text.startsWith('ERR ') ? text : `ERR ${text}`
}
