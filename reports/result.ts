/**
 * The result contract: everything that a report, a gate or a script may know about a run. One JSON document a run,
 * with a schema and a version; the report page is built from it and from nothing else.
 *
 * Times are milliseconds on the arm's own clock: 0 is the moment the workload began. Series are column arrays of equal
 * length, so that a page can draw them without reshaping.
 */
import * as z from 'zod'

/**
 * 2 added: arms that could not run (`notRun`), the target of each arm, labels and units of measures, curves over
 * several arms, samples that nodes told of themselves; losses and outages may be absent where a scenario has none.
 * `read-result.ts` reads version 1.
 */
export const RESULT_VERSION = 2

/** `unknown` is never success: nothing was measured, the generator was saturated, or the fault never took hold. */
export const verdictSchema = z.enum(['pass', 'fail', 'unknown'])

/** A predicted interval, both ends included, with where it comes from. */
export const predictionSchema = z.object({
  label: z.string(),
  unit: z.string(),
  low: z.number(),
  high: z.number(),
  /** The formula with its names, for example `rate × (T … 1.5 × T)`. */
  formula: z.string(),
  /** The formula with this arm's settings put in. */
  derivation: z.string(),
  /** Where the formula comes from: a document, source file or measurement. */
  source: z.string(),
})

/**
 * `measured` holds at least the counts of operations; scenarios add more numbers under their own names. `predicted`
 * uses the same names. Outages are in ms; an outage that never ended counts up to the end of the run.
 */
export const measuredSchema = z
  .object({
    acknowledged: z.number(),
    refused: z.number(),
    unknown: z.number(),
    lostWrites: z.number().optional(),
    lostWritesByCause: z.record(z.string(), z.number()).optional(),
    outageMs: z.number().optional(),
  })
  .catchall(z.union([z.number(), z.record(z.string(), z.number()), z.undefined()]))

export const evidenceSchema = z.object({
  atMs: z.number().optional(),
  text: z.string(),
})

export const checkResultSchema = z.object({
  name: z.string(),
  verdict: verdictSchema,
  /** One sentence with the figures. */
  sentence: z.string(),
  evidence: z.array(evidenceSchema),
})

export const faultSpanSchema = z.object({
  name: z.string(),
  description: z.string(),
  startMs: z.number(),
  endMs: z.number(),
  /** How the world saw that the fault took hold (for example bytes held by the proxies); empty: it never did. */
  tookHold: z.string(),
})

/**
 * What one node was between two times, as it said of itself. `epoch` is its configuration epoch, null where there is
 * none.
 */
export const nodeSpanSchema = z.object({
  fromMs: z.number(),
  toMs: z.number(),
  role: z.enum(['primary', 'replica', 'down', 'unknown']),
  epoch: z.number().nullable(),
  /** `ok`, `fail`, or empty where the node has no such notion. */
  clusterState: z.string(),
})

export const nodeTimelineSchema = z.object({
  name: z.string(),
  address: z.string(),
  version: z.string(),
  spans: z.array(nodeSpanSchema),
})

/** Operations and latencies of one group of clients per bucket. Latencies are null in a bucket without an answer. */
export const groupSeriesSchema = z.object({
  group: z.string(),
  label: z.string(),
  ok: z.array(z.number()),
  fail: z.array(z.number()),
  unknown: z.array(z.number()),
  p50Ms: z.array(z.number().nullable()),
  p99Ms: z.array(z.number().nullable()),
  maxMs: z.array(z.number().nullable()),
})

export const timelineSchema = z.object({
  durationMs: z.number(),
  bucketMs: z.number(),
  groups: z.array(groupSeriesSchema),
  nodes: z.array(nodeTimelineSchema),
  /** Bytes by which each replica is behind the primary that it follows; null while unknown. */
  replicationGap: z.object({
    timesMs: z.array(z.number()),
    series: z.array(z.object({ node: z.string(), bytes: z.array(z.number().nullable()) })),
  }),
  /** Lost acknowledged writes per bucket and cause. */
  lostWrites: z.array(z.object({ cause: z.string(), label: z.string(), perBucket: z.array(z.number()) })),
  /** Numbers that nodes told of themselves, by name (`aofBytes`). */
  samples: z.array(
    z.object({ node: z.string(), name: z.string(), timesMs: z.array(z.number()), values: z.array(z.number()) }),
  ),
  /** Single moments: promotion, first refusal, heal, … */
  events: z.array(z.object({ atMs: z.number(), node: z.string(), text: z.string() })),
})

export const outageSchema = z.object({
  client: z.string(),
  group: z.string(),
  /** First operation that did not succeed. */
  startMs: z.number(),
  /** First success afterwards; null: none until the end. */
  endMs: z.number().nullable(),
  failedOperations: z.number(),
})

