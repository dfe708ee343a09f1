/**
 * What a script returns, as a reply: Redis's table of conversions, in the client's protocol.
 *
 * A table is, in this order of precedence, an error (`err`), a status (`ok`), a number (`double`), a map, a set, a big
 * number, a verbatim string, or else an array up to its first nil.
 */
import type { Reply } from '../resp/reply.ts'
import type { CommandRecord } from '../server/command-table.ts'
import { LuaType } from './lua-api.ts'
import type { LuaProgram } from './lua-program.ts'
import type { ScriptRun } from './script-run.ts'
import { toInt64 } from './string-format.ts'

const STACK_LIMIT = 'ERR reached lua stack limit'
/** Maps and sets within each other; arrays go as deep as Lua's stack. */
const RECURSION_MAX = 500

export class ScriptReply {
  private readonly program: LuaProgram
  private readonly L: number
  private readonly reply: Reply
  private readonly scriptProtocol: 2 | 3
  private readonly record: CommandRecord
  private depth = 0

  constructor(run: ScriptRun, L: number, reply: Reply) {
    this.program = run.machine.program
    this.L = L
    this.reply = reply
    this.scriptProtocol = run.protocol
    this.record = run.record
  }

  /** Replies the value on top of the stack and pops it. */
  writeTop(): void {
    const { L, program, depth } = this
    const { api } = program
    const open: { index: number; remaining: number }[] = []
    let isOpening = this.writeOrOpen(open)
    for (;;) {
      if (!isOpening) api.lua_settop(L, -2)
      const level = open[open.length - 1]
      if (level === undefined) break
      if (level.remaining === 0) {
        open.pop()
        isOpening = false
        continue
      }
      level.remaining--
      api.lua_rawgeti(L, -1, ++level.index)
      isOpening = this.writeOrOpen(open)
    }
    this.depth = depth
  }

  /** Writes the value on top; true when it is an array, whose items come next. */
  private writeOrOpen(open: { index: number; remaining: number }[]): boolean {
    const { L, program, reply } = this
    const { api } = program
    if (api.lua_checkstack(L, 4) === 0 || this.depth > RECURSION_MAX) {
      reply.error(STACK_LIMIT)
      return false
    }
    switch (api.lua_type(L, -1)) {
      case LuaType.string: {
        const pointer = program.stringAt(L, -1)
        reply.bulk(program.bytes, pointer, pointer + program.stringLength)
        return false
      }
      case LuaType.boolean:
        this.writeBoolean(api.lua_toboolean(L, -1) !== 0)
        return false
      case LuaType.number:
        reply.integer(wholeNumber(api.lua_tonumber(L, -1)))
        return false
      case LuaType.table:
        break
      default:
        reply.nil()
        return false
    }
    if (this.writeTagged()) return false
    const length = this.arrayLength()
    reply.array(length)
    open.push({ index: 0, remaining: length })
    return true
  }

  private writeBoolean(value: boolean): void {
    if (this.scriptProtocol === 3) this.reply.boolean(value)
    else if (value) this.reply.integer(1)
    else this.reply.nil()
  }

  private arrayLength(): number {
    const { api } = this.program
    for (let length = 0; ; length++) {
      api.lua_rawgeti(this.L, -1, length + 1)
      const type = api.lua_type(this.L, -1)
      api.lua_settop(this.L, -2)
      if (type === LuaType.nil) return length
    }
  }

  /** Pushes the field when it has the type; otherwise nothing stays. */
  private pushField(name: string, type: number): boolean {
    const { api } = this.program
    this.program.pushText(this.L, name)
    api.lua_rawget(this.L, -2)
    if (api.lua_type(this.L, -1) === type) return true
    api.lua_settop(this.L, -2)
    return false
  }

  /** A table that stands for a single value of RESP. */
  private writeTagged(): boolean {
    const { program, reply, L } = this
    const { api } = program
    if (this.pushField('err', LuaType.string)) {
      const message = program.textAt(L, -1) as string
      api.lua_settop(L, -2)
      this.writeError(message)
      return true
    }
    if (this.pushField('ok', LuaType.string)) reply.simple(cText(program, L).replace(/[\r\n]/g, ' '))
    else if (this.pushField('double', LuaType.number)) this.writeDouble()
    else if (this.pushField('map', LuaType.table)) this.writePairs(true)
    else if (this.pushField('set', LuaType.table)) this.writePairs(false)
    else if (this.pushField('big_number', LuaType.string)) {
      reply.bigNumber((program.textAt(L, -1) as string).replace(/[\r\n]/g, ' '))
    } else if (this.pushField('verbatim_string', LuaType.table)) {
      if (!this.writeVerbatim()) return false
    } else return false
    api.lua_settop(L, -2)
    return true
  }

  private writeDouble(): void {
    const { program, reply, L } = this
    const text = program.numberText(L, -1)
    if (reply.protocol === 3) reply.raw(Buffer.from(`,${text}\r\n`))
    else reply.latin1(text)
  }

  /** The error of a table with `err`, which is on top. */
  private writeError(message: string): void {
    this.program.pushText(this.L, 'ignore_error_stats_update')
    this.program.api.lua_rawget(this.L, -2)
    const isCounted = this.program.api.lua_toboolean(this.L, -1) !== 0
    this.program.api.lua_settop(this.L, -2)
    writeError(this.reply, message, isCounted, this.record)
  }

  private writePairs(hasValues: boolean): void {
    const { L, reply } = this
    const { api } = this.program
    let count = 0
    api.lua_pushnil(L)
    while (api.lua_next(L, -2) !== 0) {
      count++
      api.lua_settop(L, -2)
    }
    if (hasValues) reply.map(count)
    else reply.set(count)
    this.depth++
    api.lua_pushnil(L)
    while (api.lua_next(L, -2) !== 0) {
      api.lua_pushvalue(L, -2)
      this.writeTop()
      if (hasValues) this.writeTop()
      else api.lua_settop(L, -2)
    }
    this.depth--
  }

  /** False, and nothing stays on the stack, when `format` or `string` is missing. */
  private writeVerbatim(): boolean {
    const { program, L } = this
    if (this.pushField('format', LuaType.string)) {
      const format = program.textAt(L, -1) as string
      program.api.lua_settop(L, -2)
      if (this.pushField('string', LuaType.string)) {
        this.reply.verbatim(format.slice(0, 3), (program.copyAt(L, -1) as Buffer).toString('utf8'))
        program.api.lua_settop(L, -2)
        return true
      }
    }
    program.api.lua_settop(L, -2)
    return false
  }
}

/** `isCounted`: it was an error of a command already; now only the script's own command has failed as well. */
export function writeError(reply: Reply, message: string, isCounted: boolean, record: CommandRecord): void {
  if (isCounted) {
    reply.raw(Buffer.from(`-${message.replace(/[\r\n]/g, ' ')}\r\n`, 'latin1'))
    record.failedCalls++
  } else {
    reply.error(message)
  }
}

function cText(program: LuaProgram, L: number): string {
  return (program.textAt(L, -1) as string).split('\0')[0] as string
}

/** C's conversion of a double to `long long`. */
function wholeNumber(value: number): number | bigint {
  return Number.isSafeInteger(value) ? value + 0 : Math.abs(value) < 2 ** 53 ? Math.trunc(value) + 0 : toInt64(value)
}
