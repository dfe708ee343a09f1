/**
 * The `cmsgpack` library as Redis 7.0.15 has it: lua-cmsgpack 0.4.0's choices of encodings, limits and error texts.
 * Format: the MessagePack specification, without its `bin` and `ext` types, as the original.
 */
import { type LuaExports, type LuaFunction, LuaType } from './lua-api.ts'
import type { LuaProgram } from './lua-program.ts'

const NESTING_MAX = 16

export function cmsgpackLibrary(program: LuaProgram): {
  functions: Readonly<Record<string, LuaFunction>>
  install(L: number): void
} {
  const { api } = program
  const number = (L: number, argument: number, standard: number): number => {
    return api.lua_type(L, argument) <= LuaType.nil ? standard : api.luaL_checkinteger(L, argument)
  }
  return {
    functions: {
      pack: (L) => pack(program, L),
      unpack: (L) => unpack(program, L, 0, 0),
      unpack_one: (L) => {
        const offset = number(L, 2, 0)
        api.lua_settop(L, 1)
        return unpack(program, L, 1, offset)
      },
      unpack_limit: (L) => {
        const limit = api.luaL_checkinteger(L, 2)
        const offset = number(L, 3, 0)
        api.lua_settop(L, 1)
        return unpack(program, L, limit, offset)
      },
    },
    install: (L) => {
      for (const [name, value] of constants) {
        program.pushText(L, name)
        program.pushText(L, value)
        api.lua_rawset(L, -3)
      }
    },
  }
}

const constants = [
  ['_NAME', 'cmsgpack'],
  ['_VERSION', 'lua-cmsgpack 0.4.0'],
  ['_COPYRIGHT', 'Copyright (C) 2012, Salvatore Sanfilippo'],
  ['_DESCRIPTION', 'MessagePack C implementation for Lua'],
] as const

function pack(program: LuaProgram, L: number): number {
  const { api } = program
  const count = api.lua_gettop(L)
  if (count === 0) return program.raiseArgument(L, 0, 'MessagePack pack needs input.')
  if (api.lua_checkstack(L, count) === 0) return program.raiseArgument(L, 0, 'Too many arguments for MessagePack pack.')
  const packer = new Packer(program, L)
  for (let i = 1; i <= count; i++) {
    api.lua_pushvalue(L, i)
    packer.append(0)
  }
  program.pushBytes(L, packer.bytes())
  return 1
}

/** Encodes and pops the values on top of the stack. */
class Packer {
  private readonly program: LuaProgram
  private readonly api: LuaExports
  private readonly L: number
  private buffer = Buffer.allocUnsafe(256)
  private length = 0

  constructor(program: LuaProgram, L: number) {
    this.program = program
    this.api = program.api
    this.L = L
  }

  bytes(): Buffer {
    return this.buffer.subarray(0, this.length)
  }

  private room(size: number): number {
    if (this.length + size > this.buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.length + size))
      this.buffer.copy(larger, 0, 0, this.length)
      this.buffer = larger
    }
    const at = this.length
    this.length += size
    return at
  }

  private byte(value: number): void {
    const at = this.room(1)
    this.buffer[at] = value
  }

  /** A type byte and a number of 1, 2 or 4 bytes. */
  private typed(type: number, value: number, size: 1 | 2 | 4): void {
    const at = this.room(1 + size)
    this.buffer[at] = type
    this.buffer.writeUIntBE(value, at + 1, size)
  }

  append(depth: number): void {
    const { api, L } = this
    switch (api.lua_type(L, -1)) {
      case LuaType.string:
        this.string()
        break
      case LuaType.boolean:
        this.byte(api.lua_toboolean(L, -1) !== 0 ? 0xc3 : 0xc2)
        break
      case LuaType.number:
        this.number(api.lua_tonumber(L, -1))
        break
      case LuaType.table:
        if (depth === NESTING_MAX) this.byte(0xc0)
        else this.table(depth + 1)
        break
      default:
        this.byte(0xc0)
    }
    api.lua_settop(L, -2)
  }

  private string(): void {
    const pointer = this.program.stringAt(this.L, -1)
    const size = this.program.stringLength
    if (size < 32) this.byte(0xa0 | size)
    else if (size <= 0xff) this.typed(0xd9, size, 1)
    else if (size <= 0xffff) this.typed(0xda, size, 2)
    else this.typed(0xdb, size, 4)
    const at = this.room(size)
    this.program.bytes.copy(this.buffer, at, pointer, pointer + size)
  }

  private number(value: number): void {
    if (Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63) this.integer(value)
    else this.double(value)
  }

  private integer(value: number): void {
    if (value >= 0) {
      if (value <= 0x7f) this.byte(value)
      else if (value <= 0xff) this.typed(0xcc, value, 1)
      else if (value <= 0xffff) this.typed(0xcd, value, 2)
      else if (value <= 0xffffffff) this.typed(0xce, value, 4)
      else this.wide(0xcf, value)
    } else if (value >= -32) this.byte(256 + value)
    else if (value >= -0x80) this.typed(0xd0, value & 0xff, 1)
    else if (value >= -0x8000) this.typed(0xd1, value & 0xffff, 2)
    else if (value >= -0x80000000) this.typed(0xd2, value >>> 0, 4)
    else this.wide(0xd3, value)
  }

  private wide(type: number, value: number): void {
    const at = this.room(9)
    this.buffer[at] = type
    this.buffer.writeBigInt64BE(BigInt(value), at + 1)
  }

  private double(value: number): void {
    if (Object.is(Math.fround(value), value) && !Number.isNaN(value)) {
      const at = this.room(5)
      this.buffer[at] = 0xca
      this.buffer.writeFloatBE(value, at + 1)
    } else {
      const at = this.room(9)
      this.buffer[at] = 0xcb
      this.buffer.writeDoubleBE(value, at + 1)
    }
  }

  private table(depth: number): void {
    const { api, L } = this
    api.lua_checkstack(L, 4)
    const { isArray, count } = this.shape()
    if (count < 16) this.byte((isArray ? 0x90 : 0x80) | count)
    else if (count <= 0xffff) this.typed(isArray ? 0xdc : 0xde, count, 2)
    else this.typed(isArray ? 0xdd : 0xdf, count, 4)
    if (isArray) {
      for (let i = 1; i <= count; i++) {
        api.lua_rawgeti(L, -1, i)
        this.append(depth)
      }
      return
    }
    api.lua_pushnil(L)
    while (api.lua_next(L, -2) !== 0) {
      api.lua_pushvalue(L, -2)
      this.append(depth)
      this.append(depth)
    }
  }

  /** An array has the keys 1 to n, an empty table is one. */
  private shape(): { isArray: boolean; count: number } {
    const { api, L } = this
    let count = 0
    let highest = 0
    let isArray = true
    api.lua_pushnil(L)
    while (api.lua_next(L, -2) !== 0) {
      api.lua_settop(L, -2)
      count++
      const index = api.lua_type(L, -1) === LuaType.number ? api.lua_tonumber(L, -1) : 0
      if (!(index >= 1) || Math.floor(index) !== index) isArray = false
      else highest = Math.max(highest, index)
    }
    return { isArray: isArray && highest === count, count }
  }
}

