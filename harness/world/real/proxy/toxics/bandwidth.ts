/**
 * bandwidth: a line of `rate` KB/s (1 KB is 1000 bytes, as Toxiproxy counts it). A slice of n bytes leaves n / rate ms
 * after the line became free. Slices are of 100 ms of line time at most, so that a slow line shows progress.
 *
 * A rate of 0 does not limit (Toxiproxy ≥ 2.13; before, it hung). To stop a stream, use partition.
 */
import { attribute, PASS, type PipeContext, SMALL_QUEUE_BYTES, type ToxicKind } from './toxic.ts'

const SLICE_MS = 100

export const bandwidth: ToxicKind = {
  type: 'bandwidth',
  fields: { rate: 0 },
  capacityBytes: () => SMALL_QUEUE_BYTES,
  pipe(context: PipeContext) {
    let lineFreeMs = 0
    return {
      step(head, nowMs) {
        const bytesPerMs = attribute(context, 'rate')
        if (bytesPerMs === 0 || head.end !== null) return PASS
        const sliceBytes = Math.min(head.chunk.length, bytesPerMs * SLICE_MS)
        const leavesMs = Math.max(lineFreeMs, head.arrivedMs) + sliceBytes / bytesPerMs
        if (nowMs < leavesMs) return { do: 'wait', untilMs: leavesMs }
        lineFreeMs = leavesMs
        return { do: 'pass', bytes: sliceBytes }
      },
    }
  },
}
