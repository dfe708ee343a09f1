/**
 * The `struct` library as Redis 7.0.15 has it: Roberto Ierusalimschy's struct 0.2, on a little-endian machine with
 * `int` of 4 and `long` and `size_t` of 8 bytes. Formats: `< >` order, `!n` alignment, `x` padding, `b B h H l L T i[n]
 * I[n]` integers, `c[n]` and `s` strings, `f d` floats.
 */
import { type LuaExports, type LuaFunction, LuaType } from './lua-api.ts'
import type { LuaProgram } from './lua-program.ts'
import { toInt64 } from './string-format.ts'

const ALIGNMENT_STANDARD = 8
const INTEGER_BYTES_MAX = 32
const INT_MAX = 0x7fffffff

export function structLibrary(program: LuaProgram): Readonly<Record<string, LuaFunction>> {
  return {
    pack: (L) => pack(program, L),
    unpack: (L) => unpack(program, L),
    size: (L) => size(program, L),
  }
}

/** Reads a format, option by option. */
class Format {
  isLittle = true
  private align = 1
  private readonly program: LuaProgram
  private readonly L: number
  private readonly text: string
  private at = 0

  constructor(program: LuaProgram, L: number) {
    this.program = program
    this.L = L
    program.checkString(L, 1)
    this.text = (program.textAt(L, 1) as string).split('\0')[0] as string
  }

  get isAtEnd(): boolean {
    return this.at >= this.text.length
  }

  private number(standard: number): number {
    const digits = /^\d+/.exec(this.text.slice(this.at))?.[0]
    if (digits === undefined) return standard
    this.at += digits.length
    const value = Number(digits)
    if (value > INT_MAX) this.program.raiseHere(this.L, 'integral size overflow')
    return value
  }

  /** The next option with its size in bytes and the padding before it, for data at `offset`. */
  next(offset: number): { option: string; size: number; padding: number } {
    const option = this.text[this.at++] as string
    const size = this.sizeOf(option)
    let align = size
    if (align === 0 || option === 'c' || option === 's' || option === 'x') return { option, size, padding: 0 }
    if (align > this.align) align = this.align
    return { option, size, padding: align > 1 ? (align - (offset & (align - 1))) & (align - 1) : 0 }
  }

  private sizeOf(option: string): number {
    switch (option) {
      case 'B':
      case 'b':
      case 'x':
        return 1
      case 'H':
      case 'h':
        return 2
      case 'L':
      case 'l':
      case 'T':
      case 'd':
        return 8
      case 'f':
        return 4
      case 'c':
        return this.number(1)
      case 'i':
      case 'I': {
        const size = this.number(4)
        if (size > INTEGER_BYTES_MAX) {
          this.program.raiseHere(this.L, `integral size ${size} is larger than limit of ${INTEGER_BYTES_MAX}`)
        }
        return size
      }
      default:
        return 0
    }
  }

  /** An option that is about the format itself. */
  control(option: string): void {
    if (option === ' ') return
    if (option === '>') this.isLittle = false
    else if (option === '<') this.isLittle = true
    else if (option === '!') {
      const align = this.number(ALIGNMENT_STANDARD)
      if (align <= 0 || (align & (align - 1)) !== 0) {
        this.program.raiseHere(this.L, `alignment ${align} is not a power of 2`)
      }
      this.align = align
    } else {
      this.program.raiseArgument(this.L, 1, `invalid format option '${option}'`)
    }
  }
}

function pack(program: LuaProgram, L: number): number {
  const { api } = program
  const format = new Format(program, L)
  const parts: Buffer[] = []
  let total = 0
  let argument = 2
  const add = (bytes: Buffer): void => {
    parts.push(bytes)
    total += bytes.length
  }
  // As the original: what is missing shows as nil.
  api.lua_pushnil(L)
  while (!format.isAtEnd) {
    const { option, size, padding } = format.next(total)
    if (padding > 0) add(Buffer.alloc(padding))
    switch (option) {
      case 'b':
      case 'B':
      case 'h':
      case 'H':
      case 'l':
      case 'L':
      case 'T':
      case 'i':
      case 'I':
        add(integerBytes(toInt64(api.luaL_checknumber(L, argument++)), size, format.isLittle))
        break
      case 'x':
        add(Buffer.alloc(1))
        break
      case 'f':
      case 'd':
        add(floatBytes(api.luaL_checknumber(L, argument++), size, format.isLittle))
        break
      case 'c':
      case 's': {
        program.checkString(L, argument)
        const text = program.copyAt(L, argument) as Buffer
        argument++
        const wanted = size === 0 ? text.length : size
        if (text.length < wanted) return program.raiseArgument(L, argument, 'string too short')
        add(text.subarray(0, wanted))
        if (option === 's') add(Buffer.alloc(1))
        break
      }
      default:
        format.control(option)
    }
  }
  program.pushBytes(L, Buffer.concat(parts))
  return 1
}

