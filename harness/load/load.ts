/**
 * The load driver's interface: a specification in, a result out, both plain data.
 *
 *     const result = await runLoad({ ...defaultLoad, target: { kind: 'server', host: '127.0.0.1', port: 6379 } })
 */
import { performance } from 'node:perf_hooks'
import type { LoadCounts, LoadResult } from '../../reports/load-result.ts'
import { HarnessError } from '../errors.ts'
import type { Driver, Unreachable } from './driver.ts'
import type { LoadSpec } from './load-spec.ts'
import { readCapture } from './monitor-capture.ts'
import { summarize, targetName } from './summary.ts'
import { probeTarget } from './target-probe.ts'
import { LocalThread, WorkerThread } from './thread.ts'

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
  /** Every connection is open; the first request follows. */
  onStart?: () => void
}

/**
 * Runs a load against real servers. Every socket is closed when it resolves or rejects.
 * @throws HarnessError BAD_OPTION when the specification makes no sense, LOAD_TARGET when nothing answers at the start,
 * within a few seconds; INTERRUPTED when the signal comes before that is known
 */
export async function runLoad(given: LoadSpec, options: LoadOptions = {}): Promise<LoadResult> {
  // A capture brings its own commands.
  const spec = { ...given, commands: readCapture(given)?.commands ?? given.commands }
  const { signal } = options
  const addresses = await probeTarget(spec.target, signal)
  const progress = new ProgressSum(spec.threads, options.onProgress)
  const threads = Array.from({ length: spec.threads }, (_, index) => {
    const part = { index, of: spec.threads, addresses }
    const onSecond: Driver['tally']['onSecond'] = (second, at) => progress.add(at, second)
    return spec.threads === 1 ? new LocalThread(spec, part, onSecond) : new WorkerThread(spec, part, onSecond)
  })
  const onAbort = (): void => {
    for (const thread of threads) thread.interrupt()
  }
  try {
    const failures = await Promise.all(threads.map((thread) => thread.prepare()))
    throwIfUnreachable(failures, spec)
    options.onStart?.()
    const startedAt = new Date().toISOString()
    const startMs = performance.now()
    const cpu = process.cpuUsage()
    signal?.addEventListener('abort', onAbort)
    const running = threads.map((thread) => thread.run())
    if (signal?.aborted === true) onAbort()
    const outcomes = await Promise.all(running)
    const elapsedMs = performance.now() - startMs
    const { user, system } = process.cpuUsage(cpu)
    return summarize(outcomes, {
      spec,
      startedAt,
      elapsedMs: Math.round(elapsedMs),
      measuredMs: Math.max(...outcomes.map(({ measuredMs }) => measuredMs)),
      cpu: (user + system) / 1000 / elapsedMs,
      interrupted: outcomes.some(({ interrupted }) => interrupted),
    })
  } finally {
    signal?.removeEventListener('abort', onAbort)
    await Promise.all(threads.map((thread) => thread.close()))
  }
}

/** Seconds are told when every thread has told its own. */
class ProgressSum {
  private readonly threads: number
  private readonly onProgress: LoadOptions['onProgress']
  private readonly seconds = new Map<number, LoadProgress & { threads: number }>()

  constructor(threads: number, onProgress: LoadOptions['onProgress']) {
    this.threads = threads
    this.onProgress = onProgress
  }

  add(second: number, { sent, ok, errors, timeouts }: LoadCounts): void {
    const sum = this.seconds.get(second) ?? { second, sent: 0, ok: 0, failed: 0, threads: 0 }
    sum.sent += sent
    sum.ok += ok
    sum.failed += errors + timeouts
    sum.threads++
    this.seconds.set(second, sum)
    if (sum.threads < this.threads) return
    this.seconds.delete(second)
    const { threads: _, ...progress } = sum
    this.onProgress?.(progress)
  }
}

/** Nothing is loaded unless every thread reaches the target. */
function throwIfUnreachable(failures: readonly (Unreachable | undefined)[], { target }: LoadSpec): void {
  const failure = failures.find((one) => one !== undefined)
  if (failure === undefined) return
  const { reason, refused } = failure
  const where = targetName(target)
  if (reason.startsWith('ERR AUTH')) {
    throw new HarnessError('LOAD_TARGET', `${where} wants no password: leave out -a, and unset REDISCLI_AUTH.`)
  }
  if (/^(NOAUTH|WRONGPASS)/.test(reason)) {
    const advice = 'Give the right password with -a or in REDISCLI_AUTH, and the user with --user.'
    throw new HarnessError('LOAD_TARGET', `${where} asks for a password: ${reason} ${advice}`)
  }
  if (refused) throw new HarnessError('LOAD_TARGET', `${where} answers, but refuses: ${reason}. Nothing was measured.`)
  throw new HarnessError('LOAD_TARGET', `Cannot reach ${where}: ${reason}. Start a server there, or name another.`)
}
