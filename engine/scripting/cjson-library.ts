/**
 * The `cjson` library as Redis 7.0.15 has it: lua-cjson 2.1.0's behaviour, limits, settings and error texts.
 *
 * Encoding walks Lua's tables through the C API; decoding builds them. A table is an array when its keys are whole
 * numbers above 0; one with many holes is refused (or made an object, see `encode_sparse_array`).
 */

import { formatWithPrecision } from '../data/double-text.ts'
import { JsonDecoder } from './cjson-decoder.ts'
import { type LuaExports, type LuaFunction, LuaType } from './lua-api.ts'
import type { LuaProgram } from './lua-program.ts'

export interface JsonSettings {
  sparseConvert: boolean
  sparseRatio: number
  sparseSafe: number
  encodeMaxDepth: number
  decodeMaxDepth: number
  precision: number
  /** 0: an error, 1: as it is, 2: null. */
  encodeInvalid: 0 | 1 | 2
  decodeInvalid: boolean
  keepBuffer: boolean
}

function standardSettings(): JsonSettings {
  return {
    sparseConvert: false,
    sparseRatio: 2,
    sparseSafe: 10,
    encodeMaxDepth: 1000,
    decodeMaxDepth: 1000,
    precision: 14,
    encodeInvalid: 0,
    decodeInvalid: true,
    keepBuffer: true,
  }
}

/** The functions; `install` puts the constants into the table on top of the stack. */
export function cjsonLibrary(program: LuaProgram): {
  functions: Readonly<Record<string, LuaFunction>>
  install(L: number): void
} {
  const settings = standardSettings()
  const functions = { ...jsonFunctions(program, settings), new: (L: number) => newInstance(program, L) }
  return { functions, install: (L) => installConstants(program, L) }
}

function installConstants(program: LuaProgram, L: number): void {
  const { api } = program
  program.pushText(L, 'null')
  api.lua_pushlightuserdata(L, 0)
  api.lua_rawset(L, -3)
  for (const [name, value] of [
    ['_NAME', 'cjson'],
    ['_VERSION', '2.1.0'],
  ] as const) {
    program.pushText(L, name)
    program.pushText(L, value)
    api.lua_rawset(L, -3)
  }
}

/** cjson.new: a table of the same functions with settings of its own. */
function newInstance(program: LuaProgram, L: number): number {
  const { api } = program
  const functions = {
    ...jsonFunctions(program, standardSettings()),
    new: (state: number) => newInstance(program, state),
  }
  const first = program.addFunctions(Object.values(functions), 'function')
  api.lua_createtable(L, 0, 16)
  Object.keys(functions).forEach((name, i) => {
    program.pushText(L, name)
    api.lua_pushcclosure(L, first + i, 0)
    api.lua_rawset(L, -3)
  })
  installConstants(program, L)
  return 1
}

/** In the order of the original, which decides the order of `pairs(cjson)`. */
function jsonFunctions(program: LuaProgram, settings: JsonSettings): Readonly<Record<string, LuaFunction>> {
  const { api } = program
  return {
    encode: (L) => {
      if (api.lua_gettop(L) !== 1) return program.raiseArgument(L, 1, 'expected 1 argument')
      const encoder = new JsonEncoder(program, L, settings)
      encoder.append(0)
      program.pushBytes(L, encoder.bytes())
      return 1
    },
    decode: (L) => {
      if (api.lua_gettop(L) !== 1) return program.raiseArgument(L, 1, 'expected 1 argument')
      program.checkString(L, 1)
      new JsonDecoder(program, L, program.copyAt(L, 1) as Buffer, settings).decode()
      return 1
    },
    encode_sparse_array: (L) => setSparseArray(program, L, settings),
    encode_max_depth: (L) => setNumber(program, L, settings, 'encodeMaxDepth', INTEGER_MAX),
    decode_max_depth: (L) => setNumber(program, L, settings, 'decodeMaxDepth', INTEGER_MAX),
    encode_number_precision: (L) => setNumber(program, L, settings, 'precision', 14),
    encode_keep_buffer: (L) => setSwitch(program, L, settings, 'keepBuffer'),
    encode_invalid_numbers: (L) => setEncodeInvalid(program, L, settings),
    decode_invalid_numbers: (L) => setSwitch(program, L, settings, 'decodeInvalid'),
  }
}

