/** The options of `faultline load` as a specification: every text that is not understood says what would be. */
import { HarnessError } from '../errors.ts'
import {
  type ArrivalsSpec,
  type CommandSpec,
  defaultLoad,
  type KeyDistribution,
  type LoadSpec,
  type NumberSpec,
  type TargetSpec,
} from '../load/load-spec.ts'
import { isReadCommand } from '../load/operation.ts'
import { presetCommand, presetNames } from '../load/presets.ts'

export interface LoadOptions {
  h?: string
  p?: string
  s?: string
  u?: string
  a?: string
  user?: string
  c?: string
  n?: string
  P?: string
  d?: string
  r?: string
  t?: string
  l?: boolean
  q?: boolean
  3?: boolean
  dbnum?: string
  rate?: string
  duration?: string
  arrivals?: string
  mix?: string
  keys?: string
  keyPrefix?: string
  ttl?: string
  warmup?: string
  timeout?: string
  seed?: string
  threads?: string
  cluster?: boolean
  sentinel?: string
  replicas?: boolean
  wait?: string
  eval?: string
  subscribe?: string
  consume?: string
  replay?: string
  speed?: string
  findMax?: boolean
  slo?: string
  report?: string
  json?: string
}

/** The words of the command line as they may be shown: no password. */
export function withoutSecrets(words: readonly string[]): string[] {
  return words.map((word, i) => {
    if (words[i - 1] === '-a') return '***'
    if (/^-a./.test(word)) return '-a***'
    return shellWord(word.replace(/(redis:\/\/[^/@]*:)[^@]*@/, '$1***@'))
  })
}

function shellWord(text: string): string {
  return /^[\w./:=,@%+*-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

/** One specification for each test of `-t`, or one for a mix or a command of one's own. */
export function loadSpecs(address: string | undefined, words: readonly string[], options: LoadOptions): LoadSpec[] {
  const uri = options.u === undefined ? undefined : parseUri(options.u)
  const arrivals = parseArrivals(options)
  const requests = options.n === undefined ? null : whole('-n', options.n, 1)
  const common: Omit<LoadSpec, 'commands'> = {
    target: widened(uri?.target ?? parseTarget(address, options), options),
    connections: whole('-c', options.c ?? String(defaultLoad.connections), 1, 100_000),
    // An open loop has no room of its own to set: only what would exhaust memory is held back.
    pipeline: whole('-P', options.P ?? (arrivals.kind === 'closed' ? '1' : '1024'), 1, 1_000_000),
    arrivals,
    durationMs: durationOf(options, requests),
    requests,
    warmupMs: options.warmup === undefined ? 0 : durationMs('--warmup', options.warmup),
    timeoutMs: options.timeout === undefined ? defaultLoad.timeoutMs : durationMs('--timeout', options.timeout),
    keys: parseKeys(options),
    valueBytes: options.d === undefined ? defaultLoad.valueBytes : numberSpec('-d', options.d),
    ttlSeconds: options.ttl === undefined ? defaultLoad.ttlSeconds : numberSpec('--ttl', options.ttl),
    scripts: options.eval === undefined ? [] : [{ name: 'eval', source: options.eval }],
    consumers: parseConsumers(options),
    replay: parseReplay(options),
    threads: options.threads === undefined ? 1 : whole('--threads', options.threads, 1, 256),
    seed: options.seed === undefined ? defaultLoad.seed : whole('--seed', options.seed, 0),
    protocol: options[3] === true ? 3 : 2,
    database: uri?.database ?? (options.dbnum === undefined ? 0 : whole('--dbnum', options.dbnum, 0)),
    credentials: uri?.credentials ?? credentialsOf(options),
  }
  if (common.threads > common.connections) {
    throw bad(`${common.threads} threads need as many connections at least: add -c ${common.threads}, or use fewer.`)
  }
  const wait = options.wait === undefined ? undefined : parseWait(options.wait)
  return commandSets(words, options).map((commands) => ({
    ...common,
    commands: wait === undefined ? commands : commands.map((command) => withWait(command, wait)),
  }))
}

/** `1` or `1:500ms`. */
function parseWait(text: string): NonNullable<CommandSpec['wait']> {
  const [replicas = '', timeout = '1s'] = text.split(':')
  return { replicas: whole('--wait', replicas, 1, 100), timeoutMs: durationMs('The time-out of --wait', timeout) }
}

/** Reads have nothing to wait for. */
function withWait(command: CommandSpec, wait: NonNullable<CommandSpec['wait']>): CommandSpec {
  return isReadCommand(command.words) ? command : { ...command, wait }
}

function bad(message: string): HarnessError {
  return new HarnessError('BAD_OPTION', message)
}

export function whole(option: string, text: string, low: number, high = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < low || value > high) {
    const limit = high === Number.MAX_SAFE_INTEGER ? `of at least ${low}` : `from ${low} to ${high}`
    throw bad(`${option} takes a whole number ${limit}, not '${text}'.`)
  }
  return value
}

function positive(option: string, text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0)
    throw bad(`${option} takes a number above 0, not '${text}'.`)
  return value
}

