/** From what the threads of a run counted to its result. */
import type { DriverState, LoadCounts, LoadResult, LoadSecond, SlowOperation } from '../../reports/load-result.ts'
import type { ConsumerTally } from './consumers.ts'
import { LatencyCounts } from './latency-counts.ts'
import { isOpenLoop, type LoadSpec, type TargetSpec } from './load-spec.ts'
import type { CommandTally, SecondTally, Tally } from './tally.ts'

const SLOWEST_SHOWN = 200
/** A closed loop whose driver has work for more than this part of the time measures the driver. */
const BUSY_MOST = 0.97
/** Until then it is busy with compiling itself. */
const WARM_UP_MS = 250
/** An open loop that sends later than this, and by more than a quarter of what it measured, measures itself. */
const LATE_MOST_MS = 1
/** A closed loop whose event loop stands still for longer, and for half of what it measured, measures itself. */
const STANDSTILL_MOST_MS = 10

/** What one thread hands over; survives `postMessage` except for its methods. */
export type TallyData = Pick<Tally, 'commands' | 'seconds' | 'outages' | 'errors' | 'late' | 'lag' | 'slowest'>

export interface Part {
  tally: TallyData
  received: readonly ConsumerTally[]
  /** Fraction of the time in which the event loop had work; null: not known. */
  busy: number | null
}

export interface RunFacts {
  spec: LoadSpec
  startedAt: string
  elapsedMs: number
  /** Of measuring alone, until the last operation began or the plan was over. */
  measuredMs: number
  /** CPU time of the process over elapsed time. */
  cpu: number
  interrupted: boolean
}

export function summarize(parts: readonly Part[], facts: RunFacts): LoadResult {
  const { spec } = facts
  const tallies = parts.map(({ tally }) => tally)
  const isOpen = isOpenLoop(spec)
  const commands = spec.commands.map((_, index) => mergeCommands(tallies.map((tally) => tally.commands[index]!)))
  const raw = mergeLatencies(commands.map((command) => command.raw))
  const expectedUs = isOpen ? 0 : raw.quantileUs(0.5)
  const correct = (counts: { raw: LatencyCounts; intended: LatencyCounts }): LatencyCounts =>
    isOpen ? counts.intended : counts.raw.corrected(expectedUs)
  const corrected = isOpen ? mergeLatencies(commands.map((command) => command.intended)) : raw.corrected(expectedUs)
  const counts = addCounts(commands)
  const driver = driverState(parts, facts)
  const result: LoadResult = {
    format: 'faultline-load',
    version: 1,
    verdict: 'pass',
    reasons: [],
    interrupted: facts.interrupted,
    target: targetName(spec.target),
    spec: { ...spec, credentials: spec.credentials === null ? null : { user: spec.credentials.user, password: '***' } },
    startedAt: facts.startedAt,
    elapsedMs: facts.elapsedMs,
    counts,
    requestsPerSecond: facts.measuredMs > 0 ? Math.round((counts.ok / facts.measuredMs) * 1e6) / 1000 : 0,
    raw: raw.histogram(),
    corrected: corrected.histogram(),
    commands: commands.map((command, index) => ({
      name: spec.commands[index]!.name,
      ...addCounts([command]),
      misses: command.misses,
      raw: command.raw.summary(),
      corrected: correct(command).summary(),
    })),
    seconds: mergeSeconds(tallies, correct),
    slowest: slowest(tallies, spec),
    outages: tallies
      .flatMap(({ outages }) => outages)
      .map(({ client, fromUs, toUs, errors }) => ({
        client,
        fromMs: inMs(fromUs),
        toMs: toUs === null ? null : inMs(toUs),
        errors,
      }))
      .sort((a, b) => a.fromMs - b.fromMs || a.client - b.client),
    errors: mergeErrors(tallies),
    consumers: spec.consumers.map((row, index) => ({
      name: row.kind === 'subscribe' ? `SUBSCRIBE ${row.channels.join(' ')}` : `XREADGROUP ${row.group} ${row.key}`,
      connections: row.connections,
      messages: parts.reduce((sum, { received }) => sum + (received[index]?.messages ?? 0), 0),
      delivery: mergeLatencies(parts.flatMap(({ received }) => received[index]?.delivery ?? [])).summary(),
    })),
    driver,
  }
  result.reasons = doubts(result, isOpen)
  if (result.reasons.length > 0) result.verdict = 'unknown'
  const gone = targetGone(result, spec)
  if (gone !== undefined) {
    result.verdict = 'fail'
    result.reasons.unshift(gone)
  }
  return result
}

/** Once it answered, and at the end it answers nobody. */
function targetGone({ counts, outages, interrupted }: LoadResult, { connections }: LoadSpec): string | undefined {
  if (interrupted || counts.ok === 0) return undefined
  const open = outages.filter(({ toMs }) => toMs === null)
  if (open.length < connections) return undefined
  const fromMs = Math.max(...open.map((outage) => outage.fromMs))
  return `From ${(fromMs / 1000).toFixed(2)} s on until the end nothing succeeded on any connection.`
}

