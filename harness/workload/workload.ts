/** Workloads as data. `unique-writes.ts` runs the one kind that there is so far. */

export type WorkloadSpec = UniqueWritesSpec

/**
 * Every operation sets a key of its own to a value of its own, at a fixed rate (open loop), so that each acknowledged
 * write can be looked for afterwards.
 */
export interface UniqueWritesSpec {
  kind: 'unique-writes'
  /** All keys belong to the slots that this node owns at the start. */
  shardOf: string
  groups: Readonly<Record<string, WriterGroup>>
  /** An operation without an answer for so long has an unknown end. */
  timeoutMs: number
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

/** Names of the clients of each group: `minority-1`, `minority-2`, … */
export function clientsByGroup(spec: WorkloadSpec): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(spec.groups).map(([group, { clients }]) => [
      group,
      Array.from({ length: clients }, (_, i) => `${group}-${i + 1}`),
    ]),
  )
}

/** Names of all clients. */
export function clientNames(spec: WorkloadSpec): string[] {
  return Object.values(clientsByGroup(spec)).flat()
}
