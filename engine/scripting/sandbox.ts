/**
 * What scripts may see: Redis 7.0.15's allow list of Lua's own functions, and tables that cannot be changed.
 *
 * Redis has patched Lua to mark tables read-only. Here a read-only table is an empty one that stands before the real
 * one: reading goes through `__index` (inside of Lua, no call), writing raises Redis's error. The few functions that
 * look at a table without its metatable (`next`, `pairs`, `rawget` …) are replaced by ones that look behind it, and
 * that call the original in their own frame, so that its error messages stay.
 *
 *     script ─▶ proxy {} ── __index ──▶ real { get = …, call = … }
 *                        ── __newindex ─▶ "Attempt to modify a readonly table"
 *
 * Numbers: C's `long` has 32 bits in WebAssembly and 64 in redis-server. `string.format` and `tonumber` are helped out
 * where that shows.
 */
import type { LuaExports, LuaFunction } from './lua-api.ts'
import { GLOBALS, LuaType, REGISTRY, upvalue } from './lua-api.ts'
import { BYTECODE, type LuaProgram } from './lua-program.ts'
import { formatIntegers } from './string-format.ts'

const READ_ONLY = 'Attempt to modify a readonly table'

const allowedGlobals = new Set([
  ...['assert', 'collectgarbage', 'error', 'gcinfo', 'getmetatable', 'ipairs', 'load', 'loadstring', 'next', 'pairs'],
  ...['rawequal', 'rawget', 'rawset', 'select', 'setmetatable', 'tonumber', 'tostring', 'type', 'unpack', '_VERSION'],
  ...['coroutine', 'string', 'table', 'math'],
])

export class Sandbox {
  private readonly program: LuaProgram
  private readonly api: LuaExports
  private readonly L: number
  /** Address of a proxy → registry reference of the real table. */
  private readonly proxies = new Map<number, number>()
  /** Address of a proxy → registry reference of the metatable that scripts see. */
  private readonly metatables = new Map<number, number>()
  private stringMetatable = 0
  /** Registry references: the metatable before the globals, the real globals. */
  private globalsMetatable = 0
  private realGlobals = 0
  /** Registry reference of a table that stands for the globals while they are restricted. */
  restrictedGlobals = 0
  private readonly refuseChange: number
  private readonly guardedReader: number

  constructor(program: LuaProgram, L: number) {
    this.program = program
    this.api = program.api
    this.L = L
    this.refuseChange = program.addFunctions([(l) => program.raiseHere(l, READ_ONLY)], 'function')
    this.guardedReader = program.addFunctions([(l) => this.readPiece(l)], 'function')
  }

  /** Opens the libraries; leaves what is allowed in the globals of `L`. */
  openLibraries(): void {
    const { api, L } = this
    for (const open of [api.luaopen_base, api.luaopen_table, api.luaopen_string, api.luaopen_math]) {
      open(L)
      api.lua_settop(L, 0)
    }
    const unwanted: string[] = []
    api.lua_pushnil(L)
    while (api.lua_next(L, GLOBALS) !== 0) {
      api.lua_settop(L, -2)
      const name = this.program.textAt(L, -1) as string
      if (!allowedGlobals.has(name)) unwanted.push(name)
    }
    for (const name of unwanted) {
      this.program.pushText(L, name)
      api.lua_pushnil(L)
      api.lua_rawset(L, GLOBALS)
    }
  }

  /** Sets functions in the table at `table`, which must not be relative to the stack's top. */
  setFunctions(table: number, functions: Readonly<Record<string, LuaFunction>>): void {
    const names = Object.keys(functions)
    const first = this.program.addFunctions(Object.values(functions), 'function')
    names.forEach((name, i) => {
      this.program.pushText(this.L, name)
      this.api.lua_pushcclosure(this.L, first + i, 0)
      this.api.lua_rawset(this.L, table)
    })
  }