/** Reasons not to trust the figures as the target's. */
function doubts({ counts, driver, raw, corrected, errors, elapsedMs }: LoadResult, isOpen: boolean): string[] {
  const reasons: string[] = []
  if (counts.sent === 0) reasons.push('No operation was sent while measuring.')
  else if (counts.ok === 0) {
    const first = errors[0]?.text ?? 'no answer'
    reasons.push(`No operation succeeded. The most frequent reason: ${first.replace(/\.$/, '')}.`)
  }
  const remedy = 'Use --threads, or more machines.'
  if (!isOpen && driver.busy !== null && driver.busy > BUSY_MOST) {
    const percent = Math.round(driver.busy * 100)
    reasons.push(
      elapsedMs < WARM_UP_MS
        ? `The run was over after ${elapsedMs} ms, before the driver's own code was warm. Let it last longer (-n, --duration).`
        : `The driver was busy for ${percent} % of the time: the target may be faster than what was measured. ${remedy}`,
    )
  }
  if (!isOpen && driver.loopLagP99Ms > STANDSTILL_MOST_MS && driver.loopLagP99Ms > raw.p99Ms / 2) {
    reasons.push(
      `The driver stood still for up to ${driver.loopLagP99Ms} ms (p99 of its event loop's lag), which is part of the latency measured. ${remedy}`,
    )
  }
  if (isOpen && driver.lateP99Ms > LATE_MOST_MS && driver.lateP99Ms > corrected.p99Ms / 4) {
    reasons.push(
      `The driver sent its operations up to ${driver.lateP99Ms} ms (p99) late by itself, which is part of the latency measured. ${remedy}`,
    )
  }
  return reasons
}

function driverState(parts: readonly Part[], { cpu }: RunFacts): DriverState {
  const late = mergeLatencies(parts.map(({ tally }) => tally.late))
  const lag = mergeLatencies(parts.map(({ tally }) => tally.lag))
  const busy = parts.map((part) => part.busy).filter((value) => value !== null)
  return {
    threads: parts.length,
    cpu: Math.round(cpu * 1000) / 1000,
    busy: busy.length === 0 ? null : Math.round(Math.max(...busy) * 1000) / 1000,
    loopLagP99Ms: inMs(lag.quantileUs(0.99)),
    loopLagMaxMs: inMs(lag.maxUs),
    lateP99Ms: inMs(late.quantileUs(0.99)),
    lateMaxMs: inMs(late.maxUs),
  }
}

function mergeCommands(rows: readonly CommandTally[]): CommandTally {
  return {
    ...addUp(rows),
    misses: rows.reduce((sum, { misses }) => sum + misses, 0),
    raw: mergeLatencies(rows.map((row) => row.raw)),
    intended: mergeLatencies(rows.map((row) => row.intended)),
  }
}

/** Those of other threads come as plain objects; the sum is a `LatencyCounts` again. */
function mergeLatencies(all: readonly LatencyCounts[]): LatencyCounts {
  const sum = new LatencyCounts()
  for (const one of all) sum.add(one)
  return sum
}

function addUp(rows: readonly LoadCounts[]): LoadCounts {
  const total = { sent: 0, ok: 0, errors: 0, timeouts: 0 }
  for (const { sent, ok, errors, timeouts } of rows) {
    total.sent += sent
    total.ok += ok
    total.errors += errors
    total.timeouts += timeouts
  }
  return total
}

const addCounts = addUp

function mergeSeconds(
  tallies: readonly TallyData[],
  correct: (counts: { raw: LatencyCounts; intended: LatencyCounts }) => LatencyCounts,
): LoadSecond[] {
  const length = Math.max(0, ...tallies.map(({ seconds }) => seconds.length))
  return Array.from({ length }, (_, index) => {
    const rows = tallies.map(({ seconds }) => seconds[index]).filter((row): row is SecondTally => row !== undefined)
    const raw = new LatencyCounts()
    const intended = new LatencyCounts()
    for (const row of rows) {
      raw.addSparse(row.raw)
      intended.addSparse(row.intended)
    }
    const corrected = correct({ raw, intended })
    return { atMs: index * 1000, ...addUp(rows), raw: raw.summary(), corrected: corrected.summary() }
  })
}

function slowest(tallies: readonly TallyData[], spec: LoadSpec): SlowOperation[] {
  return tallies
    .flatMap((tally) => tally.slowest)
    .sort((a, b) => b.latencyUs - a.latencyUs)
    .slice(0, SLOWEST_SHOWN)
    .sort((a, b) => a.atUs - b.atUs)
    .map(({ atUs, latencyUs, command, client }) => ({
      atMs: inMs(atUs),
      latencyMs: inMs(latencyUs),
      command: spec.commands[command]!.name,
      client,
    }))
}

function mergeErrors(tallies: readonly TallyData[]): LoadResult['errors'] {
  const merged = new Map<string, { count: number; firstAtUs: number }>()
  for (const { errors } of tallies) {
    for (const [text, { count, firstAtUs }] of errors) {
      const before = merged.get(text)
      merged.set(text, {
        count: count + (before?.count ?? 0),
        firstAtUs: Math.min(firstAtUs, before?.firstAtUs ?? Number.POSITIVE_INFINITY),
      })
    }
  }
  return [...merged]
    .map(([text, { count, firstAtUs }]) => ({ text, count, firstAtMs: inMs(firstAtUs) }))
    .sort((a, b) => b.count - a.count)
}

export function targetName(target: TargetSpec): string {
  const list = (addresses: readonly { host: string; port: number }[]): string =>
    addresses.map(({ host, port }) => `${host}:${port}`).join(', ')
  switch (target.kind) {
    case 'server':
      return `${target.host}:${target.port}`
    case 'unix':
      return target.path
    case 'replicas':
      return `${target.host}:${target.port} and its replicas`
    case 'sentinel':
      return `${target.name} (Sentinel at ${list(target.sentinels)})`
    case 'cluster':
      return `cluster at ${list(target.seeds)}`
  }
}

function inMs(valueUs: number): number {
  return Math.round(valueUs) / 1000
}
