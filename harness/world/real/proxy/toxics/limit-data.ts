/** limit_data: lets `bytes` bytes through, counted from when the toxic took hold, then closes the connection. */
import { attribute, PASS, type PipeContext, SMALL_QUEUE_BYTES, type ToxicKind } from './toxic.ts'

export const limitData: ToxicKind = {
  type: 'limit_data',
  fields: { bytes: 0 },
  capacityBytes: () => SMALL_QUEUE_BYTES,
  pipe(context: PipeContext) {
    let passedBytes = 0
    return {
      step(head) {
        if (head.end !== null) return PASS
        const bytes = Math.max(0, Math.min(head.chunk.length, attribute(context, 'bytes') - passedBytes))
        passedBytes += bytes
        return passedBytes < attribute(context, 'bytes')
          ? { do: 'pass', bytes }
          : { do: 'pass', bytes, thenEnd: 'close' }
      },
    }
  },
}
