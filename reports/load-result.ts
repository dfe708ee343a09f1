/**
 * The contract of a load run's result: plain JSON, from which the terminal's table, the page and gates are made.
 *
 * Two latencies are told apart everywhere. *Raw* counts from the moment an operation was sent. *Corrected* counts from
 * the moment it was meant to be sent: in an open loop that moment is planned, in a closed loop the operations that a
 * stalled connection could not send are filled in (coordinated omission; the correction of HdrHistogram with the raw
 * median as expected interval).
 */

export interface LatencySummary {
  /** Operations that were answered without an error; the other fields are 0 when there are none. */
  count: number
  minMs: number
  meanMs: number
  p50Ms: number
  p90Ms: number
  p95Ms: number
  p99Ms: number
  p999Ms: number
  p9999Ms: number
  maxMs: number
}

export interface LatencyHistogram extends LatencySummary {
  /** Points of the percentile curve: percentile (0 … 100) and latency. */
  curve: [percentile: number, ms: number][]
  /** Operations that took at most so long, and longer than the bar before. */
  bars: [upToMs: number, count: number][]
  /** HdrHistogram V2, compressed, base64; values are microseconds, 1 µs … 60 s, three digits. */
  hdr: string
}

/**
 * `sent` = `ok` + `errors` + `timeouts`, always. An operation that found no connection counts as sent and as an error.
 */
export interface LoadCounts {
  sent: number
  ok: number
  errors: number
  timeouts: number
}

export interface LoadSecond extends LoadCounts {
  /**
   * Beginning, from the start of measuring. `sent` counts by the moment of sending, the rest by the moment of the end.
   */
  atMs: number
  raw: LatencySummary
  corrected: LatencySummary
}

export interface LoadCommand extends LoadCounts {
  name: string
  /** Replies that were nil: keys that were not there. */
  misses: number
  raw: LatencySummary
  corrected: LatencySummary
}

export interface SlowOperation {
  /** The end of the operation, from the start of measuring. */
  atMs: number
  /** Corrected. */
  latencyMs: number
  command: string
  client: number
}

export interface LoadOutage {
  client: number
  /** First error, from the start of measuring. */
  fromMs: number
  /** First success after it; null: none until the end. */
  toMs: number | null
  /** Errors and time-outs between the two. */
  errors: number
}

/** Connections that receive what the load sends. */
export interface LoadConsumer {
  name: string
  connections: number
  messages: number
  /** From the sending of a message to its arrival, by the wall clock. */
  delivery: LatencySummary
}

/** How the driver itself fared, worst thread first where there are several. */
export interface DriverState {
  threads: number
  /** CPU time of the driver's process over elapsed time; 1 is one core. */
  cpu: number
  /** Highest fraction of time in which a thread's event loop had work (closed loop), 0 … 1; null: not known. */
  busy: number | null
  /** How late the event loop ran its timers. */
  loopLagP99Ms: number
  loopLagMaxMs: number
  /** Open loop: how long after its intended time an operation was sent although a connection was free. */
  lateP99Ms: number
  lateMaxMs: number
}

export type LoadVerdict = 'pass' | 'fail' | 'unknown'

export interface LoadResult {
  format: 'faultline-load'
  version: 1
  /** `pass` without objectives means: the load was offered as planned and the figures can be trusted. */
  verdict: LoadVerdict
  /** Why the verdict is not `pass`; empty otherwise. */
  reasons: string[]
  /** Whether the run ended early because it was asked to. */
  interrupted: boolean
  /** What was asked for, in words: target, connections, arrivals. */
  target: string
  /** The specification as given, without secrets. */
  spec: unknown
  startedAt: string
  elapsedMs: number
  counts: LoadCounts
  /** Answered without an error, per second of measuring. */
  requestsPerSecond: number
  raw: LatencyHistogram
  corrected: LatencyHistogram
  commands: LoadCommand[]
  seconds: LoadSecond[]
  /** The slowest operations, in order of time. */
  slowest: SlowOperation[]
  outages: LoadOutage[]
  errors: { text: string; count: number; firstAtMs: number }[]
  consumers: LoadConsumer[]
  driver: DriverState
}

/** One measurement at one rate. `driver`: the objective was missed, and the driver itself had a part in it. */
export interface SearchPoint {
  ratePerSecond: number
  answeredPerSecond: number
  p50Ms: number
  p99Ms: number
  p999Ms: number
  outcome: 'met' | 'missed' | 'driver'
}

/** The search for the highest rate that meets an objective. */
export interface LoadSearch {
  format: 'faultline-load-search'
  version: 1
  verdict: LoadVerdict
  reasons: string[]
  target: string
  objective: string
  /** 0: none met it. */
  bestPerSecond: number
  /** In the order of measuring. */
  points: SearchPoint[]
  /** The measurement that was made last. */
  last: LoadResult | null
}
