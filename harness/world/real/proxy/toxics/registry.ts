/** Every kind of toxic, by type. Adding one: a file beside this, a row here. */
import { bandwidth } from './bandwidth.ts'
import { latency } from './latency.ts'
import { limitData } from './limit-data.ts'
import { partition } from './partition.ts'
import { resetPeer } from './reset-peer.ts'
import { slicer } from './slicer.ts'
import { slowClose } from './slow-close.ts'
import { timeout } from './timeout.ts'
import type { ToxicKind } from './toxic.ts'

export const toxicKinds: ReadonlyMap<string, ToxicKind> = new Map(
  [latency, bandwidth, slowClose, timeout, resetPeer, slicer, limitData, partition].map((kind) => [kind.type, kind]),
)
