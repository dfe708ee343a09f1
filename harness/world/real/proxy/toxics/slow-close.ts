/** slow_close: bytes pass at once, the end of the stream `delay` ms after it came. */
import { attribute, PASS, type PipeContext, SMALL_QUEUE_BYTES, type ToxicKind } from './toxic.ts'

export const slowClose: ToxicKind = {
  type: 'slow_close',
  fields: { delay: 0 },
  capacityBytes: () => SMALL_QUEUE_BYTES,
  pipe(context: PipeContext) {
    return {
      step(head, nowMs) {
        const dueMs = head.arrivedMs + attribute(context, 'delay')
        return head.end === null || nowMs >= dueMs ? PASS : { do: 'wait', untilMs: dueMs }
      },
    }
  },
}
