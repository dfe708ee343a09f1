/** The data set that a server holds before the workload begins: so many keys with values that do not compress. */
import { randomFromText } from '../../engine/data/random.ts'
import { ReplyError } from '../../engine/resp/reply-parser.ts'
import { HarnessError } from '../errors.ts'
import type { Quantity } from '../predict/quantity.ts'
import type { World, WorldNode } from '../world/world.ts'
import { RespClient } from './resp-client.ts'

/** Keys of a data set begin with this: an audit counts them and does not read them. */
export const DATA_PREFIX = 'data:'

export interface DataSetSpec {
  keys: Quantity
  valueBytes: number
}

export function dataSet(spec: DataSetSpec): DataSetSpec {
  return spec
}

/** Requests without an answer at any time: enough to keep the server busy. */
const IN_FLIGHT = 2000
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const POOL_BYTES = 1 << 16

/** One SET a key, over the management plane. Rejects with TOPOLOGY when the server refuses one. */
export async function loadDataSet(world: World, node: WorldNode, keys: number, valueBytes: number): Promise<void> {
  const { promise, resolve, reject } = world.deferred<void>()
  const pool = incompressible(valueBytes)
  const client = new RespClient(world.adminIo, { host: node.adminHost, port: node.adminPort })
  let sent = 0
  let answered = 0
  const sendNext = (): void => {
    const id = sent++
    const from = (id * 7919) % POOL_BYTES
    const key = `${DATA_PREFIX}${String(id).padStart(9, '0')}`
    client.send(['SET', key, pool.slice(from, from + valueBytes)], (reply) => {
      if (reply === undefined || reply instanceof ReplyError) {
        reject(new HarnessError('TOPOLOGY', `${node.name} did not take its data set: ${reply?.message ?? 'no answer'}`))
        return
      }
      answered++
      if (answered === keys) resolve()
      else if (sent < keys) sendNext()
    })
  }
  if (keys === 0) resolve()
  while (sent < Math.min(keys, IN_FLIGHT)) sendNext()
  try {
    await promise
  } finally {
    client.close()
  }
}

/** Text whose pieces LZF cannot shorten; the same in every run. */
function incompressible(valueBytes: number): string {
  const random = randomFromText('data set')
  const text = Array.from({ length: POOL_BYTES }, () => ALPHABET[random.below(64)]).join('')
  return text + text.repeat(Math.ceil(valueBytes / POOL_BYTES))
}
