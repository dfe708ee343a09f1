/**
 * Scripts in the simulator: an endless one takes virtual time, never real time without end, and runs are repeatable.
 */
import { expect, test } from 'vitest'
import { encodeRequest } from '../../../engine/resp/request.ts'
import { createServer } from '../../../engine/server/assembly.ts'
import { createConfig } from '../../../engine/server/config.ts'
import { createSimulation } from './simulation.ts'

interface Said {
  atMs: number
  reply: string
}

/** A server, a client that runs an endless script at 1 s, and one that looks in later and kills it. */
async function runEndless(seed: string) {
  const simulation = createSimulation({ seed })
  simulation.host('server', { addresses: ['10.0.0.1'] }).start((io) => {
    io.disk.makeDirectory('/data')
    const settings = { bind: '0.0.0.0', 'protected-mode': 'no', save: '', dir: '/data', 'busy-reply-threshold': '200' }
    createServer(io, { config: createConfig(io.disk, { settings }), port: 6379 }).start({
      onReady() {},
      onFailure() {},
    })
  })
  const client = (name: string, address: string, plan: readonly (readonly [atMs: number, ...words: string[]])[]) => {
    const said: Said[] = []
    simulation.host(name, { addresses: [address] }).start((io) => {
      const startUs = io.clock.monotonicUs()
      const atMs = () => Math.round((io.clock.monotonicUs() - startUs) / 1000)
      const connection = io.network.connect(
        { host: '10.0.0.1', port: 6379 },
        { onData: (chunk) => void said.push({ atMs: atMs(), reply: chunk.toString('latin1') }), onClose() {} },
      )
      for (const [whenMs, ...words] of plan) io.timers.after(whenMs, () => void connection.write(encodeRequest(words)))
    })
    return said
  }
  const runner = client('runner', '10.0.0.2', [[1000, 'EVAL', 'while true do end', '0']])
  const other = client('other', '10.0.0.3', [
    [900, 'PING'],
    [1100, 'PING'],
    [1500, 'SCRIPT', 'KILL'],
    [1600, 'PING'],
  ])
  await simulation.run(2000)
  return { runner, other }
}

test('an endless script takes virtual time; others are told BUSY after the threshold; SCRIPT KILL ends it', async () => {
  const { runner, other } = await runEndless('endless')
  expect(other.map(({ reply }) => reply.slice(0, 5))).toEqual(['+PONG', '-BUSY', '+OK\r\n', '+PONG'])
  const [, busy] = other
  // Asked at 1.1 s, answered when the script's 200 ms were over.
  expect(busy?.atMs).toBeGreaterThanOrEqual(1200)
  expect(busy?.atMs).toBeLessThan(1300)
  expect(runner).toHaveLength(1)
  expect(runner[0]?.reply).toContain('Script killed by user')
  expect(await runEndless('endless')).toEqual({ runner, other })
})
