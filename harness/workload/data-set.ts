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
export function loadDataSet(world: World, node: WorldNode, keys: number, valueBytes: number): Promise<void> {
  const pool = incompressible(valueBytes)
  return sendAll(world, node, keys, (id) => {
    const from = (id * 7919) % POOL_BYTES
    return ['SET', `${DATA_PREFIX}${String(id).padStart(9, '0')}`, pool.slice(from, from + valueBytes)]
  })
}

/** INCR of each counter, round by round. Names have 14 bytes. */
export function incrementCounters(world: World, node: WorldNode, keys: number, times: number): Promise<void> {
  return sendAll(world, node, keys * times, (id) => ['INCR', `counter:${String(id % keys).padStart(6, '0')}`])
}

async function sendAll(
  world: World,
  node: WorldNode,
  requests: number,
  wordsOf: (id: number) => string[],
): Promise<void> {
  if (requests === 0) return
  const { promise, resolve, reject } = world.deferred<void>()
  const client = new RespClient(world.adminIo, { host: node.adminHost, port: node.adminPort })
  let sent = 0
  let answered = 0
  const sendNext = (): void => {
    client.send(wordsOf(sent++), (reply) => {
      if (reply === undefined || reply instanceof ReplyError) {
        reject(new HarnessError('TOPOLOGY', `${node.name} did not take its data set: ${reply?.message ?? 'no answer'}`))
        return
      }
      answered++
      if (answered === requests) resolve()
      else if (sent < requests) sendNext()
    })
  }
  while (sent < Math.min(requests, IN_FLIGHT)) sendNext()
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
