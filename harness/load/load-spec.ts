/** What a load run is asked to do, as plain data: it can be printed, stored in a result and sent to a worker thread. */

export interface AddressSpec {
  host: string
  port: number
}

/** Who answers commands that only read. */
export type ReadsFrom = 'primary' | 'replicas'

/** Where the load goes. */
export type TargetSpec =
  | { kind: 'server'; host: string; port: number }
  | { kind: 'unix'; path: string }
  /** A primary; its replicas, as it names them itself, answer reads. */
  | { kind: 'replicas'; host: string; port: number }
  /** The primary that Sentinels know by this name, followed through failovers. */
  | { kind: 'sentinel'; sentinels: readonly AddressSpec[]; name: string; reads: ReadsFrom }
  | { kind: 'cluster'; seeds: readonly AddressSpec[]; reads: ReadsFrom }

/**
 * When operations begin. `closed`: as soon as an earlier one is answered. Everything else is an open loop: operations
 * begin at their planned times, whatever became of earlier ones.
 */
export type ArrivalsSpec =
  | { kind: 'closed' }
  | { kind: 'constant'; ratePerSecond: number }
  /** Gaps are exponential: arrivals of many independent users. */
  | { kind: 'poisson'; ratePerSecond: number }
  /** Rate grows or falls evenly over `overMs`, then stays. */
  | { kind: 'ramp'; fromPerSecond: number; toPerSecond: number; overMs: number }
  /** The rate of each step for `stepMs`; the last one stays. */
  | { kind: 'staircase'; ratesPerSecond: readonly number[]; stepMs: number }
  /** `size` operations at once every `everyMs`, over an even `ratePerSecond` (0: none in between). */
  | { kind: 'burst'; ratePerSecond: number; size: number; everyMs: number }

/** How ids are drawn from 0 … count - 1. */
export type KeyDistribution =
  | { kind: 'uniform' }
  /** Id k is drawn with a probability proportional to 1 / (k + 1)^exponent. */
  | { kind: 'zipf'; exponent: number }
  /** Around the middle; the deviation in ids. Draws outside are repeated. */
  | { kind: 'gaussian'; deviation: number }
  /** 0, 1, 2 … and again; clients take turns. */
  | { kind: 'sequential' }
  /** The first `keys` (a fraction of all) get `share` of the draws. */
  | { kind: 'hot'; keys: number; share: number }

export interface KeysSpec {
  prefix: string
  count: number
  distribution: KeyDistribution
}

/** A whole number, drawn anew for each use. */
export type NumberSpec =
  | { kind: 'fixed'; value: number }
  | { kind: 'uniform'; low: number; high: number }
  /** Bounded to low … high; the median is the geometric middle, most values are small. */
  | { kind: 'skewed'; low: number; high: number }

/**
 * One kind of operation. Words may hold placeholders: `__key__` (prefix and 12 digits of a drawn id), `__id__` (the
 * digits alone), `__again__` (the id drawn last in this operation: several keys with one hash tag), `__rand_int__` (12
 * digits, uniform whatever the distribution, as in redis-benchmark), `__data__` (a value), `__ttl__` (seconds),
 * `__seq__` (12 digits, counts up per client), `__time__` (16 digits, µs since the epoch). Each occurrence is drawn
 * anew.
 */
export interface CommandSpec {
  name: string
  words: readonly string[]
  /** Share of this command among all. */
  weight: number
  /** Followed by WAIT; the operation ends with its answer, and fails when fewer replicas acknowledged. */
  wait?: { replicas: number; timeoutMs: number }
}

/** Loaded on every connection; the word `__sha_NAME__` of a command stands for its digest. */
export interface ScriptSpec {
  name: string
  source: string
}

/**
 * Connections that receive what the load sends. How long a delivery took is known of what begins with the word
 * `__time__` (a message; the first field of a stream entry).
 */
export type ConsumerSpec =
  | { kind: 'subscribe'; channels: readonly string[]; connections: number }
  | { kind: 'stream'; key: string; group: string; connections: number }

/**
 * A capture of MONITOR: its commands at its times, so many times as fast. It takes the place of commands and arrivals.
 */
export interface ReplaySpec {
  file: string
  /** Above 0. */
  speed: number
}

export interface LoadSpec {
  target: TargetSpec
  connections: number
  /** Operations in flight per connection: in a closed loop always so many, in an open loop at most. */
  pipeline: number
  arrivals: ArrivalsSpec
  /** How long operations begin. Null: until `requests` have. */
  durationMs: number | null
  requests: number | null
  /** Load before measuring begins. */
  warmupMs: number
  /** An operation without an answer for so long has timed out; its connection is closed and opened anew. */
  timeoutMs: number
  commands: readonly CommandSpec[]
  scripts: readonly ScriptSpec[]
  consumers: readonly ConsumerSpec[]
  replay: ReplaySpec | null
  keys: KeysSpec
  valueBytes: NumberSpec
  ttlSeconds: NumberSpec
  seed: number
  /** Threads of the driver. They share connections, requests and rate among them. */
  threads: number
  protocol: 2 | 3
  database: number
  /** Left out of results. */
  credentials: { user: string | null; password: string } | null
}

/** What is used where a caller says nothing. */
export const defaultLoad: Omit<LoadSpec, 'target'> = {
  connections: 50,
  pipeline: 1,
  arrivals: { kind: 'closed' },
  durationMs: 10_000,
  requests: null,
  warmupMs: 0,
  timeoutMs: 5_000,
  commands: [
    { name: 'GET', words: ['GET', '__key__'], weight: 9 },
    { name: 'SET', words: ['SET', '__key__', '__data__'], weight: 1 },
  ],
  keys: { prefix: 'key:', count: 100_000, distribution: { kind: 'uniform' } },
  valueBytes: { kind: 'fixed', value: 3 },
  ttlSeconds: { kind: 'fixed', value: 3600 },
  scripts: [],
  consumers: [],
  replay: null,
  seed: 1,
  threads: 1,
  protocol: 2,
  database: 0,
  credentials: null,
}

/** Whether operations begin at planned times. */
export function isOpenLoop({ arrivals, replay }: LoadSpec): boolean {
  return replay !== null || arrivals.kind !== 'closed'
}
