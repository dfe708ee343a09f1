/**
 * A small shop over HTTP that sells one article. `POST /orders` reads the stock, works for a while and writes the stock
 * back, one less, all under a lock: as wrong or right as the lock is. Every so many orders the work takes longer than
 * usual, as it does when a process is paused or something it calls is slow.
 *
 * 200 sold, 409 sold out, 503 the lock could not be had in time.
 */
import { Hono } from 'hono'
import { type Ask, createLock, type LockKind } from './lock.ts'

export interface ShopSettings {
  /** Part of every token. */
  instance: string
  lock: LockKind
  expiryMs: number
  workMs: number
  /** Every so many orders of an instance take `slowMs`; 0: none. */
  slowEvery: number
  slowMs: number
}

export const STOCK_KEY = 'shop:stock'
export const LEDGER_KEY = 'shop:ledger'
/** Between two attempts to get the lock. */
const RETRY_MS = 4
const PATIENCE_MS = 5000

export interface Shop {
  app: Hono
  /** Resolves when no order is being worked on. */
  idle(): Promise<void>
}

export function createShop(settings: ShopSettings, ask: Ask, sleep: (delayMs: number) => Promise<void>): Shop {
  const { instance, expiryMs, workMs, slowEvery, slowMs } = settings
  const lock = createLock(settings.lock, ask, expiryMs)
  let serial = 0
  let working = 0
  const note = (kind: string, token: string) => ask('RPUSH', LEDGER_KEY, `${kind} ${token}`)

  const acquire = async (token: string): Promise<boolean> => {
    for (let waitedMs = 0; waitedMs < PATIENCE_MS; waitedMs += RETRY_MS) {
      if (await lock.acquire(token)) return true
      await sleep(RETRY_MS)
    }
    return false
  }

  /** Units left; undefined: sold out. */
  const sell = async (token: string, isSlow: boolean): Promise<number | undefined> => {
    const stock = Number(String(await ask('GET', STOCK_KEY)))
    if (stock <= 0) return undefined
    await sleep(isSlow ? slowMs : workMs)
    await ask('SET', STOCK_KEY, String(stock - 1))
    await note('sold', token)
    return stock - 1
  }

  const order = async (): Promise<{ status: 200 | 409 | 503; left?: number }> => {
    const number = ++serial
    const token = `${instance}-${number}`
    if (!(await acquire(token))) return { status: 503 }
    await note('enter', token)
    const left = await sell(token, slowEvery > 0 && number % slowEvery === 0)
    await note('leave', token)
    const deleted = await lock.release(token)
    if (deleted !== undefined) await note('deleted', deleted)
    return left === undefined ? { status: 409 } : { status: 200, left }
  }

  const app = new Hono()
  app.post('/orders', async (context) => {
    working++
    try {
      const { status, left = 0 } = await order()
      return context.json({ left }, status)
    } finally {
      working--
    }
  })
  const idle = async (): Promise<void> => {
    while (working > 0) await sleep(RETRY_MS)
  }
  return { app, idle }
}
