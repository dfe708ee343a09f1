/**
 * timeout: no byte gets through (they are lost), and the connection is closed `timeout` ms after the toxic took hold;
 * with 0, only when the toxic is removed. Toxiproxy's clock starts again with every byte that comes; ours does as its
 * documentation says and does not, so that a chatty client cannot keep a connection alive.
 */
import { attribute, DROP, PASS, type PipeContext, SMALL_QUEUE_BYTES, type ToxicKind } from './toxic.ts'

export const timeout: ToxicKind = {
  type: 'timeout',
  fields: { timeout: 0 },
  capacityBytes: () => SMALL_QUEUE_BYTES,
  closesOnRemoval: true,
  pipe(context: PipeContext) {
    return {
      step: (head) => (head.end === null ? DROP : PASS),
      deadline() {
        const timeoutMs = attribute(context, 'timeout')
        return timeoutMs === 0 ? undefined : { atMs: context.sinceMs() + timeoutMs, end: 'close' }
      },
    }
  },
}
