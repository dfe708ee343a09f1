/**
 * The Lua program alone: its memory has a bound, its errors do not leave it, and instances know nothing of each other.
 */
import { expect, test } from 'vitest'
import { readLuaProgram } from '../node/lua-program.ts'
import { LuaStatus } from './lua-api.ts'
import { LuaProgram } from './lua-program.ts'

const MEGABYTE = 1024 * 1024

function start(memoryMaxBytes: number) {
  const program = new LuaProgram(readLuaProgram(), memoryMaxBytes)
  const L = program.api.luaL_newstate()
  program.api.luaopen_base(L)
  program.api.luaopen_string(L)
  program.api.lua_settop(L, 0)
  return (source: string): { status: number; text: string | undefined } => {
    const thread = program.api.lua_newthread(L)
    const loaded = program.load(thread, Buffer.from(source), '@test')
    const status = loaded === LuaStatus.ok ? program.api.lua_resume(thread, 0) : loaded
    return { status, text: program.textAt(thread, -1) }
  }
}

test('what needs more memory than there may be ends with an error, and the next script runs', () => {
  const run = start(32 * MEGABYTE)
  const greedy = run("local t = {} while true do t[#t + 1] = string.rep('x', 1e6) .. #t end")
  expect(greedy).toEqual({ status: LuaStatus.outOfMemory, text: 'not enough memory' })
  expect(run('collectgarbage() return 1 + 1')).toEqual({ status: LuaStatus.ok, text: '2' })
})

test('an instance keeps its globals to itself', () => {
  const [one, other] = [start(32 * MEGABYTE), start(32 * MEGABYTE)]
  one('x = 5')
  expect(one('return x').text).toBe('5')
  expect(other('return x').text).toBe(undefined)
})

test('precompiled code is refused', () => {
  const run = start(32 * MEGABYTE)
  expect(run('\x1bLua').text).toContain("unexpected symbol near 'char(27)'")
})
