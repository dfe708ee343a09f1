/**
 * latency: every item leaves `latency` ± `jitter` ms after it came. Items never overtake each other, so a short delay
 * drawn after a long one waits for it, as TCP's reordering would make it. The end of the stream is delayed like bytes
 * (Toxiproxy sends it on without a delay of its own).
 *
 * The queue is long, since it must hold what is on the way: rate × latency.
 */
import { attribute, type PipeContext, type ToxicKind } from './toxic.ts'

export const latency: ToxicKind = {
  type: 'latency',
  fields: { latency: 0, jitter: 0 },
  capacityBytes: () => 16 * 1024 * 1024,
  pipe(context: PipeContext) {
    return {
      arrive(item) {
        // One draw an item, kept with it, so that an update of the toxic re-times what is on the way.
        item.draw = context.random() * 2 - 1
      },
      step(head, nowMs) {
        const delayMs = attribute(context, 'latency') + attribute(context, 'jitter') * head.draw
        const dueMs = head.arrivedMs + Math.max(0, delayMs)
        return nowMs >= dueMs ? { do: 'pass', bytes: head.chunk.length } : { do: 'wait', untilMs: dueMs }
      },
    }
  },
}
