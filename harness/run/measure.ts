/** What a history says in numbers: the `measured` part of the result contract. Functions of the history only. */
import type { Measured, Outage } from '../../reports/result.ts'
import { countByCause, crashesOf, findLostWrites, hasUniqueWrites } from '../check/lost-writes.ts'
import type { FaultEvent, History, LoadEvent, Operation } from '../history/history.ts'
import { median } from '../quantile.ts'
import { readLedger } from '../shop/ledger.ts'
import { rewriteMeasures, stallMeasures } from './persistence-measures.ts'

/** Of a partition: when it began, who was on its small side. Undefined without one. */
export function findCut(history: History): FaultEvent | undefined {
  return history.of('fault').find((fault) => fault.state === 'start' && fault.minority.length > 0)
}

export function measure(history: History): Measured {
  const operations = history.operations()
  const countOf = (outcome: Operation['outcome']): number => operations.filter((op) => op.outcome === outcome).length
  const event = history.of('load').at(-1)
  const load = event?.result
  const orders = history.of('shop').at(-1)?.http
  const processorWait = history.end()?.processorWait
  const measured: Measured = {
    acknowledged: countOf('ok') + (load?.counts.ok ?? 0) + (orders?.answered ?? 0) + transactionCount(history),
    refused: countOf('fail') + (load?.counts.errors ?? 0) + (orders?.refused ?? 0),
    unknown: countOf('unknown') + (load?.counts.timeouts ?? 0) + (orders?.errors ?? 0),
    ...(hasUniqueWrites(history) && {
      lostWrites: findLostWrites(history)?.length ?? 0,
      lostWritesByCause: countByCause(history),
    }),
    ...(operations.length > 0 && { outageMs: longestOutageMs(history, operations) }),
    ...(event !== undefined && loadMeasures(event)),
    ...shopMeasures(history),
    ...transactionMeasures(history),
    ...crashMeasures(history),
    ...stallMeasures(history),
    ...rewriteMeasures(history),
    ...(processorWait !== undefined && { processorWait }),
  }
  for (const { name, value } of history.of('figure')) measured[name] = value
  const cut = findCut(history)
  if (cut === undefined) return measured
  measured.minorityWritableMs = minorityWritableMs(operations, cut)
  const promotion = promotionMs(history, cut)
  if (promotion !== undefined) measured.promotionMs = promotion
  return measured
}

/**
 * What the load driver measured, latencies from the moment of sending. `cpuShare`: what server and driver had of the
 * machine together, in CPUs. `driverLagMs`: how late the driver's own timers ran (p99); on a machine that has nothing
 * else to do that is a turn of its event loop, well below 3 ms.
 */
function loadMeasures({ result, serverCpuMs }: LoadEvent): Record<string, number> {
  const { requestsPerSecond, raw, counts, driver } = result
  const seconds = counts.ok / Math.max(1, requestsPerSecond)
  return {
    opsPerSecond: Math.round(requestsPerSecond),
    cpuPerOpUs: Math.round((serverCpuMs * 1e5) / Math.max(1, counts.ok)) / 100,
    serverCpuMs,
    perCpuSecond: Math.round((counts.ok * 1000) / Math.max(1, serverCpuMs)),
    p50Ms: raw.p50Ms,
    p99Ms: raw.p99Ms,
    maxMs: raw.maxMs,
    driverLagMs: driver.loopLagP99Ms,
    cpuShare: Math.round((driver.cpu + serverCpuMs / 1000 / seconds) * 100) / 100,
  }
}

function transactionCount(history: History): number {
  return history.of('transactions').at(-1)?.tookMs.length ?? 0
}

/** Interrupted: transactions whose elements do not stand side by side in the list, because another's lie between. */
export function transactionMeasures(history: History): Record<string, number> {
  const event = history.of('transactions').at(-1)
  if (event === undefined) return {}
  const { list, tookMs } = event
  const runs = list.filter((id, i) => id !== list[i - 1])
  const seen = new Map<number, number>()
  for (const id of runs) seen.set(id, (seen.get(id) ?? 0) + 1)
  const interrupted = [...seen.values()].filter((count) => count > 1).length
  const typicalMs = tookMs.length === 0 ? 0 : median(tookMs)
  return { transactionMs: Math.round(typicalMs * 1000) / 1000, interrupted }
}

