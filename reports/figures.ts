/**
 * How numbers are written in every kind of report: thousands separators, milliseconds below a second and seconds
 * above, as many digits as mean something. One place, so that the page, the summary and the gate agree.
 */
import type { Campaign, Prediction, Result, Verdict } from './result.ts'

const narrow = '\u202f'

const twoDecimals = { minimumFractionDigits: 2, maximumFractionDigits: 2 } as const

/** 1,234 or 0.25; at most two decimals. */
export function formatCount(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.abs(value) < 1 ? 3 : 2 })
}

/** 0.42 ms, 840 ms, 2.84 s, 3 min 20 s. */
export function formatMs(ms: number): string {
  const size = Math.abs(ms)
  if (size < 1000) return `${ms.toLocaleString('en-US', { maximumFractionDigits: size < 10 ? 2 : 0 })}${narrow}ms`
  if (size < 120_000) return `${(ms / 1000).toLocaleString('en-US', twoDecimals)}${narrow}s`
  const seconds = Math.round(ms / 1000)
  return `${formatCount(Math.trunc(seconds / 60))}${narrow}min ${Math.abs(seconds % 60)}${narrow}s`
}

/** A moment on an arm's clock, always in seconds with two decimals: moments stand below one another. */
export function formatMoment(ms: number): string {
  return `${(ms / 1000).toLocaleString('en-US', twoDecimals)}${narrow}s`
}

export function formatBytes(bytes: number): string {
  if (Math.abs(bytes) < 1024) return `${formatCount(bytes)}${narrow}B`
  if (Math.abs(bytes) < 1024 * 1024) return `${formatCount(Math.round(bytes / 102.4) / 10)}${narrow}KiB`
  return `${formatCount(Math.round(bytes / (1024 * 102.4)) / 10)}${narrow}MiB`
}

/** A value with its unit. `ms` becomes seconds where that reads better. */
export function formatMeasure(value: number, unit: string): string {
  if (unit === 'ms') return formatMs(value)
  if (unit === 'bytes') return formatBytes(value)
  if (unit === 'ratio') return `${formatCount(value)}×`
  return unit === '' ? formatCount(value) : `${formatCount(value)} ${unit}`
}

/** The end of a scale, a round number: `5 s`, `2,500 writes`. */
export function formatScaleEnd(value: number, unit: string): string {
  if (unit === 'ms' && value >= 1000) return `${formatCount(value / 1000)}${narrow}s`
  return formatMeasure(value, unit)
}

/** `1,450 … 2,425 writes`, `2.9 … 4.8 s`. */
export function formatInterval({ low, high, unit }: Pick<Prediction, 'low' | 'high' | 'unit'>): string {
  if (low === high) return formatMeasure(low, unit)
  if (unit === 'bytes') return `${formatBytes(low)} … ${formatBytes(high)}`
  if (unit !== 'ms') return `${formatMeasure(low, '')} … ${formatMeasure(high, unit)}`
  if (high >= 1000 && high < 120_000) return `${formatCount(low / 1000)} … ${formatCount(high / 1000)}${narrow}s`
  return `${formatMs(low)} … ${formatMs(high)}`
}

/** `inside`, `below` or `above` the interval; undefined when nothing was measured. */
export function placeOf(value: unknown, { low, high }: Pick<Prediction, 'low' | 'high'>): Place | undefined {
  if (typeof value !== 'number') return undefined
  if (value < low) return 'below'
  return value > high ? 'above' : 'inside'
}
export type Place = 'inside' | 'below' | 'above'

const measureLabels: Readonly<Record<string, string>> = {
  acknowledged: 'acknowledged operations',
  refused: 'refused operations',
  unknown: 'operations with an unknown end',
}

/**
 * Label and unit of a measure: from any arm's prediction, else as the result calls it, else from its name, whose last
 * word is the unit.
 */
export function describeMeasure(
  name: string,
  result: Pick<Result, 'arms' | 'measures'>,
): { label: string; unit: string } {
  for (const arm of result.arms) {
    const prediction = Object.hasOwn(arm.predicted, name) ? arm.predicted[name] : undefined
    if (prediction !== undefined) return { label: prediction.label, unit: prediction.unit }
  }
  const label = Object.hasOwn(measureLabels, name) ? measureLabels[name] : undefined
  if (label !== undefined) return { label, unit: '' }
  const known = Object.hasOwn(result.measures, name) ? result.measures[name] : undefined
  if (known !== undefined) return known
  const unit = /Ms$/.test(name) ? 'ms' : /Bytes$/.test(name) ? 'bytes' : ''
  const words = name
    .replace(/(Ms|Bytes)$/, '')
    .replace(/([a-z0-9])([A-Z])/g, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`)
  return { label: words, unit }
}

/** `2026-11-22 16:55:52 UTC`; a text that is no date is given back as it is. */
export function formatDate(iso: string): string {
  const time = Date.parse(iso)
  if (Number.isNaN(time)) return iso
  return `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

/** What the seeds of a campaign did, in words: `498 pass, 2 fail`. Zero counts are left out. */
export function formatOutcomes(counts: { pass: number; fail: number; unknown: number }): string {
  const parts = (['pass', 'fail', 'unknown'] as const).filter((verdict) => counts[verdict] > 0)
  return parts.map((verdict) => `${formatCount(counts[verdict])} ${verdict}`).join(', ') || 'none ran'
}

/** The label of a cause of loss: the timeline's, else the cause's own name. */
export function causeLabel(cause: string, result: Pick<Result, 'arms'>): string {
  for (const arm of result.arms) {
    const label = arm.timeline.lostWrites.find((series) => series.cause === cause)?.label
    if (label !== undefined) return label
  }
  return cause
}

/** Of the seeds of one arm together; no seed at all is unknown. */
export function campaignVerdict({ pass, fail, unknown }: Campaign['arms'][number]): Verdict {
  if (fail > 0) return 'fail'
  return unknown > 0 || pass === 0 ? 'unknown' : 'pass'
}
