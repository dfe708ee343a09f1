/** Configuration as the parts of the server read it. The typed table behind it is `config-table.ts`. */
import type { ConfigValues } from './config-table.ts'

export interface Config {
  /** Current values by their modern name, parsed: numbers, booleans, text, lists. Sizes are bytes; times in the parameter's own unit. */
  readonly values: Readonly<ConfigValues>
  /** `CONFIG SET` from within (for example `cluster-enabled` is immutable and refused): undefined or Redis's error message. */
  set(pairs: readonly (readonly [name: string, value: string])[]): string | undefined
  /** Called after the parameter was changed at run time. */
  onChange(name: keyof ConfigValues, callback: () => void): void
  /** Writes the configuration file back (`CONFIG REWRITE`); undefined or an error message. */
  rewrite(): string | undefined
}
