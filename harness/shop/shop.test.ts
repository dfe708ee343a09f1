/** The shop on our engine as processes, under autocannon, for a second; nothing here depends on how fast that is. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { ensureBundle } from '../../bin/bundle.js'
import { History } from '../history/history.ts'
import { measure } from '../run/measure.ts'
import { startStandalone } from '../topology/standalone.ts'
import type { ShopSpec } from '../workload/workload.ts'
import { shop } from '../workload/workload.ts'
import { engineProgram } from '../world/programs.ts'
import { RealWorld } from '../world/real/real-world.ts'
import type { WorldNode } from '../world/world.ts'
import { startShop } from './shop-load.ts'

let directory: string
let world: RealWorld
beforeAll(() => ensureBundle(), 60_000)
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'faultline-shop-'))
  world = await RealWorld.create({
    program: engineProgram(),
    nodes: 1,
    clients: [],
    directory: join(directory, 'nodes'),
    journalFolder: join(directory, 'journal'),
    keep: false,
  })
})
afterEach(async () => {
  await world.close()
  rmSync(directory, { recursive: true, force: true })
  expect(existsSync(directory)).toBe(false)
})

async function sell(options: Partial<ShopSpec>): Promise<Record<string, unknown>> {
  const topology = await startStandalone({ config: {}, world, diskOf: () => 'plain' })
  const recorder = new History()
  const header = { type: 'header', version: 1, scenario: 'test', arm: 'test', world: 'real' } as const
  recorder.record({ ...header, target: 'engine', seed: 1, groups: {}, workload: 'shop' })
  const usual = {
    instances: 2,
    connections: 3,
    lock: 'naive',
    expiryMs: 60_000,
    workMs: 2,
    slowEvery: 0,
    slowMs: 0,
  } as const
  const generator = startShop(shop({ ...usual, ...options }), world, {
    seeds: topology.seeds,
    slots: undefined,
    nodeName: topology.nodeName,
    node: topology.nodes[0] as WorldNode,
    recorder,
    durationMs: 1000,
    zeroMs: () => world.nowMs(),
  })
  try {
    await generator.ready
    generator.start()
    await generator.stop()
    return measure(recorder)
  } finally {
    generator.close()
    topology.close()
  }
}

test('a lock that lasts keeps every unit with one customer, over several instances', async () => {
  const measured = await sell({})
  expect(measured.sold).toBeGreaterThan(0)
  expect(measured).toMatchObject({ overlaps: 0, oversold: 0, foreignDeletions: 0, refused: 0 })
  expect(measured.sold).toBeGreaterThanOrEqual(measured.acknowledged as number)
})

test('without a lock units are sold twice, and it is counted', async () => {
  const measured = await sell({ lock: 'none', workMs: 20 })
  expect(measured.overlaps).toBeGreaterThan(0)
  expect(measured.oversold).toBeGreaterThan(0)
})