  /**
   * Replaces functions of the globals or of one of their tables. `wrap` gets the original, which keeps its upvalues.
   */
  private replace(library: string | undefined, name: string, wrap: (original: LuaFunction) => LuaFunction): void {
    const { api, L, program } = this
    const table = library === undefined ? GLOBALS : this.pushLibrary(library)
    program.pushText(L, name)
    program.pushText(L, name)
    api.lua_rawget(L, table)
    const original = program.functionAt(api.lua_tocfunction(L, -1))
    api.lua_settop(L, -2)
    api.lua_pushcclosure(L, program.addFunctions([wrap(original as LuaFunction)], 'function'), 0)
    api.lua_rawset(L, table)
    if (library !== undefined) api.lua_settop(L, -2)
  }

  private pushLibrary(name: string): number {
    this.program.pushText(this.L, name)
    this.api.lua_rawget(this.L, GLOBALS)
    return this.api.lua_gettop(this.L)
  }

  replaceFunctions(library: string, functions: Readonly<Record<string, LuaFunction>>): void {
    this.setFunctions(this.pushLibrary(library), functions)
    this.api.lua_settop(this.L, -2)
  }

  /** Replaces what would see through the proxies, load bytecode, or count in 32 bits. */
  replaceUnsafe(): void {
    const { api, program } = this
    const behind = (original: LuaFunction): LuaFunction => {
      return (L) => {
        this.lookBehind(L)
        return original(L)
      }
    }
    const guarded = (original: LuaFunction): LuaFunction => {
      return (L) => (this.isProxy(L, 1) ? program.raise(L, READ_ONLY) : original(L))
    }
    this.replace(undefined, 'next', behind)
    this.replace(undefined, 'rawget', behind)
    this.replace(undefined, 'rawset', guarded)
    this.replace(undefined, 'setmetatable', guarded)
    this.replace('table', 'insert', guarded)
    this.replace('table', 'foreach', behind)
    this.replacePairs()
    this.replace(undefined, 'getmetatable', (original) => (L) => this.getmetatable(L, original))
    this.replace(undefined, 'loadstring', (original) => (L) => {
      const source = api.lua_type(L, 1) === LuaType.string ? program.stringAt(L, 1) : 0
      if (source !== 0 && program.bytes[source] === BYTECODE) {
        // Never taken for bytecode with a space before it; the parser then says what Redis's says.
        if (api.lua_type(L, 2) <= LuaType.nil) {
          api.lua_settop(L, 1)
          api.lua_pushvalue(L, 1)
        }
        program.pushText(L, ' ')
        api.lua_pushvalue(L, 1)
        api.lua_concat(L, 2)
        api.lua_replace(L, 1)
      }
      return original(L)
    })
    this.replace(undefined, 'load', (original) => (L) => {
      this.guardReader(L)
      return original(L)
    })
    this.replace('string', 'format', (original) => (L) => {
      formatIntegers(program, L)
      return original(L)
    })
    this.replace(undefined, 'tostring', (original) => (L) => {
      if (api.lua_type(L, 1) !== LuaType.lightUserdata || api.lua_touserdata(L, 1) !== 0) return original(L)
      program.pushText(L, 'userdata: (nil)')
      return 1
    })
    this.replace(undefined, 'tonumber', (original) => (L) => this.tonumber(L, original))
  }

  private isProxy(L: number, index: number): boolean {
    return this.api.lua_type(L, index) === LuaType.table && this.proxies.has(this.api.lua_topointer(L, index))
  }

  private lookBehind(L: number): void {
    const { api } = this
    if (api.lua_type(L, 1) !== LuaType.table) return
    const real = this.proxies.get(api.lua_topointer(L, 1))
    if (real === undefined) return
    api.lua_rawgeti(L, REGISTRY, real)
    api.lua_replace(L, 1)
  }

