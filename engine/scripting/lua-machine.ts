/**
 * A Lua machine as scripts find it: sandbox, Redis's libraries, and a thread to run in. A server has one for scripts
 * and one for functions, made when first used (about a millisecond) and thrown away by FLUSH, which frees all their
 * memory.
 */
import { bitLibrary } from './bit-library.ts'
import { cjsonLibrary } from './cjson-library.ts'
import { cmsgpackLibrary } from './cmsgpack-library.ts'
import { Coroutines } from './coroutines.ts'
import { type LuaExports, type LuaFunction, LuaGc, REGISTRY, upvalue } from './lua-api.ts'
import { LuaProgram } from './lua-program.ts'
import type { LuaRandom } from './lua-random.ts'
import { Sandbox } from './sandbox.ts'
import { structLibrary } from './struct-library.ts'

/** A script that needs more gets Lua's "not enough memory". Redis has no limit of its own. */
const MEMORY_MAX_BYTES = 1024 * 1024 * 1024

export class LuaMachine {
  readonly program: LuaProgram
  readonly api: LuaExports
  readonly L: number
  readonly coroutines: Coroutines
  readonly sandbox: Sandbox
  /** Scripts and functions in it: each costs a registry entry. */
  private readonly argumentTables: readonly [keys: number, arguments: number]
  private readonly globals: number

  /** @param library pushes nothing; sets what belongs into `redis` */
  constructor(
    binary: Uint8Array,
    random: LuaRandom,
    kind: 'script' | 'function',
    redisLibrary: (machine: LuaMachine) => void,
  ) {
    this.program = new LuaProgram(binary, MEMORY_MAX_BYTES)
    this.api = this.program.api
    this.L = this.api.luaL_newstate()
    const { api, L, program } = this
    this.sandbox = new Sandbox(program, L)
    this.coroutines = new Coroutines(program, L)
    this.sandbox.openLibraries()
    this.sandbox.replaceUnsafe()
    this.sandbox.setFunctions(GLOBALS_INDEX, this.coroutines.functions)
    this.sandbox.replaceFunctions('coroutine', this.coroutines.coroutineFunctions)
    const wrapped = program.addFunctions([this.coroutines.wrapped], 'function')
    this.sandbox.replaceFunctions('coroutine', { wrap: (state) => this.wrap(state, wrapped) })
    this.sandbox.replaceFunctions('math', randomFunctions(program, random))
    this.addLibrary('bit', bitLibrary(program))
    this.addLibrary('struct', structLibrary(program))
    for (const [name, library] of [
      ['cjson', cjsonLibrary(program)],
      ['cmsgpack', cmsgpackLibrary(program)],
    ] as const) {
      this.addLibrary(name, library.functions, () => library.install(L))
    }
    if (kind === 'script') {
      this.sandbox.setFunctions(GLOBALS_INDEX, { __redis__err__handler: (state) => this.describeError(state) })
    }
    redisLibrary(this)
    // The real globals, behind the read-only view of them: KEYS and ARGV are set there.
    api.lua_pushvalue(L, GLOBALS_INDEX)
    this.globals = api.luaL_ref(L, REGISTRY)
    program.pushText(L, 'KEYS')
    program.pushText(L, 'ARGV')
    this.argumentTables = [0, 0]
    const second = api.luaL_ref(L, REGISTRY)
    this.argumentTables = [api.luaL_ref(L, REGISTRY), second]
    this.sandbox.close()
  }

  /** Makes a table of functions a global. */
  addLibrary(name: string, functions: Readonly<Record<string, LuaFunction>>, more: () => void = () => {}): void {
    const { api, L, program } = this
    program.pushText(L, name)
    api.lua_createtable(L, 0, 16)
    this.sandbox.setFunctions(api.lua_gettop(L), functions)
    more()
    api.lua_rawset(L, GLOBALS_INDEX)
  }

  private wrap(L: number, wrapped: number): number {
    const { api } = this
    api.luaL_checktype(L, 1, FUNCTION)
    if (api.lua_iscfunction(L, 1) !== 0) return this.program.raiseArgument(L, 1, 'Lua function expected')
    const thread = api.lua_newthread(L)
    api.lua_pushvalue(L, 1)
    api.lua_xmove(L, thread, 1)
    api.lua_pushcclosure(L, wrapped, 1)
    return 1
  }

  /** Sets the global KEYS or ARGV to the table on top of the stack of `L`, and pops it. */
  setArguments(L: number, which: 'KEYS' | 'ARGV'): void {
    const { api } = this
    api.lua_rawgeti(L, REGISTRY, this.globals)
    api.lua_rawgeti(L, REGISTRY, this.argumentTables[which === 'KEYS' ? 0 : 1])
    api.lua_pushvalue(L, -3)
    api.lua_rawset(L, -3)
    api.lua_settop(L, -3)
  }

  /** Redis's handler of errors, which scripts can see: makes the error a table that says where it was raised. */
  private describeError(L: number): number {
    const { api, program } = this
    const place = this.coroutines.placeIn(L, 2)
    api.lua_settop(L, 1)
    if (api.lua_type(L, 1) !== TABLE) {
      const text = program.textAt(L, 1) ?? 'nil'
      api.lua_createtable(L, 0, 3)
      program.pushText(L, 'err')
      program.pushText(L, `ERR ${text}`)
      api.lua_rawset(L, -3)
    }
    if (place === undefined) return 1
    program.pushText(L, 'source')
    program.pushText(L, place.source)
    api.lua_rawset(L, -3)
    program.pushText(L, 'line')
    api.lua_pushnumber(L, place.line)
    api.lua_rawset(L, -3)
    return 1
  }

  /** What Lua holds, in bytes (of 32-bit structures: about half of what redis-server needs). */
  get memoryBytes(): number {
    const { api, L } = this
    return api.lua_gc(L, LuaGc.kilobytes, 0) * 1024 + api.lua_gc(L, LuaGc.bytes, 0)
  }
}

const GLOBALS_INDEX = upvalue(0)
const TABLE = 5
const FUNCTION = 6

function randomFunctions(program: LuaProgram, random: LuaRandom): Readonly<Record<string, LuaFunction>> {
  const { api } = program
  return {
    random: (L) => {
      const fraction = random.fraction()
      const count = api.lua_gettop(L)
      if (count === 0) {
        api.lua_pushnumber(L, fraction)
        return 1
      }
      if (count > 2) return program.raiseHere(L, 'wrong number of arguments')
      const low = count === 1 ? 1 : toInt32(api.luaL_checknumber(L, 1))
      const high = toInt32(api.luaL_checknumber(L, count))
      if (low > high) return program.raiseArgument(L, count, 'interval is empty')
      api.lua_pushnumber(L, Math.floor(fraction * ((high - low + 1) | 0)) + low)
      return 1
    },
    randomseed: (L) => {
      random.seed(toInt32(api.luaL_checknumber(L, 1)))
      return 0
    },
  }
}

/** C's `(int)` of a `long` of a double, as x86-64 does it. */
function toInt32(value: number): number {
  return value > -(2 ** 63) && value < 2 ** 63 ? Number(BigInt.asIntN(32, BigInt(Math.trunc(value)))) : 0
}