/** @param limit how many values; 0: all, then no offset is answered */
function unpack(program: LuaProgram, L: number, limit: number, offset: number): number {
  const { api } = program
  program.checkString(L, 1)
  const input = program.copyAt(L, 1) as Buffer
  if (offset < 0 || limit < 0) {
    // The original names the input's length where the limit should stand.
    return program.raiseHere(L, `Invalid request to unpack with offset of ${offset} and limit of ${input.length}.`)
  }
  if (offset > input.length) {
    return program.raiseHere(L, `Start offset ${offset} greater than input length ${input.length}.`)
  }
  const all = limit === 0 && offset === 0
  const unpacker = new Unpacker(program, L, input, offset)
  let count = 0
  while (unpacker.at < input.length && (all || count < limit)) {
    unpacker.push()
    count++
  }
  if (all) return count
  api.lua_pushnumber(L, unpacker.at < input.length ? unpacker.at : -1)
  api.lua_insert(L, 2)
  return count + 1
}

class Unpacker {
  at: number
  private readonly program: LuaProgram
  private readonly api: LuaExports
  private readonly L: number
  private readonly input: Buffer

  constructor(program: LuaProgram, L: number, input: Buffer, at: number) {
    this.program = program
    this.api = program.api
    this.L = L
    this.input = input
    this.at = at
  }

  private take(size: number): number {
    if (this.input.length - this.at < size) this.program.raiseHere(this.L, 'Missing bytes in input.')
    this.at += size
    return this.at - size
  }

  private unsigned(size: number): number {
    return this.input.readUIntBE(this.take(size), size)
  }

  push(): void {
    const { api, L } = this
    if (api.lua_checkstack(L, 3) === 0)
      this.program.raiseHere(L, 'too many return values at once; use unpack_one or unpack_limit instead.')
    const type = this.input[this.take(1)] as number
    if (type < 0x80) api.lua_pushnumber(L, type)
    else if (type < 0x90) this.map(type & 15)
    else if (type < 0xa0) this.array(type & 15)
    else if (type < 0xc0) this.string(type & 31)
    else if (type >= 0xe0) api.lua_pushnumber(L, type - 256)
    else this.pushTyped(type)
  }

  private pushTyped(type: number): void {
    const { api, L } = this
    if (type === 0xc0) api.lua_pushnil(L)
    else if (type === 0xc2 || type === 0xc3) api.lua_pushboolean(L, type & 1)
    else if (type >= 0xca && type <= 0xd3) api.lua_pushnumber(L, this.number(type))
    else if (type >= 0xd9 && type <= 0xdb) this.string(this.unsigned(1 << (type - 0xd9)))
    else if (type === 0xdc || type === 0xdd) this.array(this.unsigned(2 << (type - 0xdc)))
    else if (type === 0xde || type === 0xdf) this.map(this.unsigned(2 << (type - 0xde)))
    else this.program.raiseHere(L, 'Bad data format in input.')
  }

  private number(type: number): number {
    const { input } = this
    if (type === 0xca) return input.readFloatBE(this.take(4))
    if (type === 0xcb) return input.readDoubleBE(this.take(8))
    // The original reads unsigned numbers of 64 bits as signed ones.
    if (type === 0xcf || type === 0xd3) return Number(input.readBigInt64BE(this.take(8)))
    if (type < 0xcf) return this.unsigned(1 << (type - 0xcc))
    const size = 1 << (type - 0xd0)
    return input.readIntBE(this.take(size), size)
  }

  private string(size: number): void {
    const start = this.take(size)
    this.program.pushBytes(this.L, this.input, start, start + size)
  }

  private array(length: number): void {
    const { api, L } = this
    api.lua_createtable(L, 0, 0)
    for (let i = 1; i <= length; i++) {
      this.push()
      api.lua_rawseti(L, -2, i)
    }
  }

  private map(pairs: number): void {
    const { api, L } = this
    api.lua_createtable(L, 0, 0)
    for (let i = 0; i < pairs; i++) {
      this.push()
      this.push()
      api.lua_settable(L, -3)
    }
  }
}
