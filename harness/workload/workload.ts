/**
 * Workloads as data. `generator.ts` runs those with a rate, `saturation.ts` the one without, `transactions.ts` five
 * writes at a time, `harness/shop` orders over HTTP.
 */
import type { LockKind } from '../shop/lock.ts'

export type WorkloadSpec = OpenLoopSpec | SaturationSpec | ShopSpec | TransactionsSpec

/** Operations begin at given times. */
export type OpenLoopSpec = UniqueWritesSpec | OverwritesSpec

interface OpenLoop {
  /** All keys belong to the slots that this node owns at the start; left out: to any. */
  shardOf?: string
  groups: Readonly<Record<string, WriterGroup>>
  /** An operation without an answer for so long has an unknown end. */
  timeoutMs: number
}

/**
 * Every operation sets a key of its own to a value of its own, at a fixed rate (open loop), so that each acknowledged
 * write can be looked for afterwards.
 */
export interface UniqueWritesSpec extends OpenLoop {
  kind: 'unique-writes'
}

/**
 * Every operation sets one of a few keys to a value of a given size, at a fixed rate: an append-only file grows, the
 * data set does not.
 */
export interface OverwritesSpec extends OpenLoop {
  kind: 'overwrites'
  keys: number
  valueBytes: number
}

/** As many operations as the server takes, over so many connections. Real world only. */
export interface SaturationSpec {
  kind: 'saturation'
  connections: number
  /** Requests under way on each connection. */
  pipeline: number
  /** One command; `__key__` and `__data__` are drawn anew for each. */
  words: readonly string[]
  keys: number
  valueBytes: number
  /** So many first: a server that compiles its code as it runs must have run it, however little CPU time it gets. */
  warmupRequests?: number
  /**
   * Nothing is predicted of rates and latencies, only what a driver at its own limit does not change: CPU time, sizes.
   */
  driverMayBeFull?: boolean
  /** Nobody writes at a rate. */
  groups: Readonly<Record<string, never>>
}

/**
 * Orders over HTTP to instances of a shop (harness/shop) that share one lock and one stock on the server. Real world
 * only.
 */
export interface ShopSpec {
  kind: 'shop'
  instances: number
  /** Of the load driver, to each instance. */
  connections: number
  lock: LockKind
  expiryMs: number
  workMs: number
  /** Every so many orders of an instance take `slowMs`; 0: none. */
  slowEvery: number
  slowMs: number
  groups: Readonly<Record<string, never>>
}

/**
 * Clients that each do one transaction after the other: five RPUSH of its number to one list. `calls`: each when the
 * one before is answered; `pipeline`: together; `multi`: together, between MULTI and EXEC; `script`: in one EVALSHA.
 */
export interface TransactionsSpec {
  kind: 'transactions'
  mode: 'calls' | 'pipeline' | 'multi' | 'script'
  groups: Readonly<Record<string, WriterGroup>>
}

export interface WriterGroup {
  label: string
  clients: number
  /** Of the whole group. */
  ratePerSecond: number
}

export function uniqueWrites(spec: Omit<UniqueWritesSpec, 'kind'>): UniqueWritesSpec {
  return { kind: 'unique-writes', ...spec }
}

export function overwrites(spec: Omit<OverwritesSpec, 'kind'>): OverwritesSpec {
  return { kind: 'overwrites', ...spec }
}

export function saturation(spec: Omit<SaturationSpec, 'kind' | 'groups'>): SaturationSpec {
  return { kind: 'saturation', groups: {}, ...spec }
}

export function transactions(mode: TransactionsSpec['mode'], clients: number): TransactionsSpec {
  // A closed loop: there is no rate.
  return { kind: 'transactions', mode, groups: { clients: { label: 'all clients', clients, ratePerSecond: 0 } } }
}

export function shop(spec: Omit<ShopSpec, 'kind' | 'groups'>): ShopSpec {
  return { kind: 'shop', groups: {}, ...spec }
}

/** Names of the clients of each group: `minority-1`, `minority-2`, … */
export function clientsByGroup(spec: Pick<WorkloadSpec, 'groups'>): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries<WriterGroup>(spec.groups).map(([group, { clients }]) => [
      group,
      Array.from({ length: clients }, (_, i) => `${group}-${i + 1}`),
    ]),
  )
}

/** Names of all clients. */
export function clientNames(spec: WorkloadSpec): string[] {
  return Object.values(clientsByGroup(spec)).flat()
}
