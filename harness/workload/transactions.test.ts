import { expect, test } from 'vitest'
import { History } from '../history/history.ts'
import { transactionMeasures } from '../run/measure.ts'
import { startStandalone } from '../topology/standalone.ts'
import { SimWorld } from '../world/sim/sim-world.ts'
import type { WorldNode } from '../world/world.ts'
import { startGenerator } from './generator.ts'
import { clientNames, type TransactionsSpec, transactions } from './workload.ts'

/** Some milliseconds of a mode in the simulator, with everything sent delayed. */
async function run(mode: TransactionsSpec['mode'], delayMs: number): Promise<Record<string, number>> {
  const spec = transactions(mode, 3)
  const world = new SimWorld({ seed: `transactions/${mode}`, clients: clientNames(spec) })
  const recorder = new History()
  const experiment = async (): Promise<void> => {
    const topology = await startStandalone({ config: {}, world, diskOf: () => 'plain' })
    const node = topology.nodes[0] as WorldNode
    const { seeds, nodeName } = topology
    const zeroMs = () => 0
    const generator = startGenerator(spec, world, {
      seeds,
      slots: undefined,
      nodeName,
      node,
      recorder,
      durationMs: 300,
      zeroMs,
    })
    await generator.ready
    const fault = await world.delay('server', delayMs)
    expect(await fault.tookHold()).not.toBe('')
    generator.start()
    await world.sleep(300)
    await generator.stop()
    await fault.undo()
    generator.close()
    topology.close()
  }
  await world.drive(experiment())
  await world.close()
  return transactionMeasures(recorder)
}

test('five calls cost five round trips and let others in between', async () => {
  const { transactionMs, interrupted } = await run('calls', 10)
  expect(transactionMs).toBeGreaterThanOrEqual(50)
  expect(transactionMs).toBeLessThan(60)
  expect(interrupted).toBeGreaterThan(0)
})

test.each(['multi', 'script'] as const)('%s costs one round trip and lets nobody in between', async (mode) => {
  const { transactionMs, interrupted } = await run(mode, 10)
  expect(transactionMs).toBeGreaterThanOrEqual(10)
  expect(transactionMs).toBeLessThan(12)
  expect(interrupted).toBe(0)
})

function measures(list: number[], tookMs: number[] = []): Record<string, number> {
  const history = new History()
  history.record({ type: 'transactions', atMs: 0, tookMs, list })
  return transactionMeasures(history)
}

test('a transaction counts as interrupted once, when others lie between its writes', () => {
  expect(measures([1, 1, 2, 2, 3, 3]).interrupted).toBe(0)
  expect(measures([1, 2, 1, 2, 1]).interrupted).toBe(2)
  expect(measures([1, 2, 2, 1, 3]).interrupted).toBe(1)
  expect(measures([]).interrupted).toBe(0)
  expect(measures([], [3, 1, 2]).transactionMs).toBe(2)
})
