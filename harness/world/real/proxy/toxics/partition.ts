/**
 * partition (Faultline's own): what a cut at the IP level looks like to TCP, in one direction. Bytes are held, not
 * dropped, since TCP retransmits them: when the toxic goes they arrive in order, none lost, none twice. FIN and RST
 * are packets too: the other end learns of a close only after the heal. Past `bufferBytes` the sender feels
 * back-pressure (its own kernel buffers some more, as with a real cut).
 *
 * `resumeDelayMs`: after a heal, a real stream resumes with its next retransmission, up to one backoff (RTO × 2ⁿ)
 * later. A stream that had bytes under way stays silent for this long after the toxic went; an idle one does not.
 *
 * The dialling of new connections over a cut link is in connection.ts.
 */
import { HOLD, type ToxicKind } from './toxic.ts'

export const partition: ToxicKind = {
  type: 'partition',
  fields: { resumeDelayMs: 0, bufferBytes: 256 * 1024 },
  capacityBytes: (attributes) => attributes.bufferBytes ?? 0,
  cutsLink: true,
  pipe: () => ({ step: () => HOLD }),
}
