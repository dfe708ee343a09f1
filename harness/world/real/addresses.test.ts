import { expect, test } from 'vitest'
import { type AddressPlan, addressesOf, allocateAddresses, unavailable } from './addresses.ts'
import { answersOn } from './proxy/testing/proxy-bench.ts'

/** macOS has 127.0.0.1 alone, unless aliased; continuous integration runs on Linux. */
const skip = !(await answersOn('127.200.1.1')) && process.env.CI !== 'true'
const needs = { nodes: 2, clients: 1, firstBlock: 200 }

async function release(plans: AddressPlan[]): Promise<void> {
  for (const plan of plans) await plan.release()
}

// macOS, see above
test.skipIf(skip)('a plan gives every machine addresses of its own, in one block', async () => {
  const plan = await allocateAddresses(needs)
  try {
    const all = [plan.node(1), plan.node(2), plan.proxy(1), plan.proxy(2), plan.client(1)]
    const prefix = `127.${plan.block}`
    expect(all).toEqual([`${prefix}.1.1`, `${prefix}.1.2`, `${prefix}.2.1`, `${prefix}.2.2`, `${prefix}.3.1`])
    expect(addressesOf(plan.block, needs)).toEqual([`${prefix}.0.1`, ...all])
    for (const outside of [() => plan.node(3), () => plan.node(0), () => plan.proxy(3), () => plan.client(2)]) {
      expect(outside).toThrow(expect.objectContaining({ code: 'BAD_OPTION' }))
    }
  } finally {
    await plan.release()
  }
})

// macOS, see above
test.skipIf(skip)('runs at the same time get different blocks, and may release them twice', async () => {
  const plans = await Promise.all([allocateAddresses(needs), allocateAddresses(needs), allocateAddresses(needs)])
  try {
    expect(new Set(plans.map((plan) => plan.block)).size).toBe(3)
  } finally {
    await release(plans)
    await release(plans)
  }
})

// macOS, see above
test.skipIf(skip)('past the last block the search goes on at the first', async () => {
  const last = await allocateAddresses({ ...needs, firstBlock: 254 })
  const next = await allocateAddresses({ ...needs, firstBlock: 254 })
  await release([last, next])
  expect(next.block).not.toBe(last.block)
  expect(next.block).toBeGreaterThanOrEqual(1)
})

test('an impossible number is refused before anything is taken', async () => {
  for (const wrong of [{ nodes: 0 }, { nodes: 255 }, { clients: -1 }, { nodes: 1.5 }, { firstBlock: 0 }]) {
    await expect(allocateAddresses({ ...needs, ...wrong })).rejects.toMatchObject({ code: 'BAD_OPTION' })
  }
})

test('a platform without the addresses is told which, and the command for each', () => {
  const error = unavailable(['127.9.1.1', '127.9.2.1'])
  expect(error.code).toBe('ADDRESSES')
  expect(error.message).toContain('sudo ifconfig lo0 alias 127.9.1.1 up\n  sudo ifconfig lo0 alias 127.9.2.1 up')
})

// macOS, see above
test.skipIf(skip)('released blocks are given again: more runs than there are blocks find one', async () => {
  for (let run = 0; run < 300; run++) await (await allocateAddresses({ nodes: 1, clients: 0 })).release()
})
