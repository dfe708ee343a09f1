/** How measures are called in reports, and their units, where a scenario does not predict them. */

const NAMES: Readonly<Record<string, { label: string; unit: string }>> = {
  lostWindowMs: { label: 'age of the oldest lost write at the crash', unit: 'ms' },
  stallMs: { label: 'longest operation while the command acted', unit: 'ms' },
  quietStallMs: { label: 'longest operation at other times', unit: 'ms' },
  saveMs: { label: 'the command, until its effect is over', unit: 'ms' },
  rewriteMs: { label: 'the rewrite', unit: 'ms' },
  loadPerMillionMs: { label: 'load per million keys', unit: 'ms' },
  changesAt: { label: 'size at which the encoding changes', unit: '' },
  memoryRatio: { label: 'memory above the threshold over below it', unit: 'ratio' },
  readRatio: { label: 'CPU time of a read below the threshold over above it', unit: 'ratio' },
  readBelowUs: { label: 'CPU time of a read below the threshold', unit: 'µs' },
  readAboveUs: { label: 'CPU time of a read above the threshold', unit: 'µs' },
  sold: { label: 'units sold', unit: '' },
  oversold: { label: 'units sold that are still in the stock', unit: '' },
  overlaps: { label: 'holds that began while another one lasted', unit: '' },
  overlapsByExpiry: { label: 'overlaps because the lock had run out', unit: '' },
  overlapsByDeletion: { label: 'overlaps because another had deleted the lock', unit: '' },
  foreignDeletions: { label: 'locks of others deleted', unit: '' },
  ordersPerSecond: { label: 'orders per second', unit: 'ops/s' },
  transactionMs: { label: 'time of a transaction, median', unit: 'ms' },
  interrupted: { label: 'transactions with writes of others in between', unit: '' },
  opsPerSecond: { label: 'operations per second', unit: 'ops/s' },
  serverCpuMs: { label: 'CPU time that the server had', unit: 'ms' },
  perCpuSecond: { label: "operations per second of the server's CPU time", unit: 'ops/s' },
  cpuPerOpUs: { label: "the server's CPU time per operation", unit: 'µs' },
  driverLagMs: { label: "lateness of the load driver's timers, p99", unit: 'ms' },
  processorWait: { label: 'share of their busy time in which the nodes waited for a processor', unit: '' },
  cpuShare: { label: 'CPUs that server and load driver had together', unit: '' },
  maxMs: { label: 'latency, longest', unit: 'ms' },
  rdbBytes: { label: 'size of the snapshot', unit: 'bytes' },
  aofBytes: { label: 'size of the append-only file', unit: 'bytes' },
  baseBytes: { label: 'size after the rewrite before', unit: 'bytes' },
  p50Ms: { label: 'latency, median', unit: 'ms' },
  p99Ms: { label: 'latency, p99', unit: 'ms' },
  restartMs: { label: 'restart until it serves', unit: 'ms' },
  restartCpuMs: { label: 'CPU time of the restart', unit: 'ms' },
  loadMs: { label: 'load of the data, as the server says', unit: 'ms' },
  rewrites: { label: 'rewrites of the append-only file', unit: 'times' },
  triggerBytes: { label: 'size at which the first automatic rewrite began', unit: 'bytes' },
  triggerGrowth: { label: 'that size over the size after the rewrite before', unit: 'ratio' },
  rewriteStallMs: { label: 'longest operation during rewrites', unit: 'ms' },
  outageMs: { label: 'longest outage', unit: 'ms' },
  lostWrites: { label: 'acknowledged writes lost', unit: 'writes' },
}

/** Of a name that is not listed: its words, and the unit that is its last one. */
export function describeMeasure(name: string): { label: string; unit: string } {
  const known = Object.hasOwn(NAMES, name) ? NAMES[name] : undefined
  if (known !== undefined) return known
  const unit = /Ms$/.test(name) ? 'ms' : /Bytes$/.test(name) ? 'bytes' : /Ratio$/.test(name) ? 'ratio' : ''
  const words = name
    .replace(/(Ms|Bytes)$/, '')
    .replace(/([a-z0-9])([A-Z])/g, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`)
  return { label: words, unit }
}
