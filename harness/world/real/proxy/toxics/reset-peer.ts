/**
 * reset_peer: both ends get a TCP RST `timeout` ms after the toxic took hold; until then bytes are lost. Toxiproxy
 * waits for the first byte before it starts the clock, and closes a connection older than the toxic with a FIN
 * instead; ours resets idle and old connections, too.
 */
import { attribute, DROP, type PipeContext, SMALL_QUEUE_BYTES, type ToxicKind } from './toxic.ts'

export const resetPeer: ToxicKind = {
  type: 'reset_peer',
  fields: { timeout: 0 },
  capacityBytes: () => SMALL_QUEUE_BYTES,
  pipe(context: PipeContext) {
    return {
      step: () => DROP,
      deadline: () => ({ atMs: context.sinceMs() + attribute(context, 'timeout'), end: 'reset' }),
    }
  },
}
