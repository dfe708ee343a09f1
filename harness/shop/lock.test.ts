import { expect, test } from 'vitest'
import type { ReplyValue } from '../../engine/resp/reply-parser.ts'
import { type Ask, createLock, type LockKind } from './lock.ts'

/** One key of a server whose clock is turned by hand. `between` happens before the command of that name. */
function server() {
  let held: { token: string; untilMs: number } | undefined
  let nowMs = 0
  const between = new Map<string, () => void>()
  const owner = () => (held !== undefined && held.untilMs > nowMs ? held.token : undefined)
  const reply = (token: string | undefined): ReplyValue => (token === undefined ? null : Buffer.from(token))
  const ask: Ask = async (name, ...words) => {
    const hook = between.get(name as string)
    between.delete(name as string)
    hook?.()
    const before = owner()
    if (name === 'SET') {
      if (before !== undefined) return null
      held = { token: words[1] as string, untilMs: nowMs + Number(words[4]) }
      return 'OK'
    }
    if (name === 'GETDEL') held = undefined
    if (name !== 'EVAL') return reply(before)
    if (before !== words[3]) return 0
    held = undefined
    return 1
  }
  return { ask, owner, between, pass: (ms: number) => (nowMs += ms) }
}

const expiring: LockKind[] = ['naive', 'owner-check', 'compare-and-delete']

test.each(expiring)('%s: one holder at a time until it releases or the expiry', async (kind) => {
  const { ask, owner, pass } = server()
  const lock = createLock(kind, ask, 100)
  expect(await lock.acquire('a')).toBe(true)
  expect(await lock.acquire('b')).toBe(false)
  expect(await lock.release('a')).toBeUndefined()
  expect(owner()).toBeUndefined()
  expect(await lock.acquire('b')).toBe(true)
  pass(100)
  expect(await lock.acquire('c')).toBe(true)
})

test('who releases too late deletes the lock of another, unless it looks whose it is', async () => {
  for (const kind of expiring) {
    const { ask, owner, pass } = server()
    const lock = createLock(kind, ask, 100)
    await lock.acquire('a')
    pass(100)
    await lock.acquire('b')
    expect(await lock.release('a')).toBe(kind === 'naive' ? 'b' : undefined)
    expect(owner()).toBe(kind === 'naive' ? undefined : 'b')
  }
})

test('looking first is not enough when the lock changes hands before the deletion', async () => {
  const { ask, pass, between } = server()
  const lock = createLock('owner-check', ask, 100)
  await lock.acquire('a')
  between.set('GETDEL', () => {
    pass(100)
    void ask('SET', 'shop:lock', 'b', 'NX', 'PX', '100')
  })
  expect(await lock.release('a')).toBe('b')
})

test('a release after the expiry that finds nothing has deleted nobody', async () => {
  const { ask, pass } = server()
  const lock = createLock('naive', ask, 100)
  await lock.acquire('a')
  pass(100)
  expect(await lock.release('a')).toBeUndefined()
})

test('no lock lets everybody in', async () => {
  const lock = createLock('none', server().ask, 100)
  expect([await lock.acquire('a'), await lock.acquire('b')]).toEqual([true, true])
})
