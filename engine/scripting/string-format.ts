/**
 * `string.format` with integers of 64 bits: C's `long` has 32 in WebAssembly. Directives whose argument does not fit
 * are turned into `%s` with the text made here; everything else, errors included, is left to the original.
 */
import { LuaType } from './lua-api.ts'
import type { LuaProgram } from './lua-program.ts'

const DIRECTIVE = /%(?:%|([-+ #0]*)(\d*)(?:\.(\d*))?([a-zA-Z]))/g

/** Rewrites the arguments of a call of string.format on the stack of `L`. */
export function formatIntegers(program: LuaProgram, L: number): void {
  const { api } = program
  if (api.lua_type(L, 1) !== LuaType.string || !hasWideInteger(program, L)) return
  const format = program.textAt(L, 1) as string
  let argument = 1
  let changed = false
  const rewritten = format.replace(DIRECTIVE, (directive, flags, width, precision, type) => {
    if (type === undefined) return directive
    argument++
    if (!'diouxX'.includes(type) || api.lua_type(L, argument) <= LuaType.nil) return directive
    const value = api.lua_tonumber(L, argument)
    if (!isWide(value)) return directive
    changed = true
    program.pushText(L, padded(toText(value, type, precision), flags, Number(width || 0), precision !== undefined))
    api.lua_replace(L, argument)
    return '%s'
  })
  if (!changed) return
  program.pushText(L, rewritten)
  api.lua_replace(L, 1)
}

function isWide(value: number): boolean {
  return !(value >= 0 && value <= 0x7fffffff)
}

function hasWideInteger(program: LuaProgram, L: number): boolean {
  const { api } = program
  for (let i = api.lua_gettop(L); i > 1; i--) {
    const type = api.lua_type(L, i)
    if ((type === LuaType.number || type === LuaType.string) && isWide(api.lua_tonumber(L, i))) return true
  }
  return false
}

/** C's conversion of a double to `long`, as x86 does it: what does not fit becomes the smallest. */
export function toInt64(value: number): bigint {
  if (!(value > -(2 ** 63) && value < 2 ** 63)) return -(1n << 63n)
  return BigInt(Math.trunc(value))
}

function toText(value: number, type: string, precision: string | undefined): string {
  const integer = toInt64(value)
  const unsigned = BigInt.asUintN(64, integer)
  let digits: string
  if (type === 'd' || type === 'i') digits = (integer < 0n ? -integer : integer).toString()
  else if (type === 'u') digits = unsigned.toString()
  else if (type === 'o') digits = unsigned.toString(8)
  else digits = type === 'x' ? unsigned.toString(16) : unsigned.toString(16).toUpperCase()
  digits = digits.padStart(Number(precision || 0), '0')
  return (type === 'd' || type === 'i') && integer < 0n ? `-${digits}` : digits
}

function padded(text: string, flags: string, width: number, hasPrecision: boolean): string {
  const signed = text.startsWith('-')
    ? text
    : flags.includes('+')
      ? `+${text}`
      : flags.includes(' ')
        ? ` ${text}`
        : text
  if (flags.includes('-')) return signed.padEnd(width)
  if (!flags.includes('0') || hasPrecision) return signed.padStart(width)
  const sign = /^[-+ ]/.exec(signed)?.[0] ?? ''
  return sign + signed.slice(sign.length).padStart(width - sign.length, '0')
}