/** `30`, `30s`, `500ms`, `2m`. */
export function durationMs(option: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text)
  if (match === null) throw bad(`${option} takes a time such as 500ms, 30s or 2m, not '${text}'.`)
  const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
  return Number(match[1]) * units[(match[2] ?? 's') as keyof typeof units]
}

function durationOf(options: LoadOptions, requests: number | null): number | null {
  if (options.replay !== undefined && options.duration === undefined) return null
  if (options.l === true) return null
  if (options.duration !== undefined) return durationMs('--duration', options.duration)
  return requests === null ? defaultLoad.durationMs : null
}

function parseTarget(address: string | undefined, { h, p, s }: LoadOptions): TargetSpec {
  if (address !== undefined && (h !== undefined || p !== undefined || s !== undefined)) {
    throw bad('Name the server once: as HOST:PORT, or with -h and -p, or with -s.')
  }
  if (s !== undefined) return { kind: 'unix', path: s }
  if (address?.startsWith('/') === true) return { kind: 'unix', path: address }
  const text = address ?? `${h ?? '127.0.0.1'}:${p ?? '6379'}`
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]]+)|([0-9a-fA-F:]+)):(\d+)$/.exec(text)
  if (match === null) throw bad(`'${text}' is no address: write HOST:PORT, for example 127.0.0.1:6379.`)
  return {
    kind: 'server',
    host: match[1] ?? match[2] ?? match[3] ?? '',
    port: whole('The port', match[4] ?? '', 1, 65_535),
  }
}

/** What stands behind the address: a server alone, with its replicas, a Sentinel, a cluster. */
function widened(target: TargetSpec, { cluster, sentinel, replicas }: LoadOptions): TargetSpec {
  if (cluster !== true && sentinel === undefined && replicas !== true) return target
  if (cluster === true && sentinel !== undefined) throw bad('Choose one of --cluster and --sentinel.')
  if (target.kind !== 'server') throw bad('--cluster, --sentinel and --replicas need HOST:PORT.')
  const { host, port } = target
  const reads = replicas === true ? 'replicas' : 'primary'
  if (cluster === true) return { kind: 'cluster', seeds: [{ host, port }], reads }
  if (sentinel !== undefined) return { kind: 'sentinel', sentinels: [{ host, port }], name: sentinel, reads }
  return { kind: 'replicas', host, port }
}