/** A setting of one whole number from 1, which is answered. */
function setNumber(
  program: LuaProgram,
  L: number,
  settings: JsonSettings,
  name: 'encodeMaxDepth' | 'decodeMaxDepth' | 'precision',
  most: number,
): number {
  limitArguments(program, L, 1)
  settings[name] = integerAt(program, L, { argument: 1, least: 1, most, now: settings[name] })
  program.api.lua_pushnumber(L, settings[name])
  return 1
}

/** A setting that is on or off, which is answered. */
function setSwitch(
  program: LuaProgram,
  L: number,
  settings: JsonSettings,
  name: 'keepBuffer' | 'decodeInvalid',
): number {
  limitArguments(program, L, 1)
  settings[name] = choiceAt(program, L, OFF_ON, settings[name] ? 1 : 0) === 1
  program.api.lua_pushboolean(L, settings[name] ? 1 : 0)
  return 1
}

function setEncodeInvalid(program: LuaProgram, L: number, settings: JsonSettings): number {
  limitArguments(program, L, 1)
  settings.encodeInvalid = choiceAt(program, L, OFF_ON_NULL, settings.encodeInvalid) as 0 | 1 | 2
  if (settings.encodeInvalid < 2) program.api.lua_pushboolean(L, settings.encodeInvalid)
  else program.pushText(L, OFF_ON_NULL[settings.encodeInvalid])
  return 1
}

function setSparseArray(program: LuaProgram, L: number, settings: JsonSettings): number {
  const { api } = program
  limitArguments(program, L, 3)
  settings.sparseConvert = choiceAt(program, L, OFF_ON, settings.sparseConvert ? 1 : 0) === 1
  const bounds = { least: 0, most: INTEGER_MAX }
  settings.sparseRatio = integerAt(program, L, { argument: 2, ...bounds, now: settings.sparseRatio })
  settings.sparseSafe = integerAt(program, L, { argument: 3, ...bounds, now: settings.sparseSafe })
  api.lua_pushboolean(L, settings.sparseConvert ? 1 : 0)
  api.lua_pushnumber(L, settings.sparseRatio)
  api.lua_pushnumber(L, settings.sparseSafe)
  return 3
}

const INTEGER_MAX = 0x7fffffff
const OFF_ON = ['off', 'on'] as const
const OFF_ON_NULL = [...OFF_ON, 'null'] as const

function limitArguments(program: LuaProgram, L: number, most: number): void {
  if (program.api.lua_gettop(L) > most) program.raiseArgument(L, most + 1, 'found too many arguments')
}

/** The whole number given as an argument, or `now` where there is none. */
function integerAt(
  program: LuaProgram,
  L: number,
  { argument, least, most, now }: { argument: number; least: number; most: number; now: number },
): number {
  const { api } = program
  if (api.lua_type(L, argument) <= LuaType.nil) return now
  const value = api.luaL_checkinteger(L, argument)
  if (value >= least && value <= most) return value
  // The original always blames its first argument.
  return program.raiseArgument(L, 1, `expected integer between ${least} and ${most}`)
}

/** The place among `words` of the first argument, a boolean being 0 or 1, or `now` where there is none. */
function choiceAt(program: LuaProgram, L: number, words: readonly string[], now: number): number {
  const { api } = program
  const type = api.lua_type(L, 1)
  if (type <= LuaType.nil) return now
  if (type === LuaType.boolean) return api.lua_toboolean(L, 1)
  program.checkString(L, 1)
  const word = program.textAt(L, 1) as string
  const found = words.indexOf(word)
  return found >= 0 ? found : program.raiseArgument(L, 1, `invalid option '${word}'`)
}

/** Encodes the value on top of the stack, which stays. */
class JsonEncoder {
  private readonly program: LuaProgram
  private readonly api: LuaExports
  private readonly L: number
  private readonly settings: JsonSettings
  private readonly parts: string[] = []

  constructor(program: LuaProgram, L: number, settings: JsonSettings) {
    this.program = program
    this.api = program.api
    this.L = L
    this.settings = settings
  }

  bytes(): Buffer {
    return Buffer.from(this.parts.join(''), 'latin1')
  }

