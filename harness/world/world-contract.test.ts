/**
 * What a run relies on in a World, held against every world: directed cuts, faults of processes, power and disks,
 * healing, source machines, closing.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ensureBundle } from '../../bin/bundle.js'
import type { ReplyValue } from '../../engine/resp/reply-parser.ts'
import { AdminClient } from '../topology/admin-client.ts'
import { RespClient } from '../workload/resp-client.ts'
import { engineProgram } from './programs.ts'
import { RealWorld } from './real/real-world.ts'
import { SimWorld } from './sim/sim-world.ts'
import type { NodeSpec, World, WorldNode } from './world.ts'

const directory = mkdtempSync(join(tmpdir(), 'faultline-world-'))
const CLIENTS = ['near', 'far']

const worlds: Record<string, () => Promise<World>> = {
  sim: async () => new SimWorld({ seed: 'contract', clients: CLIENTS }),
  real: () =>
    RealWorld.create({
      program: engineProgram(),
      nodes: 1,
      clients: CLIENTS,
      directory: join(directory, 'data'),
      journalFolder: join(directory, 'journal'),
      keep: false,
    }),
}

beforeAll(() => ensureBundle(), 60_000)
afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe.for(Object.keys(worlds))('world %s', (kind) => {
  /** Runs `body` with a node in a new world, and closes the world whatever happens. */
  async function withNode(
    body: (world: World, node: WorldNode, admin: AdminClient) => Promise<void>,
    spec: Partial<NodeSpec> = {},
  ): Promise<void> {
    const world = await (worlds[kind] as () => Promise<World>)()
    try {
      await world.drive(
        (async () => {
          const node = await world.startNode({ name: 'node', config: {}, ...spec })
          const admin = new AdminClient(world, node)
          await body(world, node, admin)
          admin.close()
        })(),
      )
    } finally {
      await world.close()
    }
  }

  /** A client on its machine; `answers` collects what comes back. */
  function connect(world: World, node: WorldNode, name: string) {
    const answers: (ReplyValue | undefined)[] = []
    let isOver = false
    const client = new RespClient(world.clientIo(name), { host: node.host, port: node.port }, () => {
      isOver = true
    })
    return {
      answers,
      isOver: () => isOver,
      send: (...words: string[]) => client.send(words, (reply) => answers.push(reply)),
      close: () => client.close(),
    }
  }

  async function until(world: World, condition: () => boolean | Promise<boolean>): Promise<void> {
    for (let i = 0; i < 500; i++) {
      if (await condition()) return
      await world.sleep(20)
    }
    throw new Error('gave up waiting')
  }

  test('a cut towards the node holds requests; healing delivers each once, in order', async () => {
    await withNode(async (world, node, admin) => {
      const client = connect(world, node, 'near')
      client.send('PING')
      await until(world, () => client.answers.length === 1)
      const fault = await world.cut([{ from: 'near', to: 'node' }])
      client.send('APPEND', 'log', 'a')
      client.send('APPEND', 'log', 'b')
      await world.sleep(300)
      expect(await admin.command(['EXISTS', 'log'])).toBe(0)
      expect(await fault.tookHold()).not.toBe('')
      await fault.undo()
      await until(world, () => client.answers.length === 3)
      expect(await admin.text(['GET', 'log'])).toBe('ab')
      client.close()
    })
  })

  test('a cut from the node lets requests through and holds the answers', async () => {
    await withNode(async (world, node, admin) => {
      const client = connect(world, node, 'near')
      client.send('PING')
      await until(world, () => client.answers.length === 1)
      const fault = await world.cut([{ from: 'node', to: 'near' }])
      client.send('SET', 'key', 'value')
      await until(world, async () => (await admin.command(['EXISTS', 'key'])) === 1)
      await world.sleep(300)
      expect(client.answers).toHaveLength(1)
      await fault.undo()
      await until(world, () => client.answers.length === 2)
      client.close()
    })
  })

  test('a cut touches the named machine only, new connections too', async () => {
    await withNode(async (world, node) => {
      const fault = await world.cut([
        { from: 'near', to: 'node' },
        { from: 'node', to: 'near' },
      ])
      const near = connect(world, node, 'near')
      const far = connect(world, node, 'far')
      near.send('PING')
      far.send('PING')
      await until(world, () => far.answers.length === 1)
      await world.sleep(300)
      expect(near.answers).toEqual([])
      await fault.undo()
      await fault.undo()
      await until(world, () => near.answers.length === 1)
      near.close()
      far.close()
    })
  })

  test('the share in which nodes waited for a processor is one, or nothing says so', async () => {
    await withNode(async (world) => {
      const wait = world.processorWait()
      const isCounted = world.kind === 'real' && existsSync('/proc/self/schedstat')
      expect(wait === null).toBe(!isCounted)
      expect(wait ?? 0).toBeGreaterThanOrEqual(0)
      expect(wait ?? 0).toBeLessThan(1)
      await world.kill('node')
      expect(world.processorWait()).toBeNull()
    })
  })

  test('a fault that nothing ran into did not take hold', async () => {
    await withNode(async (world) => {
      const fault = await world.cut([{ from: 'far', to: 'node' }])
      await world.sleep(50)
      expect(await fault.tookHold()).toBe('')
      await fault.undo()
    })
  })

  test('a killed server keeps what it had written, comes back at its addresses, and its clients see the end', async () => {
    await withNode(async (world, node, admin) => {
      const client = connect(world, node, 'near')
      client.send('SET', 'key', 'value')
      await until(world, () => client.answers.length === 1)
      await admin.command(['SAVE'])
      await admin.command(['SET', 'key', 'not saved'])
      const fault = await world.kill('node')
      expect(await fault.tookHold()).not.toBe('')
      client.send('PING')
      await until(world, () => client.isOver())
      expect(await admin.tryPipeline([['PING']], 300)).toBeUndefined()
      await fault.undo()
      await fault.undo()
      expect(await admin.text(['GET', 'key'])).toBe('value')
      const again = connect(world, node, 'near')
      again.send('GET', 'key')
      await until(world, () => again.answers.length === 1)
      again.close()
    })
  })

  test('a paused server answers nothing, keeps its connections, and answers all of it afterwards', async () => {
    await withNode(async (world, node) => {
      const client = connect(world, node, 'near')
      client.send('SET', 'key', '0')
      await until(world, () => client.answers.length === 1)
      const fault = await world.pause('node')
      client.send('INCR', 'key')
      client.send('INCR', 'key')
      await world.sleep(300)
      expect(client.answers).toHaveLength(1)
      expect(await fault.tookHold()).not.toBe('')
      await fault.undo()
      await until(world, () => client.answers.length === 3)
      expect(client.answers.slice(1)).toEqual([1, 2])
      client.close()
    })
  })

  test('a power cut takes what was not synced, and peers hear nothing of it', async () => {
    const body = async (world: World, node: WorldNode, admin: AdminClient): Promise<void> => {
      const client = connect(world, node, 'near')
      client.send('SET', 'key', 'value')
      await until(world, () => client.answers.length === 1)
      await admin.command(['SAVE'])
      await admin.command(['SET', 'key', 'not saved'])
      const fault = await world.powerCut('node')
      client.send('PING')
      await world.sleep(300)
      expect([client.answers.length, client.isOver()]).toEqual([1, false])
      expect(await fault.tookHold()).not.toBe('')
      await fault.undo()
      admin.close()
      expect(await admin.text(['GET', 'key'])).toBe('value')
      await until(world, () => client.isOver())
      client.close()
    }
    await withNode(body, { disk: 'held-back' })
  })

  test('a full or failing disk fails a save, and mends', async () => {
    const body = async (world: World, _node: WorldNode, admin: AdminClient): Promise<void> => {
      await admin.command(['SET', 'key', 'value'])
      for (const fault of [{ full: true }, { failing: ['sync' as const] }]) {
        const active = await world.impairDisk('node', fault)
        expect(await active.tookHold()).not.toBe('')
        await expect(admin.command(['SAVE'])).rejects.toThrow('SAVE')
        await active.undo()
        expect(await admin.text(['SAVE'])).toBe('OK')
      }
    }
    await withNode(body, { disk: 'faulty' })
  })

  test('a slow disk delays a save by as much as it is told', async () => {
    const body = async (world: World, _node: WorldNode, admin: AdminClient): Promise<void> => {
      const active = await world.impairDisk('node', { syncDelayMs: 400 })
      const startedMs = world.nowMs()
      await admin.command(['SAVE'])
      expect(world.nowMs() - startedMs).toBeGreaterThanOrEqual(400)
      await active.undo()
    }
    await withNode(body, { disk: 'faulty' })
  })

  test('a server that cannot start is told with the end of its log', async () => {
    const world = await (worlds[kind] as () => Promise<World>)()
    try {
      const start = world.drive(world.startNode({ name: 'node', config: { maxmemory: 'plenty' } }))
      await expect(start).rejects.toThrow(/maxmemory|argument/)
    } finally {
      await world.close()
    }
  })
})

test('closing the real world leaves neither data nor journal, twice is once', async () => {
  const world = await (worlds.real as () => Promise<World>)()
  await world.startNode({ name: 'node', config: {} })
  await world.kill('node')
  await world.close()
  await world.close()
  expect(readdirSync(directory)).toEqual(['journal'])
  expect(readdirSync(join(directory, 'journal'))).toEqual([])
})
