/**
 * slicer: cuts bytes into runs of `average_size` ± `size_variation` and sends one every `delay` µs, to show readers
 * that expect a message in one read. Timers here have a grain of 1 ms: with a shorter delay, the runs that are due
 * leave together, each with a write of its own, and the rate is kept.
 */
import { attribute, PASS, type PipeContext, SMALL_QUEUE_BYTES, type ToxicKind } from './toxic.ts'

export const slicer: ToxicKind = {
  type: 'slicer',
  fields: { average_size: 0, size_variation: 0, delay: 0 },
  capacityBytes: () => SMALL_QUEUE_BYTES,
  validate(attributes) {
    const { average_size: average = 0, size_variation: variation = 0 } = attributes
    if (average === 0) return 'average_size must be greater than 0'
    return variation > average ? 'size_variation must be at most average_size' : undefined
  },
  pipe(context: PipeContext) {
    let nextMs = 0
    return {
      step(head, nowMs) {
        if (head.end !== null) return PASS
        if (nowMs < nextMs) return { do: 'wait', untilMs: nextMs }
        nextMs = Math.max(nextMs, head.arrivedMs) + attribute(context, 'delay') / 1000
        const spread = (context.random() * 2 - 1) * attribute(context, 'size_variation')
        return { do: 'pass', bytes: Math.max(1, Math.round(attribute(context, 'average_size') + spread)) }
      },
    }
  },
}