  append(depth: number): void {
    const { api, L } = this
    switch (api.lua_type(L, -1)) {
      case LuaType.string:
        this.string()
        break
      case LuaType.number:
        this.number()
        break
      case LuaType.boolean:
        this.parts.push(api.lua_toboolean(L, -1) !== 0 ? 'true' : 'false')
        break
      case LuaType.nil:
        this.parts.push('null')
        break
      case LuaType.lightUserdata:
        if (api.lua_touserdata(L, -1) === 0) this.parts.push('null')
        else this.refuse('type not supported')
        break
      case LuaType.table:
        this.table(depth + 1)
        break
      default:
        this.refuse('type not supported')
    }
  }

  private refuse(why: string): never {
    const type = typeNames[this.api.lua_type(this.L, -1)] as string
    return this.program.raiseHere(this.L, `Cannot serialise ${type}: ${why}`)
  }

  private string(): void {
    const text = this.program.textAt(this.L, -1) as string
    // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON escapes them
    this.parts.push('"', /["\\/\x00-\x1f\x7f]/.test(text) ? text.replace(ESCAPED, escapeCharacter) : text, '"')
  }

  private number(): void {
    const value = this.api.lua_tonumber(this.L, -1)
    const { encodeInvalid, precision } = this.settings
    if (!Number.isFinite(value)) {
      if (encodeInvalid === 0) this.refuse('must not be NaN or Inf')
      if (encodeInvalid === 2) {
        this.parts.push('null')
        return
      }
      this.parts.push(Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf')
      return
    }
    this.parts.push(formatWithPrecision(value, precision))
  }

  private table(depth: number): void {
    const { api, L, settings } = this
    if (depth > settings.encodeMaxDepth || api.lua_checkstack(L, 3) === 0) {
      this.program.raiseHere(L, `Cannot serialise, excessive nesting (${depth})`)
    }
    const length = this.arrayLength()
    if (length > 0) this.array(depth, length)
    else this.object(depth)
  }

  /** Highest index of a table that is an array; 0 for an empty one, -1 for an object. */
  private arrayLength(): number {
    const { api, L, settings } = this
    let highest = 0
    let count = 0
    api.lua_pushnil(L)
    while (api.lua_next(L, -2) !== 0) {
      api.lua_settop(L, -2)
      const index = api.lua_type(L, -1) === LuaType.number ? api.lua_tonumber(L, -1) : 0
      if (!(index >= 1) || Math.floor(index) !== index) {
        api.lua_settop(L, -2)
        return -1
      }
      highest = Math.max(highest, index)
      count++
    }
    const { sparseRatio, sparseSafe, sparseConvert } = settings
    if (sparseRatio > 0 && highest > count * sparseRatio && highest > sparseSafe) {
      if (!sparseConvert) this.refuse('excessively sparse array')
      return -1
    }
    return highest
  }

  private array(depth: number, length: number): void {
    const { api, L, parts } = this
    parts.push('[')
    for (let i = 1; i <= length; i++) {
      if (i > 1) parts.push(',')
      api.lua_rawgeti(L, -1, i)
      this.append(depth)
      api.lua_settop(L, -2)
    }
    parts.push(']')
  }

  private object(depth: number): void {
    const { api, L, parts } = this
    parts.push('{')
    let isFirst = true
    api.lua_pushnil(L)
    while (api.lua_next(L, -2) !== 0) {
      if (!isFirst) parts.push(',')
      isFirst = false
      const type = api.lua_type(L, -2)
      api.lua_pushvalue(L, -2)
      if (type === LuaType.number) {
        parts.push('"')
        this.number()
        parts.push('"')
      } else if (type === LuaType.string) {
        this.string()
      } else {
        this.refuse('table key must be a number or string')
      }
      api.lua_settop(L, -2)
      parts.push(':')
      this.append(depth)
      api.lua_settop(L, -2)
    }
    parts.push('}')
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON escapes them
const ESCAPED = /["\\/\x00-\x1f\x7f]/g
const shortEscapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '/': '\\/',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
}

function escapeCharacter(char: string): string {
  return shortEscapes[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** Lua's names of its types. */
const typeNames: Readonly<Record<number, string>> = {
  [LuaType.nil]: 'nil',
  [LuaType.boolean]: 'boolean',
  [LuaType.lightUserdata]: 'userdata',
  [LuaType.number]: 'number',
  [LuaType.string]: 'string',
  [LuaType.table]: 'table',
  [LuaType.function]: 'function',
  [LuaType.userdata]: 'userdata',
  [LuaType.thread]: 'thread',
}