  /** pairs: for a proxy the `next` that looks behind it, and the proxy; otherwise as always. */
  private replacePairs(): void {
    const { api, L, program } = this
    program.pushText(L, 'pairs')
    api.lua_pushvalue(L, -1)
    api.lua_rawget(L, GLOBALS)
    const original = program.functionAt(api.lua_tocfunction(L, -1)) as LuaFunction
    api.lua_settop(L, -2)
    program.pushText(L, 'next')
    api.lua_rawget(L, GLOBALS)
    const pairs: LuaFunction = (l) => {
      if (!this.isProxy(l, 1)) return original(l)
      api.lua_pushvalue(l, upvalue(1))
      api.lua_pushvalue(l, 1)
      api.lua_pushnil(l)
      return 3
    }
    // The original takes its first upvalue for `next`: the one that looks behind proxies serves both.
    api.lua_pushcclosure(L, program.addFunctions([pairs], 'function'), 1)
    api.lua_rawset(L, GLOBALS)
  }

  private getmetatable(L: number, original: LuaFunction): number {
    const { api } = this
    if (this.isProxy(L, 1)) {
      const reference = this.metatables.get(api.lua_topointer(L, 1))
      if (reference === undefined) api.lua_pushnil(L)
      else api.lua_rawgeti(L, REGISTRY, reference)
      return 1
    }
    if (api.lua_type(L, 1) === LuaType.string) {
      api.lua_rawgeti(L, REGISTRY, this.stringMetatable)
      return 1
    }
    return original(L)
  }

  /** load: the reader function is replaced by one that calls it, and puts a space before bytecode. */
  private guardReader(L: number): void {
    const { api } = this
    if (api.lua_type(L, 1) !== LuaType.function) return
    api.lua_pushvalue(L, 1)
    api.lua_pushboolean(L, 0)
    api.lua_pushcclosure(L, this.guardedReader, 2)
    api.lua_replace(L, 1)
  }

  /** Upvalues: the reader, whether it has been called. */
  private readPiece(L: number): number {
    const { api, program } = this
    api.lua_settop(L, 0)
    api.lua_pushvalue(L, upvalue(1))
    api.lua_call(L, 0, 1)
    const isFirst = api.lua_toboolean(L, upvalue(2)) === 0
    api.lua_pushboolean(L, 1)
    api.lua_replace(L, upvalue(2))
    if (!isFirst || api.lua_type(L, 1) !== LuaType.string) return 1
    if (program.bytes[program.stringAt(L, 1)] !== BYTECODE || program.stringLength === 0) return 1
    program.pushText(L, ' ')
    api.lua_insert(L, 1)
    api.lua_concat(L, 2)
    return 1
  }

  /** With a base: C's `strtoul` with 64 bits. */
  private tonumber(L: number, original: LuaFunction): number {
    const { api, program } = this
    if (api.lua_type(L, 2) <= LuaType.nil) return original(L)
    const base = api.luaL_checkinteger(L, 2)
    program.checkString(L, 1)
    const text = (program.textAt(L, 1) as string).split('\0')[0] as string
    if (base < 2 || base > 36) return program.raiseArgument(L, 2, 'base out of range')
    if (base === 10) return original(L)
    const found = /^[ \t\n\v\f\r]*([+-]?)(?:0[xX](?=[0-9a-fA-F]))?([0-9a-zA-Z]+)[ \t\n\v\f\r]*$/.exec(
      base === 16 ? text : text.replace(/0[xX]/, (digits) => (base > 33 ? digits : '\x01')),
    )
    const digits = found === null ? [] : [...(found[2] as string)].map((digit) => Number.parseInt(digit, 36))
    if (digits.length === 0 || digits.some((digit) => digit >= base)) {
      api.lua_pushnil(L)
      return 1
    }
    let value = digits.reduce((sum, digit) => sum * BigInt(base) + BigInt(digit), 0n)
    if (value >= 1n << 64n) value = (1n << 64n) - 1n
    else if (found?.[1] === '-') value = BigInt.asUintN(64, -value)
    api.lua_pushnumber(L, Number(value))
    return 1
  }

  // ---- read-only tables

