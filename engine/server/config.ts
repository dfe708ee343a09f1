/**
 * Configuration as the parts of the server read it, and `createConfig`, which holds it. The typed table behind it is
 * `config-table.ts`; how a file and command line are read is `config-file.ts`, how they are written back
 * `config-rewrite.ts`.
 */
import { createHash } from 'node:crypto'
import { globMatch } from '../data/glob.ts'
import { resolvePath } from '../data/path.ts'
import { type Disk, IoError } from '../io.ts'
import { type ConfigDirectives, ConfigError, type ConfigLine, readDirectives } from './config-file.ts'
import { type Parameter, type Parsed, wordsOf } from './config-kinds.ts'
import { rewriteFile } from './config-rewrite.ts'
import { type ConfigName, type ConfigValues, configTable } from './config-table.ts'
import { errorText } from './system-errors.ts'

/** Who asks for a change; decides about protected parameters. `inside`: the server itself or its harness. */
export type ConfigOrigin = 'inside' | 'local' | 'remote'

export interface Config {
  /**
   * Current values by their modern name, parsed: numbers, booleans, text, lists. Sizes are bytes; times in the
   * parameter's own unit.
   */
  readonly values: Readonly<ConfigValues>
  /** What the file said beside parameters: renamed commands, users, modules. */
  readonly directives: ConfigDirectives
  /** The configuration file's absolute path; undefined when the server runs without one. */
  readonly filePath: string | undefined
  /** What `CONFIG GET` prints for a parameter. */
  textOf(name: ConfigName): string
  /** `CONFIG GET`: name and text of each parameter that one of `patterns` (globs, any case) matches. */
  matching(patterns: readonly string[]): readonly (readonly [name: string, text: string])[]
  /** The parameter behind a name or alias, in any case. */
  find(name: string): ConfigName | undefined
  /** A secret: not to be shown in logs, MONITOR or SLOWLOG. */
  isSensitive(name: string): boolean
  /**
   * `CONFIG SET`: all pairs or none. Undefined or Redis's error message (`ERR …`): for unknown, immutable, protected
   * or repeated parameters, bad values, and changes that a hook of `onApply` refused.
   */
  set(pairs: readonly (readonly [name: string, value: string])[], origin?: ConfigOrigin): string | undefined
  /** Records what the server decided by other means (REPLICAOF changes `replicaof`). Runs no hooks. */
  note(name: ConfigName, words: readonly string[]): void
  /** Called after the parameter was changed at run time. */
  onChange(name: ConfigName, callback: () => void): void
  /**
   * Puts a change into effect at run time, before `onChange`; a text refuses it: the old values are restored and the
   * hooks of the changed parameters are called again.
   */
  onApply(name: ConfigName, callback: () => string | undefined): void
  /** A path as the server's working directory (`dir`) resolves it. */
  pathOf(path: string): string
  /** Writes the configuration file back (`CONFIG REWRITE`); undefined or an error message. */
  rewrite(all?: boolean): string | undefined
  /**
   * Lines for `user` in the rewritten file, as ACL LIST prints them without `user`. Replaced by whoever holds the ACL.
   */
  describeUsers: () => readonly string[]
}

export interface ConfigOptions {
  /** Parameters by name, as in a configuration file: `{ port: 7000, save: '' }`. Applied after `lines`. */
  settings?: Readonly<Record<string, string | number | boolean>>
  /** Lines of the configuration file and of the command line, in order. */
  lines?: readonly ConfigLine[]
  /** Absolute path for `rewrite`. */
  filePath?: string
  /** Absolute path that relative ones start from until `dir` is set. `/` when left out. */
  workingDirectory?: string
  /** Whether a command exists, for `rename-command`. Left out: `rename-command` is not checked against names. */
  isCommand?: (name: string) => boolean
  /** Answers while a data set is being loaded: some parameters cannot be changed then. */
  isLoading?: () => boolean
}

interface Setting {
  readonly parameter: Parameter<unknown>
  value: unknown
  text: string
}

const parameters = Object.entries(configTable) as unknown as [ConfigName, Parameter<unknown>][]
const names: readonly ConfigName[] = parameters.map(([name]) => name)

/** Every name and alias → the modern name. */
const namesByAlias = new Map<string, ConfigName>(
  parameters.flatMap(([name, { options }]) =>
    [name, ...(options.aliases ?? [])].map((alias) => [alias, name] as const),
  ),
)