/** `news,sport:10` and `stream:group:4`: names, then the number of connections. */
function parseConsumers({ subscribe, consume }: LoadOptions): LoadSpec['consumers'] {
  const rows: LoadSpec['consumers'][number][] = []
  if (subscribe !== undefined) {
    const [channels = '', connections = '1'] = subscribe.split(':')
    const count = whole('The connections of --subscribe', connections, 1, 10_000)
    rows.push({ kind: 'subscribe', channels: channels.split(','), connections: count })
  }
  if (consume !== undefined) {
    const [key = '', group = 'load', connections = '1'] = consume.split(':')
    rows.push({
      kind: 'stream',
      key,
      group,
      connections: whole('The connections of --consume', connections, 1, 10_000),
    })
  }
  return rows
}

function parseReplay({ replay, speed, rate, arrivals }: LoadOptions): LoadSpec['replay'] {
  if (replay === undefined) {
    if (speed !== undefined) throw bad('--speed belongs to --replay.')
    return null
  }
  if (rate !== undefined || arrivals !== undefined)
    throw bad('A capture has its own times: leave out --rate and --arrivals.')
  return { file: replay, speed: speed === undefined ? 1 : positive('--speed', speed) }
}

interface ParsedUri {
  target: TargetSpec
  credentials: LoadSpec['credentials']
  database: number
}

/** `redis://[user:password@]host[:port][/database]`. */
function parseUri(text: string): ParsedUri {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw bad('-u takes redis://[user:password@]host:port/database.')
  }
  if (url.protocol === 'rediss:') throw bad('TLS is not supported: use redis:// or a local tunnel.')
  if (url.protocol !== 'redis:') throw bad('-u takes an address that begins with redis://.')
  const password = decodeURIComponent(url.password)
  const user = decodeURIComponent(url.username)
  return {
    target: { kind: 'server', host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 6379) },
    credentials: password === '' ? null : { user: user === '' ? null : user, password },
    database: url.pathname.length > 1 ? whole('The database of -u', url.pathname.slice(1), 0) : 0,
  }
}

function credentialsOf({ a, user }: LoadOptions): LoadSpec['credentials'] {
  const password = a ?? process.env.REDISCLI_AUTH
  if (password === undefined || password === '') {
    if (user !== undefined) throw bad('--user needs a password: set REDISCLI_AUTH, or use -a.')
    return null
  }
  return { user: user ?? null, password }
}

