/**
 * One instance of the shop as a process of its own: the entry of `dist/shop.js`. Its settings are its argument, its
 * first line of output is its port. It ends when its standard input does, after the orders that it works on: so it
 * cannot outlive who started it.
 */
import { serve } from '@hono/node-server'
import { createNodeIo } from '../../engine/node/io.ts'
import { ReplyError } from '../../engine/resp/reply-parser.ts'
import { type Address, RespClient } from '../workload/resp-client.ts'
import type { Ask } from './lock.ts'
import { createShop, type ShopSettings } from './shop.ts'

export interface ShopProcessSettings extends ShopSettings {
  redis: Address
}

const settings = JSON.parse(process.argv[2] ?? '{}') as ShopProcessSettings
const client = new RespClient(createNodeIo(), settings.redis)
const ask: Ask = (...words) =>
  new Promise((resolve, reject) => {
    client.send(words, (reply, lost) => {
      if (reply instanceof ReplyError) reject(new Error(reply.message))
      else if (reply === undefined) reject(new Error(lost?.reason))
      else resolve(reply)
    })
  })

const sleep = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs))
const shop = createShop(settings, ask, sleep)
const server = serve({ fetch: shop.app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => {
  process.stdout.write(`${port}\n`)
})
process.stdin.resume()
process.stdin.on('end', async () => {
  server.close()
  await shop.idle()
  process.exit(0)
})
