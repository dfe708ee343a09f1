/**
 * Lua 5.1 as a WebAssembly program: one instance, with a memory of its own.
 *
 * The program is the build of the package `wasmoon-lua5.1`; its JavaScript is not used, because it instantiates
 * asynchronously, is not safe for binary strings, and lets scripts reach files. What the program imports is provided
 * here: exceptions (C's setjmp and longjmp, which Lua's errors are made of), growth of memory, and nothing of a world
 * outside: every system call fails.
 *
 *     Lua error:   lua_error → longjmp → `throw LONG_JUMP` … unwinds to the `invoke_vii` of the pcall or resume
 *
 * So a C function written in JavaScript may raise a Lua error at any call of the API, and must not catch what it does
 * not know. It must leave nothing half done behind when it does.
 *
 * Addresses are numbers. Views on the memory are replaced when it grows, which any call that allocates may do: read
 * `bytes` anew after each call.
 */
import { formatDouble } from '../data/double-text.ts'
import { instantiate, PAGE_BYTES } from '../data/web-assembly.ts'
import { type LuaExports, LuaStatus } from './lua-api.ts'

/** Unwinds to the innermost protected call. Never catch it. */
const LONG_JUMP = Symbol('longjmp')

export class LuaProgram {
  readonly api: LuaExports
  /** All memory. Replaced when it grows. */
  bytes: Buffer
  private words: Uint32Array
  private readonly functions: ((...args: number[]) => number)[] = []
  private readonly constants = new Map<string, number>()
  /** Room for a size that C writes, and for text on its way in. */
  private readonly sizePointer: number
  private scratch: number
  private scratchBytes = SCRATCH_BYTES

  /** @param memoryMaxBytes what the instance may grow to; then Lua raises "not enough memory" */
  constructor(program: Uint8Array, memoryMaxBytes: number) {
    const env = {
      _emscripten_throw_longjmp: () => {
        throw LONG_JUMP
      },
      invoke_vii: (index: number, first: number, second: number) => this.invoke(index, first, second),
      emscripten_resize_heap: (wanted: number) => this.grow(wanted >>> 0, memoryMaxBytes),
      emscripten_memcpy_js: (to: number, from: number, size: number) => this.bytes.copyWithin(to, from, from + size),
    }
    const nothing = { environ_sizes_get: () => 0, environ_get: () => 0 }
    this.api = instantiate(program, (names) => {
      const imports: Record<string, Record<string, unknown>> = {}
      for (const { module, name } of names) {
        imports[module] ??= {}
        imports[module][name] = refuseSystemCall
      }
      Object.assign(imports.env ?? {}, env)
      Object.assign(imports.wasi_snapshot_preview1 ?? {}, nothing)
      return imports
    }) as LuaExports
    this.bytes = Buffer.from(this.api.memory.buffer)
    this.words = new Uint32Array(this.api.memory.buffer)
    this.api.emscripten_stack_init()
    this.api.__wasm_call_ctors()
    this.sizePointer = this.api.malloc(8)
    this.scratch = this.api.malloc(this.scratchBytes)
  }

  private invoke(index: number, first: number, second: number): void {
    const { api } = this
    const stack = api.stackSave()
    try {
      this.functionAt(index)(first, second)
    } catch (error) {
      api.stackRestore(stack)
      if (error !== LONG_JUMP) throw error
      api.setThrew(1, 0)
    }
  }

  private grow(wantedBytes: number, maxBytes: number): number {
    const { memory } = this.api
    const now = memory.buffer.byteLength
    if (wantedBytes > maxBytes) return 0
    const target = Math.min(maxBytes, Math.max(wantedBytes, now + Math.min(now / 4, GROWTH_MAX_BYTES)))
    try {
      memory.grow(Math.ceil((target - now) / PAGE_BYTES))
    } catch {
      return 0 // The host has no more: Lua gets a null pointer and raises its error.
    }
    this.bytes = Buffer.from(memory.buffer)
    this.words = new Uint32Array(memory.buffer)
    return 1
  }

  /** Makes C functions of JavaScript ones; answers the table index of the first. */
  addFunctions(functions: readonly ((...args: number[]) => number | undefined)[], signature: Signature): number {
    const table = this.api.__indirect_function_table
    const provided = Object.fromEntries(functions.map((one, i) => [`f${i}`, one]))
    const exported = instantiate(trampolines(functions.length, signature), () => ({ e: provided }))
    const first = table.length
    table.grow(functions.length)
    functions.forEach((_, i) => {
      table.set(first + i, (exported as Record<string, unknown>)[`f${i}`])
    })
    return first
  }

  /** The function at an index of the table, to be called directly: in the frame of the caller. */
  functionAt(index: number): (...args: number[]) => number {
    let found = this.functions[index]
    if (found === undefined) {
      found = this.api.__indirect_function_table.get(index)
      this.functions[index] = found
    }
    return found
  }

  /** Address of a constant text with a zero byte behind it; kept for good. */
  constant(text: string): number {
    let pointer = this.constants.get(text)
    if (pointer === undefined) {
      pointer = this.api.malloc(text.length + 1)
      this.bytes.write(`${text}\0`, pointer, 'latin1')
      this.constants.set(text, pointer)
    }
    return pointer
  }

  word(address: number): number {
    return this.words[address >>> 2] as number
  }

  setWord(address: number, value: number): void {
    this.words[address >>> 2] = value
  }

  // ---- strings

