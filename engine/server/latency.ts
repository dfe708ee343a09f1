/**
 * The latency monitor: for every kind of event (`command`, `fast-command`, …) the worst duration of each of the last
 * 160 seconds in which one took at least `latency-monitor-threshold` milliseconds.
 */
import type { Config } from './config.ts'

export interface LatencySample {
  unixSeconds: number
  ms: number
}

export interface LatencySeries {
  /** Oldest first. */
  readonly samples: LatencySample[]
  /** The worst ever, also when its sample is gone. */
  maxMs: number
}

const samplesMax = 160

export class LatencyMonitor {
  private readonly series = new Map<string, LatencySeries>()
  private readonly config: Config

  constructor(config: Config) {
    this.config = config
  }

  /** Otherwise nothing need be measured. */
  get isOn(): boolean {
    return this.config.values['latency-monitor-threshold'] > 0
  }

  /** Notes an event, unless monitoring is off (threshold 0) or the event was short. */
  add(event: string, durationMs: number, wallMs: number): void {
    const threshold = this.config.values['latency-monitor-threshold']
    const ms = Math.floor(durationMs)
    if (threshold === 0 || ms < threshold) return
    const series = this.series.get(event) ?? { samples: [], maxMs: 0 }
    this.series.set(event, series)
    series.maxMs = Math.max(series.maxMs, ms)
    const unixSeconds = Math.floor(wallMs / 1000)
    const last = series.samples.at(-1)
    if (last?.unixSeconds === unixSeconds) last.ms = Math.max(last.ms, ms)
    else series.samples.push({ unixSeconds, ms })
    if (series.samples.length > samplesMax) series.samples.shift()
  }

  of(event: string): LatencySeries | undefined {
    return this.series.get(event)
  }

  all(): readonly (readonly [event: string, series: LatencySeries])[] {
    return [...this.series]
  }

  /** Forgets these events, or all when none is named; returns how many there were. */
  reset(events: readonly string[]): number {
    const names = events.length === 0 ? [...this.series.keys()] : events
    return names.filter((name) => this.series.delete(name)).length
  }
}

const steps = '_o#'
const rows = 4
const columns = 80

/** Redis's bar chart in text: one column a sample, and below it how long ago the sample was. */
export function drawSamples(samples: readonly LatencySample[], nowSeconds: number): string {
  const min = Math.min(...samples.map(({ ms }) => ms))
  const range = Math.max(...samples.map(({ ms }) => ms)) - min || 1
  const levels = steps.length * rows
  const charts: string[] = []
  for (let from = 0; from < samples.length; from += columns) {
    const bars = samples.slice(from, from + columns).map(({ ms, unixSeconds }) => ({
      level: Math.min(levels - 1, Math.trunc(((ms - min) * levels) / range)),
      label: ` ${ago(nowSeconds - unixSeconds)}`,
    }))
    const lines = Array.from({ length: rows }, (_, row) =>
      bars
        .map(({ level }) => {
          const step = level - (rows - row - 1) * steps.length
          return step < 0 ? ' ' : (steps[step] ?? '|')
        })
        .join(''),
    )
    const labelRows = Math.max(...bars.map(({ label }) => label.length))
    for (let row = 0; row < labelRows; row++) lines.push(bars.map(({ label }) => label[row] ?? ' ').join(''))
    charts.push(`${lines.join('\n')}\n`)
  }
  return charts.join('\n')
}

function ago(seconds: number): string {
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`
  return `${Math.floor(seconds / 86_400)}d`
}