export const armSchema = z.object({
  name: z.string(),
  title: z.string(),
  /** The kind of server that it ran on: with several targets in one run, arms are told apart by it. */
  target: z.string(),
  /** The settings in which this arm differs from the others. */
  settings: z.record(z.string(), z.string()),
  verdict: verdictSchema,
  /** Why, in one sentence. */
  sentence: z.string(),
  predicted: z.record(z.string(), predictionSchema),
  measured: measuredSchema,
  checks: z.array(checkResultSchema),
  /** Percentile (0 … 100) and latency in ms, where a load driver measured it. */
  latencyCurve: z.array(z.tuple([z.number(), z.number()])).optional(),
  faults: z.array(faultSpanSchema),
  timeline: timelineSchema,
  outages: z.array(outageSchema),
  /** The few history lines that show the finding best, oldest first. */
  excerpt: z.array(z.string()),
  /** Every node's configuration as given, secrets replaced. */
  configuration: z.record(z.string(), z.record(z.string(), z.string())),
  /** Path of the recorded history, relative to the result file; null when it was not kept. */
  historyFile: z.string().nullable(),
  traceHash: z.string().nullable(),
})

/** Many seeds of the same scenario: the distribution of each measure. */
export const campaignSchema = z.object({
  runs: z.number(),
  firstSeed: z.number(),
  arms: z.array(
    z.object({
      arm: z.string(),
      pass: z.number(),
      fail: z.number(),
      unknown: z.number(),
      measures: z.array(
        z.object({
          measure: z.string(),
          label: z.string(),
          unit: z.string(),
          /** One value a seed, ascending. */
          values: z.array(z.number()),
          predictedLow: z.number().nullable(),
          predictedHigh: z.number().nullable(),
        }),
      ),
      /** Seeds whose arm did not pass, with why and the command that replays each. */
      failures: z.array(z.object({ seed: z.number(), sentence: z.string(), command: z.string() })),
    }),
  ),
})

/** A measure of several arms over a parameter in which they differ. */
export const curveSchema = z.object({
  title: z.string(),
  unit: z.string(),
  /** Name of the parameter on the horizontal axis. */
  over: z.string(),
  lines: z.array(z.object({ label: z.string(), points: z.array(z.object({ x: z.number(), y: z.number() })) })),
})

/** Whether an arm reached a figure that people expect. `unknown`: the machine fell short, not the server. */
export const goalSchema = z.object({
  arm: z.string(),
  target: z.string(),
  label: z.string(),
  wanted: z.number(),
  value: z.number(),
  /** In a second of the server's own CPU time. */
  capacity: z.number(),
  verdict: verdictSchema,
  sentence: z.string(),
})

/** An arm that was asked for and could not run there. */
export const notRunSchema = z.object({ arm: z.string(), title: z.string(), target: z.string(), reason: z.string() })

export const resultSchema = z.object({
  version: z.literal(RESULT_VERSION),
  scenario: z.object({ name: z.string(), title: z.string(), claim: z.string() }),
  verdict: verdictSchema,
  sentence: z.string(),
  /** What follows for a user's own configuration, one sentence each. */
  advice: z.array(z.string()),
  world: z.enum(['real', 'sim']),
  target: z.object({ kind: z.string(), version: z.string() }),
  seed: z.number(),
  /** Server settings that the user gave, beyond the scenario's own. */
  settings: z.record(z.string(), z.string()),
  startedAt: z.string(),
  elapsedMs: z.number(),
  host: z.object({ platform: z.string(), node: z.string(), cpus: z.number(), faultline: z.string() }),
  /** Replays this run. */
  command: z.string(),
  arms: z.array(armSchema),
  /** The verdict is that of the other arms; each of these is a sentence on the page. */
  notRun: z.array(notRunSchema),
  curves: z.array(curveSchema),
  goals: z.array(goalSchema).optional(),
  /** How measures are called, and their units, where no prediction says so. */
  measures: z.record(z.string(), z.object({ label: z.string(), unit: z.string() })),
  campaign: campaignSchema.nullable(),
  /** In the simulator: the hash over the traces of all arms. */
  traceHash: z.string().nullable(),
})

export type Verdict = z.infer<typeof verdictSchema>
export type Prediction = z.infer<typeof predictionSchema>
export type Measured = z.infer<typeof measuredSchema>
export type CheckResult = z.infer<typeof checkResultSchema>
export type FaultSpan = z.infer<typeof faultSpanSchema>
export type NodeSpan = z.infer<typeof nodeSpanSchema>
export type NodeTimeline = z.infer<typeof nodeTimelineSchema>
export type GroupSeries = z.infer<typeof groupSeriesSchema>
export type Timeline = z.infer<typeof timelineSchema>
export type Curve = z.infer<typeof curveSchema>
export type Goal = z.infer<typeof goalSchema>
export type Outage = z.infer<typeof outageSchema>
export type ArmResult = z.infer<typeof armSchema>
export type Campaign = z.infer<typeof campaignSchema>
export type Result = z.infer<typeof resultSchema>
