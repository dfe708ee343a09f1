import { afterEach, expect, test } from 'vitest'
import { growth } from '../scenario.ts'
import type { AdminClient } from '../topology/admin-client.ts'
import { startStandalone } from '../topology/standalone.ts'
import type { Topology } from '../topology/start.ts'
import { SimWorld } from '../world/sim/sim-world.ts'
import { changeOf, grow, wordsAt } from './growth.ts'

let world: SimWorld | undefined
afterEach(() => world?.close())

async function server(config: Record<string, string>): Promise<Topology> {
  world = new SimWorld({ seed: 'growth', clients: [] })
  return startStandalone({ config, world, diskOf: () => 'plain' })
}

const hash = growth('server', 40, ['HSET', '__key__', '__n__', 'x'], ['HGET', '__key__', '__n__'])

test('the step at which an encoding changes is found exactly, also at the ends of a batch', async () => {
  for (const threshold of [1, 31, 39]) {
    const started = server({ 'hash-max-listpack-entries': String(threshold) })
    const run = started.then((topology) => grow(hash, topology.admins[0] as AdminClient))
    const { figures, encodings } = await (world as SimWorld).drive(run)
    expect(figures.changesAt).toBe(threshold + 1)
    expect(encodings).toEqual(['listpack', 'hashtable'])
    expect(figures.aboveBytes).toBeGreaterThan(figures.belowBytes as number)
  }
})

test('an encoding that never changes is told, and nothing is compared', async () => {
  const started = server({ 'hash-max-listpack-entries': '40' })
  const run = started.then((topology) => grow(hash, topology.admins[0] as AdminClient))
  expect(await (world as SimWorld).drive(run)).toEqual({
    figures: { changesAt: 0 },
    encodings: ['listpack', 'listpack'],
  })
})

test('a server that refuses a step ends the run', async () => {
  const started = server({})
  const refused = growth('server', 3, ['HSET', '__key__', '__n__'], ['HGET', '__key__', '__n__'])
  const run = started.then((topology) => grow(refused, topology.admins[0] as AdminClient))
  await expect((world as SimWorld).drive(run)).rejects.toThrow(/wrong number of arguments/)
})

test('words and changes', () => {
  expect(wordsAt(['SET', 'k__n__', '__text__'], 3)).toEqual(['SET', 'k3', 'xxx'])
  expect(changeOf(['a', 'a', 'b', 'a'])).toBe(3)
  expect(changeOf(['a', 'a'])).toBe(0)
  expect(changeOf([])).toBe(0)
})
