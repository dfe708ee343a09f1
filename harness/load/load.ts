/**
 * The load driver's interface: a specification in, a result out, both plain data.
 *
 *     const result = await runLoad({ ...defaultLoad, target: { kind: 'server', host: '127.0.0.1', port: 6379 } })
 */
import { performance } from 'node:perf_hooks'
import { createNodeIo } from '../../engine/node/io.ts'
import type { LoadResult } from '../../reports/load-result.ts'
import { HarnessError } from '../errors.ts'
import { Driver } from './driver.ts'
import type { LoadSpec } from './load-spec.ts'
import { summarize, targetName } from './summary.ts'

/** What happened in one second of measuring, for a progress line. */
export interface LoadProgress {
  second: number
  sent: number
  ok: number
  failed: number
}

export interface LoadOptions {
  /** Ends the run early; the result then covers what was done, with `interrupted` set. */
  signal?: AbortSignal
  onProgress?: (progress: LoadProgress) => void
}

/**
 * Runs a load against real servers. Every socket is closed when it resolves or rejects.
 * @throws HarnessError BAD_OPTION when the specification makes no sense, LOAD_TARGET when nothing answers at the start
 */
export async function runLoad(spec: LoadSpec, options: LoadOptions = {}): Promise<LoadResult> {
  const io = createNodeIo()
  const driver = new Driver({
    io,
    spec,
    part: { index: 0, of: 1 },
    spins: true,
    onSecond: ({ sent, ok, errors, timeouts }, second) =>
      options.onProgress?.({ second, sent, ok, failed: errors + timeouts }),
  })
  const onAbort = (): void => driver.interrupt()
  try {
    await new Promise<void>((resolve) => driver.prepare(resolve))
    throwIfUnreachable(driver, spec)
    const startedAt = new Date().toISOString()
    const startMs = performance.now()
    const loop = performance.eventLoopUtilization()
    const cpu = io.host.cpu()
    await new Promise<void>((resolve) => {
      options.signal?.addEventListener('abort', onAbort)
      driver.start(resolve)
      if (options.signal?.aborted === true) onAbort()
    })
    const elapsedMs = performance.now() - startMs
    const cpuNow = io.host.cpu()
    const cpuUs = cpuNow.userUs + cpuNow.systemUs - cpu.userUs - cpu.systemUs
    const busy = performance.eventLoopUtilization(loop).utilization
    const isClosed = spec.arrivals.kind === 'closed'
    return summarize([{ tally: driver.tally, busy: isClosed ? busy : null }], {
      spec,
      startedAt,
      elapsedMs: Math.round(elapsedMs),
      measuredMs: driver.measuredMs,
      cpu: cpuUs / 1000 / elapsedMs,
      interrupted: driver.interrupted,
    })
  } finally {
    options.signal?.removeEventListener('abort', onAbort)
    driver.close()
  }
}

function throwIfUnreachable(driver: Driver, { target }: LoadSpec): void {
  const { unreachable } = driver
  if (unreachable === undefined) return
  const { reason, refused } = unreachable
  const where = targetName(target)
  if (!refused) {
    throw new HarnessError('LOAD_TARGET', `Cannot reach ${where}: ${reason}. Start a server there, or name another.`)
  }
  const advice = /^(NOAUTH|WRONGPASS|ERR AUTH)/.test(reason)
    ? 'Give the right password with -a or in REDISCLI_AUTH, and the user with --user.'
    : 'Nothing was measured.'
  throw new HarnessError('LOAD_TARGET', `${where} answers, but refuses: ${reason}. ${advice}`)
}