/**
 * The configuration of one server.
 * @throws {ConfigError} on a line or setting that redis-server would refuse
 */
export function createConfig(disk: Disk, options: ConfigOptions = {}): Config {
  return new StoredConfig(disk, options)
}

class StoredConfig implements Config {
  readonly values: ConfigValues
  readonly directives: ConfigDirectives
  readonly filePath: string | undefined
  describeUsers = (): readonly string[] => [defaultUser(this.values.requirepass)]
  private readonly disk: Disk
  private readonly isLoading: () => boolean
  private readonly settings = new Map<ConfigName, Setting>()
  private readonly applyHooks: { name: ConfigName; callback: () => string | undefined }[] = []
  private readonly changeHooks: { name: ConfigName; callback: () => void }[] = []

  constructor(disk: Disk, options: ConfigOptions) {
    this.disk = disk
    this.filePath = options.filePath
    this.isLoading = options.isLoading ?? (() => false)
    this.values = {} as ConfigValues
    for (const [name, parameter] of parameters) {
      this.settings.set(name, { parameter, value: undefined, text: '' })
      this.store(name, parameter.initial, parameter.initialText)
    }
    const directory = options.workingDirectory ?? '/'
    this.store('dir', directory, directory)
    this.directives = readDirectives(options.lines ?? [], {
      disk,
      pathOf: (path) => this.pathOf(path),
      find: (name) => this.find(name),
      load: (name, words, isFirst) => this.load(name, words, isFirst),
      isCommand: options.isCommand ?? (() => true),
    })
    for (const [name, value] of Object.entries(options.settings ?? {})) this.loadSetting(name, value)
    this.checkWhole()
  }

  textOf(name: ConfigName): string {
    return this.setting(name).text
  }