function parseArrivals({ arrivals, rate }: LoadOptions): ArrivalsSpec {
  const [kind = '', ...rest] = (arrivals ?? (rate === undefined ? 'closed' : 'constant')).split(':')
  const ratePerSecond = rate === undefined ? undefined : positive('--rate', rate)
  const needRate = (): number => {
    if (ratePerSecond === undefined) throw bad(`--arrivals ${kind} needs a rate: add --rate 10000.`)
    return ratePerSecond
  }
  switch (kind) {
    case 'closed':
      if (rate !== undefined) throw bad('A closed loop has no rate: leave out --rate, or use --arrivals constant.')
      return { kind: 'closed' }
    case 'constant':
    case 'poisson':
      return { kind, ratePerSecond: needRate() }
    case 'ramp': {
      const match = /^(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/.exec(rest[0] ?? '')
      if (match === null) throw bad('A ramp is written --arrivals ramp:FROM-TO:TIME, for example ramp:1000-50000:30s.')
      return {
        kind,
        fromPerSecond: Number(match[1]),
        toPerSecond: Number(match[2]),
        overMs: durationMs('The time of the ramp', rest[1] ?? '10s'),
      }
    }
    case 'staircase': {
      const steps = (rest[0] ?? '').split(',').filter((text) => text !== '')
      if (steps.length === 0)
        throw bad('A staircase is written --arrivals staircase:RATE,RATE,…:TIME, for example staircase:1000,5000:10s.')
      return {
        kind,
        ratesPerSecond: steps.map((text) => positive('A step', text)),
        stepMs: durationMs('The time of a step', rest[1] ?? '5s'),
      }
    }
    case 'burst': {
      if (rest.length === 0) throw bad('Bursts are written --arrivals burst:SIZE:EVERY, for example burst:500:1s.')
      return {
        kind,
        ratePerSecond: ratePerSecond ?? 0,
        size: whole('The size of a burst', rest[0] ?? '', 1),
        everyMs: durationMs('The time between bursts', rest[1] ?? '1s'),
      }
    }
    default:
      throw bad(`--arrivals takes closed, constant, poisson, ramp:…, staircase:… or burst:…, not '${kind}'.`)
  }
}

/** `uniform`, `zipf:1.1`, `gaussian:0.1` (deviation as a part of all keys), `sequential`, `hot:0.01:0.9`. */
function parseKeys({ keys, r, keyPrefix }: LoadOptions): LoadSpec['keys'] {
  const count = r === undefined ? defaultLoad.keys.count : whole('-r', r, 1, 999_999_999_999)
  if (count > 2 ** 32) throw bad(`-r takes at most ${2 ** 32} keys.`)
  const [kind = '', first, second] = (keys ?? 'uniform').split(':')
  const distribution = ((): KeyDistribution => {
    switch (kind) {
      case 'uniform':
      case 'sequential':
        return { kind }
      case 'zipf':
        return { kind, exponent: positive('The exponent of zipf', first ?? '1') }
      case 'gaussian':
        return { kind, deviation: Math.max(1e-9, count * positive('The deviation', first ?? '0.1')) }
      case 'hot':
        return { kind, keys: fraction('hot keys', first ?? '0.01'), share: fraction('their share', second ?? '0.9') }
      default:
        throw bad(`--keys takes uniform, zipf:1.1, gaussian:0.1, sequential or hot:0.01:0.9, not '${kind}'.`)
    }
  })()
  return { prefix: keyPrefix ?? defaultLoad.keys.prefix, count, distribution }
}

function fraction(what: string, text: string): number {
  const value = positive(`The fraction of ${what}`, text)
  if (value > 1) throw bad(`The fraction of ${what} is at most 1, not ${text}.`)
  return value
}

/** `100`, `10-1000`, `skewed:10-1000`. */
function numberSpec(option: string, text: string): NumberSpec {
  const match = /^(skewed:)?(\d+)(?:-(\d+))?$/.exec(text)
  const low = Number(match?.[2])
  const high = Number(match?.[3] ?? match?.[2])
  if (match === null || high < low || high > 512 * 1024 * 1024) {
    throw bad(`${option} takes a number, a range such as 10-1000, or skewed:10-1000, not '${text}'.`)
  }
  if (low === high) return { kind: 'fixed', value: low }
  return { kind: match[1] === undefined ? 'uniform' : 'skewed', low, high }
}

function commandSets(words: readonly string[], { t, mix, eval: script }: LoadOptions): (readonly CommandSpec[])[] {
  if (script !== undefined) {
    if (t !== undefined || mix !== undefined) throw bad('--eval is a load of its own: leave out -t and --mix.')
    // As `EVAL`: the number of keys, keys, arguments.
    const rest = words.length > 0 ? words : ['1', '__key__']
    return [[{ name: 'EVALSHA', words: ['EVALSHA', '__sha_eval__', ...rest], weight: 1 }]]
  }
  if ([words.length > 0, t !== undefined, mix !== undefined].filter(Boolean).length > 1) {
    throw bad('Choose one of -t, --mix and a command of your own.')
  }
  if (words.length > 0) return [[{ name: words[0]!.toUpperCase(), words, weight: 1 }]]
  if (t !== undefined) return t.split(',').map((name) => [preset(name, 1)])
  if (mix === undefined) return [defaultLoad.commands]
  return [
    mix.split(',').map((part) => {
      const [name = '', weight = '1'] = part.split('=')
      return preset(name, positive(`The weight of ${name}`, weight))
    }),
  ]
}

function preset(name: string, weight: number): CommandSpec {
  const command = presetCommand(name.trim(), weight)
  if (command === undefined) throw bad(`There is no test '${name}'. There are: ${presetNames.join(', ')}.`)
  return command
}