  /** Room for `size` bytes on the way in. */
  private room(L: number, size: number): number {
    if (size > this.scratchBytes || (this.scratchBytes > SCRATCH_KEPT_BYTES && size <= SCRATCH_BYTES)) {
      const wanted = Math.max(size, SCRATCH_BYTES)
      const other = this.api.malloc(wanted)
      if (other === 0) return this.raise(L, 'not enough memory')
      this.api.free(this.scratch)
      this.scratch = other
      this.scratchBytes = wanted
    }
    return this.scratch
  }

  pushBytes(L: number, source: Uint8Array, start = 0, end = source.length): void {
    const size = end - start
    const to = this.room(L, size)
    if (size < COPY_BY_HAND) {
      const { bytes } = this
      for (let i = 0; i < size; i++) bytes[to + i] = source[start + i] as number
    } else {
      this.bytes.set(source.subarray(start, end), to)
    }
    this.api.lua_pushlstring(L, to, size)
  }

  /** Text with one byte per character. */
  pushText(L: number, text: string): void {
    const to = this.room(L, text.length)
    this.bytes.write(text, to, 'latin1')
    this.api.lua_pushlstring(L, to, text.length)
  }

  /** Length of the string found by the last `stringAt` or `checkString`, in bytes. */
  get stringLength(): number {
    return this.words[this.sizePointer >>> 2] as number
  }

  /** Address of a string (or of a number's text, which it becomes then), 0 for anything else. See `stringLength`. */
  stringAt(L: number, index: number): number {
    return this.api.lua_tolstring(L, index, this.sizePointer)
  }

  /** The same for a C function's argument: anything else is an error. */
  checkString(L: number, argument: number): number {
    return this.api.luaL_checklstring(L, argument, this.sizePointer)
  }

  /** A string or number as text, one character per byte; undefined for anything else. */
  textAt(L: number, index: number): string | undefined {
    const pointer = this.stringAt(L, index)
    return pointer === 0 ? undefined : this.bytes.toString('latin1', pointer, pointer + this.stringLength)
  }

  /** A number as Redis prints it. What is no number has a sign, which only Lua's own conversion can see. */
  numberText(L: number, index: number): string {
    const value = this.api.lua_tonumber(L, index)
    return Number.isNaN(value) ? (this.textAt(L, index) as string) : formatDouble(value)
  }

  /** A copy of a string's bytes. */
  copyAt(L: number, index: number): Buffer | undefined {
    const pointer = this.stringAt(L, index)
    return pointer === 0 ? undefined : Buffer.from(this.bytes.subarray(pointer, pointer + this.stringLength))
  }

  /** C text at an address, up to its zero byte. */
  cText(pointer: number): string {
    return this.bytes.toString('latin1', pointer, this.bytes.indexOf(0, pointer))
  }

  /** Loads a chunk of source: the function, or the message, is pushed. Answers a `LuaStatus`. Bytecode is refused. */
  load(L: number, text: Buffer, name: string): number {
    const { api } = this
    // With a space before it bytecode goes to the parser, which says of it what Redis's says.
    const source = text[0] === BYTECODE ? Buffer.concat([SPACE, text]) : text
    const at = api.malloc(source.length + 1)
    if (at === 0) {
      this.pushText(L, 'not enough memory')
      return LuaStatus.outOfMemory
    }
    this.bytes.set(source, at)
    const status = api.luaL_loadbuffer(L, at, source.length, this.constant(name))
    api.free(at)
    return status
  }

  // ---- errors

  /** Raises a Lua error with this message as it is. */
  raise(L: number, message: string): never {
    this.pushText(L, message)
    return this.raiseTop(L)
  }

  /** Raises the value on top of the stack. */
  raiseTop(L: number): never {
    this.api.lua_error(L)
    throw new Error('lua_error has returned')
  }

  /** Raises a Lua error that says where: `user_script:1: message` (C's luaL_error). */
  raiseHere(L: number, message: string): never {
    this.api.luaL_where(L, 1)
    this.pushText(L, message)
    this.api.lua_concat(L, 2)
    return this.raiseTop(L)
  }

  /** C's luaL_argerror: `bad argument #1 to 'f' (message)`. The message must be one of few. */
  raiseArgument(L: number, argument: number, message: string): never {
    this.api.luaL_argerror(L, argument, this.constant(message))
    throw new Error('luaL_argerror has returned')
  }
}

/** `function`: takes the state, answers a count. `hook`: takes the state and an address, answers nothing. */
type Signature = 'function' | 'hook'

/** POSIX's ENOSYS, as emscripten's C library expects it. */
const refuseSystemCall = (): number => -52

/**
 * A WebAssembly program that exports what it imports. Only functions that come out of such a program can be entered
 * into a table.
 */
function trampolines(count: number, signature: Signature): Uint8Array {
  const number = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...number(value >>> 7)])
  const section = (id: number, body: number[]): number[] => [id, ...number(body.length), ...body]
  const name = (text: string): number[] => [text.length, ...Buffer.from(text, 'latin1')]
  const i32 = 0x7f
  const type = signature === 'function' ? [0x60, 1, i32, 1, i32] : [0x60, 2, i32, i32, 0]
  const names = Array.from({ length: count }, (_, i) => `f${i}`)
  return new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, ...type]),
    ...section(2, [...number(count), ...names.flatMap((one) => [...name('e'), ...name(one), 0, 0])]),
    ...section(7, [...number(count), ...names.flatMap((one, i) => [...name(one), 0, ...number(i)])]),
  ])
}

/** First byte of a precompiled chunk. */
export const BYTECODE = 27
const SPACE = Buffer.from(' ')

const COPY_BY_HAND = 32
const GROWTH_MAX_BYTES = 64 * 1024 * 1024
const SCRATCH_BYTES = 4096
const SCRATCH_KEPT_BYTES = 1024 * 1024