  matching(patterns: readonly string[]): (readonly [name: string, text: string])[] {
    const found = new Map<string, readonly [string, string]>()
    for (const pattern of patterns) {
      if (!/[[*?]/.test(pattern)) {
        const name = namesByAlias.get(pattern.toLowerCase())
        const known = found.has(pattern.toLowerCase())
        if (name !== undefined && !known) found.set(pattern.toLowerCase(), [pattern, this.textOf(name)])
        continue
      }
      const glob = Buffer.from(pattern.toLowerCase())
      for (const [alias, name] of namesByAlias) {
        if (this.setting(name).parameter.options.hidden === true || found.has(alias)) continue
        if (globMatch(glob, Buffer.from(alias))) found.set(alias, [alias, this.textOf(name)])
      }
    }
    return [...found.values()]
  }

  find(name: string): ConfigName | undefined {
    return namesByAlias.get(name.toLowerCase())
  }

  isSensitive(name: string): boolean {
    const found = this.find(name)
    return found !== undefined && this.setting(found).parameter.options.sensitive === true
  }

  set(pairs: readonly (readonly [name: string, value: string])[], origin: ConfigOrigin = 'inside'): string | undefined {
    const chosen: { name: ConfigName; alias: string }[] = []
    for (const [given] of pairs) {
      const name = this.find(given)
      const alias = given.toLowerCase()
      if (name === undefined) return `ERR Unknown option or number of arguments for CONFIG SET - '${given}'`
      const refusal = this.refusal(name, origin)
      if (refusal !== undefined) return failure(given, refusal)
      // As in Redis a name and its alias do not count as the same: the later one wins.
      if (chosen.some((earlier) => earlier.alias === alias)) return failure(given, 'duplicate parameter')
      if (this.isLoading() && this.setting(name).parameter.options.denyLoading === true) {
        return `LOADING Failed to set the following configuration because it is not allowed during loading: ${given}`
      }
      chosen.push({ name, alias })
    }
    const before = new Map(chosen.map(({ name }) => [name, { ...this.setting(name) }]))
    const restore = () => before.forEach(({ value, text }, name) => void this.store(name, value, text))
    for (const [i, { name, alias }] of chosen.entries()) {
      const error = this.change(name, pairs[i]?.[1] ?? '')
      if (error === undefined) continue
      restore()
      return failure(alias, error)
    }
    const changed = [...before].filter(([name, { text }]) => this.textOf(name) !== text).map(([name]) => name)
    const refused = this.apply(changed)
    if (refused !== undefined) {
      restore()
      this.apply(changed)
      return failure(chosen.findLast(({ name }) => name === refused.name)?.alias ?? refused.name, refused.error)
    }
    for (const { name, callback } of this.changeHooks) if (changed.includes(name)) callback()
    return undefined
  }

  note(name: ConfigName, words: readonly string[]): void {
    const error = this.load(name, words, true)
    if (error !== undefined) throw new ConfigError(error)
  }

  onChange(name: ConfigName, callback: () => void): void {
    this.changeHooks.push({ name, callback })
  }

  onApply(name: ConfigName, callback: () => string | undefined): void {
    this.applyHooks.push({ name, callback })
  }

  pathOf(path: string): string {
    return resolvePath(this.values.dir, path)
  }

  rewrite(all = false): string | undefined {
    if (this.filePath === undefined) return 'ERR The server is running without a config file'
    const settings = names.map((name) => {
      const { parameter, value, text } = this.setting(name)
      return { name, parameter, value, text }
    })
    try {
      rewriteFile(this.disk, this.filePath, settings, this.describeUsers(), (name) => this.find(name), all)
      return undefined
    } catch (error) {
      if (error instanceof IoError) return `ERR Rewriting config file: ${errorText(error)}`
      throw error
    }
  }

  private setting(name: ConfigName): Setting {
    return this.settings.get(name) as Setting
  }

  private store(name: ConfigName, value: unknown, text: string): void {
    Object.assign(this.setting(name), { value, text })
    ;(this.values as unknown as Record<string, unknown>)[name] = value
  }

  /** Why `CONFIG SET` of this parameter is refused, whatever the value. */
  private refusal(name: ConfigName, origin: ConfigOrigin): string | undefined {
    const { options } = this.setting(name).parameter
    if (options.immutable === true) return "can't set immutable config"
    const allowed = this.values['enable-protected-configs']
    const open = origin === 'inside' || allowed === 'yes' || (allowed === 'local' && origin === 'local')
    return options.protected === true && !open ? "can't set protected config" : undefined
  }

  private change(name: ConfigName, value: string): string | undefined {
    const { parameter } = this.setting(name)
    const error = this.load(name, wordsOf(parameter, value), true)
    const { runtimeMin } = parameter.options
    if (error === undefined && runtimeMin !== undefined && (this.setting(name).value as number) < runtimeMin) {
      this.store(name, runtimeMin, String(runtimeMin))
    }
    return error
  }

  private load(name: ConfigName, words: readonly string[], replaces: boolean): string | undefined {
    const { parameter, value } = this.setting(name)
    let parsed = parameter.parse(words, value, replaces)
    if (name === 'dir' && !('error' in parsed)) parsed = this.directory(parsed.text)
    if ('error' in parsed) return parsed.error
    this.store(name, parsed.value, parsed.text)
    return undefined
  }

  private loadSetting(given: string, value: string | number | boolean): void {
    const name = this.find(given)
    if (name === undefined) throw new ConfigError(`Unknown parameter '${given}'`)
    const text = typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value)
    const error = this.change(name, text)
    if (error !== undefined) throw new ConfigError(`${given} ${text}: ${error}`)
  }

  /** What only shows when everything has been read. */
  private checkWhole(): void {
    const { logfile } = this.values
    if (logfile !== '') {
      try {
        this.disk.open(this.pathOf(logfile), 'append').close()
      } catch (error) {
        if (!(error instanceof IoError)) throw error
        throw new ConfigError(`Can't open the log file: ${errorText(error)}`)
      }
    }
    if (this.values['cluster-enabled'] && this.values.replicaof !== undefined) {
      throw new ConfigError('replicaof directive not allowed in cluster mode')
    }
  }

  /** `dir` is where the server goes, as with chdir: it must exist, and the value is absolute from then on. */
  private directory(given: string): Parsed<string> {
    const path = this.pathOf(given)
    const status = given === '' ? undefined : this.disk.status(path)
    if (status === undefined) return { error: 'No such file or directory' }
    return status.isDirectory ? { value: path, text: path } : { error: 'Not a directory' }
  }

  private apply(changed: readonly ConfigName[]): { name: ConfigName; error: string } | undefined {
    for (const { name, callback } of this.applyHooks) {
      const error = changed.includes(name) ? callback() : undefined
      if (error !== undefined) return { name, error }
    }
    return undefined
  }
}

function failure(given: string, error: string): string {
  return `ERR CONFIG SET failed (possibly related to argument '${given}') - ${error}`
}

function defaultUser(password: string): string {
  const secret = password === '' ? 'nopass' : `#${createHash('sha256').update(password).digest('hex')}`
  return `default on ${secret} ~* &* +@all`
}
