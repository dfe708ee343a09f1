/**
 * The part of WebAssembly's interface that the Lua machine and the loops over bits use. TypeScript declares it only
 * together with a browser's globals, which nothing here may touch.
 */
export interface WasmMemory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

export interface WasmTable {
  readonly length: number
  grow(entries: number): number
  get(index: number): (...args: number[]) => number
  set(index: number, value: unknown): void
}

interface WasmModule {
  readonly module?: never
}

declare const WebAssembly: {
  Module: {
    new (program: Uint8Array): WasmModule
    imports(module: WasmModule): { module: string; name: string }[]
  }
  Instance: new (module: WasmModule, imports: Record<string, Record<string, unknown>>) => { exports: unknown }
}

export const PAGE_BYTES = 65_536

const modules = new WeakMap<Uint8Array, WasmModule>()

/** An instance of a program. Programs are compiled once for all servers of a process. */
export function instantiate(
  program: Uint8Array,
  provide: (imports: readonly { module: string; name: string }[]) => Record<string, Record<string, unknown>>,
): unknown {
  let module = modules.get(program)
  if (module === undefined) {
    module = new WebAssembly.Module(program)
    modules.set(program, module)
  }
  return new WebAssembly.Instance(module, provide(WebAssembly.Module.imports(module))).exports
}
