/**
 * The `bit` library: operations on numbers as 32-bit integers, after LuaJIT's BitOp 1.0.2. Numbers out of range are
 * taken modulo 2³², results are signed.
 */
import type { LuaExports, LuaFunction } from './lua-api.ts'
import type { LuaProgram } from './lua-program.ts'

export function bitLibrary(program: LuaProgram): Readonly<Record<string, LuaFunction>> {
  const { api } = program
  const unary = (operate: (value: number) => number): LuaFunction => {
    return (L) => push(api, L, operate(toBits(api, L, 1)))
  }
  const shift = (operate: (value: number, by: number) => number): LuaFunction => {
    return (L) => {
      const value = toBits(api, L, 1)
      return push(api, L, operate(value, toBits(api, L, 2) & 31))
    }
  }
  const fold = (operate: (left: number, right: number) => number): LuaFunction => {
    return (L) => {
      let value = toBits(api, L, 1)
      for (let i = api.lua_gettop(L); i > 1; i--) value = operate(value, toBits(api, L, i))
      return push(api, L, value)
    }
  }
  return {
    tobit: unary((value) => value),
    bnot: unary((value) => ~value),
    bswap: unary((value) => {
      return (value >>> 24) | ((value >>> 8) & 0xff00) | ((value << 8) & 0xff0000) | (value << 24)
    }),
    band: fold((left, right) => left & right),
    bor: fold((left, right) => left | right),
    bxor: fold((left, right) => left ^ right),
    lshift: shift((value, by) => value << by),
    rshift: shift((value, by) => value >>> by),
    arshift: shift((value, by) => value >> by),
    rol: shift((value, by) => (value << by) | (value >>> ((32 - by) & 31))),
    ror: shift((value, by) => (value << ((32 - by) & 31)) | (value >>> by)),
    tohex: (L) => {
      const value = toBits(api, L, 1)
      const wanted = api.lua_type(L, 2) === -1 ? 8 : toBits(api, L, 2)
      const digits = Math.min(8, Math.abs(wanted))
      const text = (value >>> 0)
        .toString(16)
        .padStart(8, '0')
        .slice(8 - digits)
      program.pushText(L, wanted < 0 ? text.toUpperCase() : text)
      return 1
    },
  }
}

function push(api: LuaExports, L: number, value: number): number {
  api.lua_pushnumber(L, value | 0)
  return 1
}

const view = new DataView(new ArrayBuffer(8))

/** BitOp's conversion: adds 2⁵² + 2⁵¹ and takes the low half of the double, which rounds to even. */
function toBits(api: LuaExports, L: number, argument: number): number {
  const value = api.luaL_checknumber(L, argument)
  if ((value | 0) === value) return value
  view.setFloat64(0, value + 6755399441055744)
  return view.getInt32(4)
}