  /**
   * Replaces the table on top of the stack by a read-only view of it. `metatable`: registry reference of what scripts
   * see as its metatable.
   */
  protect(metatable?: number): void {
    const { api, L, program } = this
    const real = api.luaL_ref(L, REGISTRY)
    api.lua_createtable(L, 0, 0)
    const address = api.lua_topointer(L, -1)
    // Proxies are kept for good, so that no other table ever gets the address.
    api.lua_pushvalue(L, -1)
    api.luaL_ref(L, REGISTRY)
    this.proxies.set(address, real)
    if (metatable !== undefined) this.metatables.set(address, metatable)
    api.lua_createtable(L, 0, 2)
    program.pushText(L, '__index')
    api.lua_rawgeti(L, REGISTRY, real)
    api.lua_rawset(L, -3)
    program.pushText(L, '__newindex')
    api.lua_pushcclosure(L, this.refuseChange, 0)
    api.lua_rawset(L, -3)
    api.lua_setmetatable(L, -2)
  }

  /** Makes all libraries read-only, and the globals, whose missing names raise an error. Call once, at the end. */
  close(): void {
    const { api, L, program } = this
    const libraries: string[] = []
    api.lua_pushnil(L)
    while (api.lua_next(L, GLOBALS) !== 0) {
      if (api.lua_type(L, -1) === LuaType.table) libraries.push(program.textAt(L, -2) as string)
      api.lua_settop(L, -2)
    }
    for (const name of libraries.filter((one) => one !== '_G')) {
      program.pushText(L, name)
      this.pushLibrary(name)
      this.protect()
      api.lua_rawset(L, GLOBALS)
    }
    this.stringMetatable = this.visibleMetatable(() => this.pushLibrary('string'))
    this.closeGlobals()
  }

  /** A read-only `{ __index = value }`, as registry reference. */
  private visibleMetatable(pushIndex: () => void): number {
    const { api, L, program } = this
    api.lua_createtable(L, 0, 1)
    program.pushText(L, '__index')
    pushIndex()
    api.lua_rawset(L, -3)
    this.protect()
    return api.luaL_ref(L, REGISTRY)
  }

  private closeGlobals(): void {
    const { api, L, program } = this
    const missing = program.addFunctions([(l) => this.missingGlobal(l)], 'function')
    const pushMissing = () => api.lua_pushcclosure(L, missing, 0)
    // The real globals raise the error for what they do not have.
    api.lua_pushvalue(L, GLOBALS)
    api.lua_createtable(L, 0, 1)
    program.pushText(L, '__index')
    pushMissing()
    api.lua_rawset(L, -3)
    api.lua_setmetatable(L, -2)
    api.lua_pushvalue(L, -1)
    this.realGlobals = api.luaL_ref(L, REGISTRY)
    this.protect(this.visibleMetatable(pushMissing))
    api.lua_getmetatable(L, -1)
    this.globalsMetatable = api.luaL_ref(L, REGISTRY)
    program.pushText(L, '_G')
    api.lua_pushvalue(L, -2)
    api.lua_rawset(L, GLOBALS)
    api.lua_replace(L, GLOBALS)
  }

  /** Makes the table on top of the stack raise an error for what it does not have. */
  refuseMissing(): void {
    const { api, L, program } = this
    api.lua_createtable(L, 0, 1)
    program.pushText(L, '__index')
    api.lua_pushcclosure(L, program.addFunctions([(l) => this.missingGlobal(l)], 'function'), 0)
    api.lua_rawset(L, -3)
    api.lua_setmetatable(L, -2)
  }

  /** Whether code sees `restrictedGlobals` instead of the globals. */
  restrictGlobals(isRestricted: boolean): void {
    const { api, L, program } = this
    api.lua_rawgeti(L, REGISTRY, this.globalsMetatable)
    program.pushText(L, '__index')
    api.lua_rawgeti(L, REGISTRY, isRestricted ? this.restrictedGlobals : this.realGlobals)
    api.lua_rawset(L, -3)
    api.lua_settop(L, -2)
  }

  private missingGlobal(L: number): number {
    const type = this.api.lua_type(L, 2)
    if (type !== LuaType.string && type !== LuaType.number) {
      return this.program.raiseHere(L, 'Second argument to luaProtectedTableError must be a string or number')
    }
    const name = (this.program.textAt(L, 2) as string).split('\0')[0]
    return this.program.raiseHere(L, `Script attempted to access nonexistent global variable '${name}'`)
  }
}
