import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'
import type { Connection } from '../../../engine/io.ts'
import { createSimulation } from './simulation.ts'
import { echoClient, echoServer, eventfulRun } from './testing/echo.ts'

describe('the trace of a run', () => {
  it('is the same for the same seed, with faults, restarts and awaiting code, and another for another seed', async () => {
    const first = await eventfulRun('one')
    expect(await eventfulRun('one')).toBe(first)
    expect(await eventfulRun('two')).not.toBe(first)
  })

  it('is the same in another process', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'faultline-sim-'))
    try {
      const outfile = join(directory, 'run.mjs')
      const entry = fileURLToPath(new URL('./testing/print-trace-hash.ts', import.meta.url))
      await build({ entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'error' })
      const printed = execFileSync(process.execPath, [outfile, 'across'], { encoding: 'utf8' })
      expect(printed).toMatch(/^[0-9a-f]{16}$/)
      expect(printed).toBe(await eventfulRun('across'))
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  it('is not shifted by a host that does nothing', async () => {
    expect(await eventfulRun('more', true)).toBe(await eventfulRun('more'))
  })

  it('changes with one byte that is received', async () => {
    const run = async (text: string): Promise<string> => (await receive('byte', text)).simulation.traceHash()
    expect(await run('abc')).toBe(await run('abc'))
    expect(await run('abc')).not.toBe(await run('abd'))
  })
})

it('a program that keeps a chunk after onData finds other bytes in it', async () => {
  const { seen, kept } = await receive('stale', 'abc')
  expect(seen.join('')).toBe('abc')
  expect(Buffer.concat(kept).toString()).not.toContain('a')
})

it('an exception in a simulated program ends the run and says where and when', async () => {
  const simulation = createSimulation({ seed: 'bug' })
  simulation.host('broken', { addresses: ['10.0.0.1'] }).start((io) => {
    io.timers.after(5, () => {
      throw new Error('a bug')
    })
  })
  await expect(simulation.run(100)).rejects.toThrow(/a bug \(at \d+ µs of virtual time on broken\)/)
})

it('a program that changes bytes which a write still holds is found out', async () => {
  const simulation = createSimulation({ seed: 'memory' })
  echoServer(simulation)
  simulation.host('client', { addresses: ['10.0.0.2'] }).start((io) => {
    const bytes = Buffer.from('early')
    const connection = io.network.connect({ host: 'server', port: 6379 }, { onData() {}, onClose() {} })
    expect(connection.write(bytes)).toBe(false)
    bytes.fill(0)
  })
  await expect(simulation.run(100)).rejects.toThrow('changed before onDrain')
})

it('chunks are joined and split: a program cannot rely on the borders of writes', async () => {
  const simulation = createSimulation({ seed: 'borders' })
  const sizes = new Set<number>()
  simulation.host('server', { addresses: ['10.0.0.1'] }).start((io) => {
    io.network.listen(
      { host: '10.0.0.1', port: 1 },
      {
        onConnection: (connection) =>
          connection.setHandlers({ onData: (chunk) => void sizes.add(chunk.length), onClose() {} }),
        onError() {},
      },
    )
  })
  simulation.host('client', { addresses: ['10.0.0.2'] }).start((io) => {
    const connection = io.network.connect({ host: '10.0.0.1', port: 1 }, { onData() {}, onClose() {} })
    const send = (): void => {
      for (let index = 0; index < 3; index++) connection.write(Buffer.alloc(100))
      io.timers.after(2, send)
    }
    send()
  })
  await simulation.run(1000)
  expect([...sizes].some((size) => size < 100)).toBe(true)
  expect([...sizes].some((size) => size > 100 && size % 100 === 0)).toBe(true)
  expect([...sizes].some((size) => size > 100 && size % 100 !== 0)).toBe(true)
})

it('what clients send comes back whole as long as nothing fails', async () => {
  const simulation = createSimulation({ seed: 'calm' })
  echoServer(simulation)
  const client = echoClient(simulation, 'client', '10.0.0.2')
  await simulation.run(1000)
  expect(client.sent.startsWith(client.echoed)).toBe(true)
  expect(client.sent.length - client.echoed.length).toBeLessThan(100)
  expect(simulation.hosts.get('server')!.disk.contentOf('/data/log')!.toString().startsWith(client.echoed)).toBe(true)
})

/** Sends a text to a server that keeps the chunks themselves and a copy of each as text. */
async function receive(seed: string, text: string) {
  const simulation = createSimulation({ seed })
  const seen: string[] = []
  const kept: Buffer[] = []
  simulation.host('server', { addresses: ['10.0.0.1'] }).start((io) => {
    const onData = (chunk: Buffer): void => {
      seen.push(chunk.toString())
      kept.push(chunk)
    }
    const onConnection = (connection: Connection): void => connection.setHandlers({ onData, onClose() {} })
    io.network.listen({ host: '10.0.0.1', port: 6379 }, { onConnection, onError() {} })
  })
  simulation.host('client', { addresses: ['10.0.0.2'] }).start((io) => {
    const handlers = { onData() {}, onClose() {} }
    io.network.connect({ host: 'server', port: 6379 }, handlers).write(Buffer.from(text))
  })
  await simulation.run(100)
  return { simulation, seen, kept }
}
