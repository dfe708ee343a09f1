/** Where the WebAssembly program of Lua lies: in the package `wasmoon-lua5.1`, beside the sources or the bundle. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

let program: Uint8Array | undefined

/** Read once per process, however many servers it holds. */
export function readLuaProgram(): Uint8Array {
  program ??= readFileSync(createRequire(import.meta.url).resolve('wasmoon-lua5.1/dist/liblua5.1.wasm'))
  return program
}
