/**
 * What a command answers to a script, kept until the command is over and then turned into Lua values.
 *
 * Not pushed onto Lua's stack at once, because pushing can raise a Lua error (memory), which must not unwind through a
 * command that is still at work; and not as text, because Lua needs values. The tape is reused: kinds and numbers in
 * two arrays, bytes in one buffer.
 *
 *     HGETALL, two pairs:   kinds  [ map, bulk, bulk, bulk, bulk ]     numbers [ 2, 0…2, 2…5, … ]
 */

import { formatDouble } from '../data/double-text.ts'
import type { Reply } from '../resp/reply.ts'
import type { LuaProgram } from './lua-program.ts'

const Kind = {
  status: 0,
  error: 1,
  integer: 2,
  bulk: 3,
  nil: 4,
  array: 5,
  map: 6,
  set: 7,
  double: 8,
  boolean: 9,
  bigNumber: 10,
  verbatim: 11,
} as const

export class ReplyTape implements Reply {
  protocol: 2 | 3 = 2
  private readonly onError: (message: string) => void
  private readonly kinds: number[] = []
  /** A value, a count, or where the bytes start. */
  private readonly numbers: number[] = []
  /** Where the bytes end. */
  private readonly ends: number[] = []
  private bytes = Buffer.allocUnsafe(FIRST_BYTES)
  private byteCount = 0
  /** Of kinds: the arrays are not emptied, which would call into the runtime. */
  private count = 0
  private at = 0

  constructor(onError: (message: string) => void) {
    this.onError = onError
  }

  clear(): void {
    this.count = 0
    this.byteCount = 0
    if (this.bytes.length > KEPT_BYTES) this.bytes = Buffer.allocUnsafe(FIRST_BYTES)
    if (this.kinds.length > KEPT_KINDS) this.kinds.length = this.numbers.length = this.ends.length = 0
  }

  /** The command has answered an error. */
  get isError(): boolean {
    return this.count > 0 && this.kinds[0] === Kind.error
  }

  private add(kind: number, number: number): void {
    this.note(kind, number, 0)
  }

  private note(kind: number, number: number, end: number): void {
    const { count } = this
    this.kinds[count] = kind
    this.numbers[count] = number
    this.ends[count] = end
    this.count = count + 1
  }

  private addBytes(kind: number, source: Uint8Array, start: number, end: number): void {
    const size = end - start
    if (this.byteCount + size > this.bytes.length) this.grow(size)
    const { bytes } = this
    const from = this.byteCount
    if (size < COPY_BY_HAND) for (let i = 0; i < size; i++) bytes[from + i] = source[start + i] as number
    else bytes.set(source.subarray(start, end), from)
    this.byteCount += size
    this.note(kind, from, this.byteCount)
  }