function integerBytes(value: bigint, size: number, isLittle: boolean): Buffer {
  const bytes = Buffer.alloc(size)
  let rest = BigInt.asUintN(64, value)
  for (let i = 0; i < size; i++) {
    bytes[isLittle ? i : size - 1 - i] = Number(rest & 255n)
    rest >>= 8n
  }
  return bytes
}

function floatBytes(value: number, size: number, isLittle: boolean): Buffer {
  const bytes = Buffer.alloc(size)
  if (size === 4) isLittle ? bytes.writeFloatLE(value) : bytes.writeFloatBE(value)
  else isLittle ? bytes.writeDoubleLE(value) : bytes.writeDoubleBE(value)
  return bytes
}

function unpack(program: LuaProgram, L: number): number {
  const { api } = program
  const format = new Format(program, L)
  program.checkString(L, 2)
  const data = program.copyAt(L, 2) as Buffer
  let at = (api.lua_type(L, 3) <= LuaType.nil ? 1 : api.luaL_checkinteger(L, 3)) - 1
  if (at < 0) return program.raiseArgument(L, 3, 'offset must be 1 or greater')
  let count = 0
  api.lua_settop(L, 2)
  while (!format.isAtEnd) {
    const { option, size, padding } = format.next(at)
    at += padding
    if (at + size > data.length) return program.raiseArgument(L, 2, 'data string too short')
    if (api.lua_checkstack(L, 2) === 0) return program.raiseHere(L, 'too many results')
    switch (option) {
      case 'b':
      case 'B':
      case 'h':
      case 'H':
      case 'l':
      case 'L':
      case 'T':
      case 'i':
      case 'I':
        api.lua_pushnumber(L, readInteger(data, at, size, format.isLittle, option === option.toLowerCase()))
        count++
        break
      case 'x':
        break
      case 'f':
        api.lua_pushnumber(L, format.isLittle ? data.readFloatLE(at) : data.readFloatBE(at))
        count++
        break
      case 'd':
        api.lua_pushnumber(L, format.isLittle ? data.readDoubleLE(at) : data.readDoubleBE(at))
        count++
        break
      case 'c': {
        const length = size === 0 ? takeLength(program, api, L, count) : size
        if (size === 0) count--
        if (at + length > data.length) return program.raiseArgument(L, 2, 'data string too short')
        program.pushBytes(L, data, at, at + length)
        at += length - size
        count++
        break
      }
      case 's': {
        const end = data.indexOf(0, at)
        if (end < 0) return program.raiseHere(L, 'unfinished string in data')
        program.pushBytes(L, data, at, end)
        at = end + 1
        count++
        break
      }
      default:
        format.control(option)
    }
    at += size
  }
  api.lua_pushnumber(L, at + 1)
  return count + 1
}

/** `c0`: the length is the value that was read before it, and that is taken away. */
function takeLength(program: LuaProgram, api: LuaExports, L: number, count: number): number {
  if (count === 0 || api.lua_type(L, -1) !== LuaType.number) {
    return program.raiseHere(L, "format 'c0' needs a previous size")
  }
  const length = api.lua_tonumber(L, -1)
  api.lua_settop(L, -2)
  return length < 0 ? program.raiseArgument(L, 2, 'data string too short') : Math.trunc(length)
}

function readInteger(data: Buffer, at: number, size: number, isLittle: boolean, isSigned: boolean): number {
  let value = 0n
  for (let i = 0; i < size; i++) {
    const byte = data[isLittle ? at + size - 1 - i : at + i] as number
    value = BigInt.asUintN(64, (value << 8n) | BigInt(byte))
  }
  if (!isSigned) return Number(value)
  return Number(BigInt.asIntN(Math.min(64, size * 8), value))
}

function size(program: LuaProgram, L: number): number {
  const format = new Format(program, L)
  let total = 0
  while (!format.isAtEnd) {
    const { option, size: bytes, padding } = format.next(total)
    total += padding
    if (option === 's') return program.raiseArgument(L, 1, "option 's' has no fixed size")
    if (option === 'c' && bytes === 0) return program.raiseArgument(L, 1, "option 'c0' has no fixed size")
    if (!/[a-zA-Z]/.test(option) || !'bBhHlLTiIxfdc'.includes(option)) format.control(option)
    total += bytes
  }
  program.api.lua_pushnumber(L, total)
  return 1
}
