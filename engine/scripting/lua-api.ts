/** Lua 5.1's C API as the WebAssembly program exports it: constants and functions, under C's names. */
import type { WasmMemory, WasmTable } from '../data/web-assembly.ts'

/** Index of the registry, of a thread's globals, and of the upvalues of a C function. */
export const REGISTRY = -10_000
export const GLOBALS = -10_002
export const upvalue = (number: number): number => GLOBALS - number

export const LuaType = {
  none: -1,
  nil: 0,
  boolean: 1,
  lightUserdata: 2,
  number: 3,
  string: 4,
  table: 5,
  function: 6,
  userdata: 7,
  thread: 8,
} as const

/** What `lua_resume` and the loaders answer. */
export const LuaStatus = { ok: 0, yielded: 1, runError: 2, syntaxError: 3, outOfMemory: 4, handlerError: 5 } as const

/** `what` of `lua_gc`. */
export const LuaGc = { collect: 2, kilobytes: 3, bytes: 4, step: 5 } as const

/** The exports that are used. All values are numbers: addresses, indices, doubles, booleans as 0 and 1. */
export interface LuaExports {
  readonly memory: WasmMemory
  readonly __indirect_function_table: WasmTable
  __wasm_call_ctors(): void
  emscripten_stack_init(): void
  stackSave(): number
  stackRestore(pointer: number): void
  setThrew(threw: number, value: number): void
  malloc(bytes: number): number
  free(pointer: number): void
  luaL_newstate(): number
  luaopen_base(L: number): number
  luaopen_table(L: number): number
  luaopen_string(L: number): number
  luaopen_math(L: number): number
  lua_gettop(L: number): number
  lua_settop(L: number, index: number): void
  lua_pushvalue(L: number, index: number): void
  lua_remove(L: number, index: number): void
  lua_insert(L: number, index: number): void
  lua_replace(L: number, index: number): void
  lua_checkstack(L: number, extra: number): number
  lua_xmove(from: number, to: number, count: number): void
  lua_type(L: number, index: number): number
  lua_iscfunction(L: number, index: number): number
  lua_tonumber(L: number, index: number): number
  lua_toboolean(L: number, index: number): number
  lua_tolstring(L: number, index: number, lengthPointer: number): number
  lua_objlen(L: number, index: number): number
  lua_tocfunction(L: number, index: number): number
  lua_touserdata(L: number, index: number): number
  lua_tothread(L: number, index: number): number
  lua_topointer(L: number, index: number): number
  lua_pushnil(L: number): void
  lua_pushnumber(L: number, value: number): void
  lua_pushlstring(L: number, pointer: number, bytes: number): void
  lua_pushcclosure(L: number, tableIndex: number, upvalues: number): void
  lua_pushboolean(L: number, value: number): void
  lua_pushlightuserdata(L: number, pointer: number): void
  lua_rawget(L: number, index: number): void
  lua_rawgeti(L: number, index: number, n: number): void
  lua_rawset(L: number, index: number): void
  lua_rawseti(L: number, index: number, n: number): void
  lua_gettable(L: number, index: number): void
  lua_settable(L: number, index: number): void
  lua_createtable(L: number, arraySize: number, hashSize: number): void
  lua_getmetatable(L: number, index: number): number
  lua_setmetatable(L: number, index: number): number
  lua_setfenv(L: number, index: number): number
  lua_next(L: number, index: number): number
  lua_concat(L: number, count: number): void
  lua_call(L: number, argumentCount: number, resultCount: number): void
  lua_error(L: number): number
  lua_newthread(L: number): number
  lua_pushthread(L: number): number
  lua_resume(L: number, argumentCount: number): number
  lua_yield(L: number, resultCount: number): number
  lua_gc(L: number, what: number, data: number): number
  lua_sethook(L: number, tableIndex: number, mask: number, count: number): number
  lua_getstack(L: number, level: number, debug: number): number
  lua_getinfo(L: number, what: number, debug: number): number
  luaL_loadbuffer(L: number, pointer: number, bytes: number, name: number): number
  luaL_ref(L: number, tableIndex: number): number
  luaL_unref(L: number, tableIndex: number, reference: number): void
  luaL_where(L: number, level: number): void
  luaL_argerror(L: number, argument: number, message: number): number
  luaL_checktype(L: number, argument: number, type: number): void
  luaL_checkany(L: number, argument: number): void
  luaL_checknumber(L: number, argument: number): number
  luaL_checkinteger(L: number, argument: number): number
  luaL_checklstring(L: number, argument: number, lengthPointer: number): number
}

/** A C function in JavaScript: gets the state (of the running coroutine), answers how many results it has pushed. */
export type LuaFunction = (L: number) => number
