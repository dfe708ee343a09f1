/** Topologies as data. `cluster.ts` and `standalone.ts` build them, `start.ts` chooses. */

export type TopologySpec = ClusterSpec | StandaloneSpec

export interface ClusterSpec {
  kind: 'cluster'
  primaries: number
  replicasPerPrimary: number
  /** Parameters for every node; an arm's settings win over these. */
  config: Readonly<Record<string, string>>
}

/** One server called `server`. */
export interface StandaloneSpec {
  kind: 'standalone'
  /** Parameters of the server; an arm's settings win over these. */
  config: Readonly<Record<string, string>>
}

export function cluster(spec: Omit<ClusterSpec, 'kind'>): ClusterSpec {
  return { kind: 'cluster', ...spec }
}

export function standalone(spec: Omit<StandaloneSpec, 'kind'>): StandaloneSpec {
  return { kind: 'standalone', ...spec }
}

/** `primary-1` … and `replica-1` … (with several replicas each: `replica-1a`, `replica-1b`). */
export function clusterNodeNames(spec: ClusterSpec): { primaries: string[]; replicas: { name: string; of: string }[] } {
  const primaries = Array.from({ length: spec.primaries }, (_, i) => `primary-${i + 1}`)
  const replicas = primaries.flatMap((primary, i) =>
    Array.from({ length: spec.replicasPerPrimary }, (_, j) => {
      const letter = spec.replicasPerPrimary > 1 ? String.fromCharCode(97 + j) : ''
      return { name: `replica-${i + 1}${letter}`, of: primary }
    }),
  )
  return { primaries, replicas }
}

/** Names of all nodes, in the order in which they are started. */
export function nodeNames(spec: TopologySpec): string[] {
  if (spec.kind === 'standalone') return ['server']
  const { primaries, replicas } = clusterNodeNames(spec)
  return [...primaries, ...replicas.map(({ name }) => name)]
}