  private grow(size: number): void {
    const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.byteCount + size))
    this.bytes.copy(larger, 0, 0, this.byteCount)
    this.bytes = larger
  }

  private addText(kind: number, text: string, encoding: 'latin1' | 'utf8' = 'latin1'): void {
    const bytes = Buffer.from(text, encoding)
    this.addBytes(kind, bytes, 0, bytes.length)
  }

  // ---- Reply

  ok(): void {
    this.addBytes(Kind.status, OK, 0, 2)
  }

  simple(text: string): void {
    this.addText(Kind.status, text)
  }

  error(message: string): void {
    this.onError(message)
    this.addText(Kind.error, message.replace(/[\r\n]/g, ' '))
  }

  integer(value: number | bigint): void {
    this.add(Kind.integer, Number(value))
  }

  double(value: number): void {
    if (this.protocol === 3) this.add(Kind.double, value)
    else this.addText(Kind.bulk, formatDouble(value))
  }

  bulk(bytes: Uint8Array, start = 0, end = bytes.length): void {
    this.addBytes(Kind.bulk, bytes, start, end)
  }

  text(value: string): void {
    this.addText(Kind.bulk, value, 'utf8')
  }

  latin1(value: string): void {
    this.addText(Kind.bulk, value)
  }

  nil(): void {
    this.add(Kind.nil, 0)
  }

  nilArray(): void {
    this.add(Kind.nil, 0)
  }

  array(length: number): void {
    this.add(Kind.array, length)
  }

  map(pairs: number): void {
    if (this.protocol === 3) this.add(Kind.map, pairs)
    else this.add(Kind.array, pairs * 2)
  }

  set(length: number): void {
    this.add(this.protocol === 3 ? Kind.set : Kind.array, length)
  }

  push(length: number): void {
    this.add(Kind.array, length)
  }

  boolean(value: boolean): void {
    this.add(this.protocol === 3 ? Kind.boolean : Kind.integer, value ? 1 : 0)
  }

  verbatim(format: string, text: string): void {
    if (this.protocol === 3) this.addText(Kind.verbatim, format + text, 'utf8')
    else this.addText(Kind.bulk, text, 'utf8')
  }

  bigNumber(digits: string): void {
    this.addText(this.protocol === 3 ? Kind.bigNumber : Kind.bulk, digits)
  }

  /** One reply per call, in the protocol of this tape. */
  raw(bytes: Uint8Array): void {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    let at = 0
    while (at < text.length) {
      const end = text.indexOf('\r\n', at, 'latin1')
      const type = String.fromCharCode(text[at] as number)
      const head = text.toString('latin1', at + 1, end)
      at = end + 2
      if (type !== '$' && type !== '=' && type !== '!') {
        this.rawLine(type, head)
        continue
      }
      const size = Number(head)
      if (size < 0) this.nil()
      else if (type === '!') this.addBytes(Kind.error, text, at, at + size)
      else if (type === '=')
        this.verbatim(text.toString('latin1', at, at + 3), text.toString('utf8', at + 4, at + size))
      else this.addBytes(Kind.bulk, text, at, at + size)
      if (size >= 0) at += size + 2
    }
  }

  private rawLine(type: string, head: string): void {
    if (type === '+') this.simple(head)
    else if (type === '-') this.error(head)
    else if (type === ':') this.integer(Number(head))
    else if (type === ',') this.double(Number(head === 'inf' ? '1e999' : head === '-inf' ? '-1e999' : head))
    else if (type === '#') this.boolean(head === 't')
    else if (type === '(') this.bigNumber(head)
    else if (type === '_' || head === '-1') this.nil()
    else if (type === '*' || type === '>') this.array(Number(head))
    else if (type === '%') this.add(Kind.map, Number(head))
    else if (type === '~') this.add(Kind.set, Number(head))
    else throw new Error(`a script cannot take a reply of type ${type}`)
  }

  // ---- to Lua

  /** Pushes the reply as one value. May raise a Lua error. */
  pushTo(program: LuaProgram, L: number): void {
    this.at = 0
    this.pushValue(program, L)
  }

  private pushValue(program: LuaProgram, L: number): void {
    const { api } = program
    const { at } = this
    this.at++
    const number = this.numbers[at] as number
    switch (this.kinds[at]) {
      case Kind.bulk:
        program.pushBytes(L, this.bytes, number, this.ends[at])
        break
      case Kind.integer:
        api.lua_pushnumber(L, number)
        break
      case Kind.nil:
        if (this.protocol === 3) api.lua_pushnil(L)
        else api.lua_pushboolean(L, 0)
        break
      case Kind.boolean:
        api.lua_pushboolean(L, number)
        break
      case Kind.array:
        this.pushArray(program, L, number)
        break
      default:
        this.pushTable(program, L, this.kinds[at] as number, at)
    }
  }

  private pushArray(program: LuaProgram, L: number, length: number): void {
    const { api } = program
    if (api.lua_checkstack(L, STACK_PER_LEVEL) === 0) program.raise(L, 'redis.call() reply is nested too deeply')
    api.lua_createtable(L, length, 0)
    for (let i = 1; i <= length; i++) {
      this.pushValue(program, L)
      api.lua_rawseti(L, -2, i)
    }
  }

  /** Values that Lua has no type for: tables with one field that says what it is. */
  private pushTable(program: LuaProgram, L: number, kind: number, at: number): void {
    const { api } = program
    if (api.lua_checkstack(L, STACK_PER_LEVEL) === 0) program.raise(L, 'redis.call() reply is nested too deeply')
    api.lua_createtable(L, 0, kind === Kind.error ? 2 : 1)
    const number = this.numbers[at] as number
    const end = this.ends[at] as number
    program.pushText(L, fieldNames[kind] as string)
    if (kind === Kind.map || kind === Kind.set) {
      this.pushPairs(program, L, number, kind === Kind.map)
    } else if (kind === Kind.double) {
      api.lua_pushnumber(L, number)
    } else if (kind === Kind.verbatim) {
      api.lua_createtable(L, 0, 2)
      program.pushText(L, 'string')
      program.pushBytes(L, this.bytes, number + 3, end)
      api.lua_rawset(L, -3)
      program.pushText(L, 'format')
      program.pushBytes(L, this.bytes, number, number + 3)
      api.lua_rawset(L, -3)
    } else {
      program.pushBytes(L, this.bytes, number, end)
    }
    api.lua_rawset(L, -3)
    if (kind !== Kind.error) return
    program.pushText(L, 'ignore_error_stats_update')
    api.lua_pushboolean(L, 1)
    api.lua_rawset(L, -3)
  }

  private pushPairs(program: LuaProgram, L: number, count: number, hasValues: boolean): void {
    const { api } = program
    api.lua_createtable(L, 0, count)
    for (let i = 0; i < count; i++) {
      this.pushValue(program, L)
      if (hasValues) this.pushValue(program, L)
      else api.lua_pushboolean(L, 1)
      api.lua_rawset(L, -3)
    }
  }
}

const fieldNames: Readonly<Record<number, string>> = {
  [Kind.status]: 'ok',
  [Kind.error]: 'err',
  [Kind.map]: 'map',
  [Kind.set]: 'set',
  [Kind.double]: 'double',
  [Kind.bigNumber]: 'big_number',
  [Kind.verbatim]: 'verbatim_string',
}

const OK = Buffer.from('OK')
const COPY_BY_HAND = 24
const FIRST_BYTES = 4096
const KEPT_BYTES = 1024 * 1024
const KEPT_KINDS = 65_536
const STACK_PER_LEVEL = 8