/** Oversold: units that customers were told they have, beyond those that are gone from the stock. */
export function shopMeasures(history: History): Record<string, number> {
  const event = history.of('shop').at(-1)
  if (event === undefined) return {}
  const { sold, ...holds } = readLedger(event.ledger)
  const { perSecond, p50Ms, p99Ms, maxMs } = event.http
  return { sold, oversold: sold - event.soldByStock, ...holds, ordersPerSecond: perSecond, p50Ms, p99Ms, maxMs }
}

/** How old, when the server died, the oldest write was that it took along: what an interval of seconds is about. */
function crashMeasures(history: History): { lostWindowMs: number } | undefined {
  const [crash] = crashesOf(history)
  if (crash === undefined) return undefined
  const lost = (findLostWrites(history) ?? []).filter(({ cause }) => cause === 'crash')
  const oldest = lost.reduce((least, { operation }) => Math.min(least, operation.completedMs), crash.atMs)
  return { lostWindowMs: Math.round(crash.atMs - oldest) }
}

/** From the cut to the last write that the cut-off side acknowledged. */
function minorityWritableMs(operations: readonly Operation[], cut: FaultEvent): number {
  const last = operations
    .filter((op) => op.outcome === 'ok' && cut.minority.includes(op.node) && op.completedMs >= cut.atMs)
    .reduce((latest, op) => Math.max(latest, op.completedMs), cut.atMs)
  return Math.round(last - cut.atMs)
}

/** From the cut until a node on the large side is primary that was a replica before it. Undefined: never. */
function promotionMs(history: History, cut: FaultEvent): number | undefined {
  const replicas = new Set<string>()
  for (const event of history.of('node')) {
    if (cut.minority.includes(event.node)) continue
    if (event.atMs <= cut.atMs) {
      if (event.role === 'replica') replicas.add(event.node)
      else replicas.delete(event.node)
    } else if (event.role === 'primary' && event.slots.length > 0 && replicas.has(event.node)) {
      return Math.round(event.atMs - cut.atMs)
    }
  }
  return undefined
}

/**
 * The longest outage of a client that is not itself cut off: what users on the healthy side went through.
 * Counted up to the end of the run where it did not end.
 */
function longestOutageMs(history: History, operations: readonly Operation[]): number {
  const cutOff = new Set(findCut(history)?.minority ?? [])
  const endMs = operations.reduce((latest, op) => Math.max(latest, op.completedMs), 0)
  const lengths = outages(operations)
    .filter((outage) => !cutOff.has(outage.client))
    .map((outage) => (outage.endMs ?? endMs) - outage.startMs)
  return Math.round(Math.max(0, ...lengths))
}

/** Per client: from the beginning of the first operation that did not succeed to the first success after it. */
export function outages(operations: readonly Operation[]): Outage[] {
  const found: Outage[] = []
  const open = new Map<string, Outage>()
  const byEnd = [...operations].sort((a, b) => a.completedMs - b.completedMs || a.id - b.id)
  for (const { client, group, outcome, invokedMs, completedMs } of byEnd) {
    const outage = open.get(client)
    if (outcome !== 'ok') {
      if (outage === undefined) {
        const started: Outage = { client, group, startMs: invokedMs, endMs: null, failedOperations: 1 }
        open.set(client, started)
        found.push(started)
      } else {
        outage.failedOperations++
        outage.startMs = Math.min(outage.startMs, invokedMs)
      }
    } else if (outage !== undefined && invokedMs >= outage.startMs) {
      outage.endMs = completedMs
      open.delete(client)
    }
  }
  return found.sort((a, b) => a.startMs - b.startMs || (a.client < b.client ? -1 : 1))
}

/**
 * Others had the machine for more than this share of the time in which the nodes had work: times and sizes then say
 * more about the machine. Measured in the six arms of `persist/rewrite`: 0.16 to 0.29 on a quiet machine of two cores
 * (server and driver wake one another), 0.42 to 0.57 beside six endless loops.
 */
const STARVED_SHARE = 0.4

export function isStarved({ processorWait }: Measured): boolean {
  return typeof processorWait === 'number' && processorWait > STARVED_SHARE
}

/** The generator could not keep its rate, so latency and loss say more about it than about the server. */
export function isSaturated(history: History): boolean {
  const end = history.end()
  const offered = history.of('invoke').length
  return end !== undefined && end.lateOperations > offered * 0.05
}
