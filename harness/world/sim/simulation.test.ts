import { describe, expect, it } from 'vitest'
import type { Connection } from '../../../engine/io.ts'
import type { Simulation } from './simulation.ts'
import { createSimulation } from './simulation.ts'

/** A server that echoes, and a client that sends a counter again and again; what came back is collected. */
function echoWorld(simulation: Simulation, periodMs = 10): { echoed: () => string; sent: () => string } {
  const server = simulation.host('server', { addresses: ['10.0.0.1'] })
  const client = simulation.host('client', { addresses: ['10.0.0.2'] })
  let sent = ''
  let echoed = ''
  server.start((io) => {
    io.network.listen(
      { host: '0.0.0.0', port: 6379 },
      {
        onConnection(connection) {
          connection.setHandlers({
            onData: (chunk) => void connection.write(Buffer.from(chunk)),
            onClose() {},
          })
        },
        onError(error) {
          throw error
        },
      },
    )
  })
  client.start((io) => {
    let counter = 0
    const connection: Connection = io.network.connect(
      { host: '10.0.0.1', port: 6379 },
      {
        onData(chunk) {
          echoed += chunk.toString()
        },
        onClose() {},
      },
    )
    const send = (): void => {
      const line = `${counter++}:${io.random.below(1000)}\n`
      sent += line
      connection.write(Buffer.from(line))
      io.timers.after(periodMs, send)
    }
    io.timers.after(1, send)
  })
  return { echoed: () => echoed, sent: () => sent }
}

async function hashOf(seed: string): Promise<string> {
  const simulation = createSimulation({ seed })
  echoWorld(simulation)
  await simulation.run(2000)
  return simulation.traceHash()
}

describe('a simulation', () => {
  it('gives the same trace for the same seed, and another for another seed', async () => {
    const first = await hashOf('one')
    expect(await hashOf('one')).toBe(first)
    expect(await hashOf('two')).not.toBe(first)
  })

  it('holds what is sent into a cut and delivers it after the cut has healed', async () => {
    const simulation = createSimulation({ seed: 'cut' })
    const world = echoWorld(simulation)
    await simulation.run(100)
    const heal = simulation.cut({ from: 'client', to: 'server' })
    await simulation.run(1)
    const before = world.echoed().length
    await simulation.run(1000)
    expect(world.echoed().length).toBe(before)
    heal()
    await simulation.run(2000)
    expect(world.sent().startsWith(world.echoed())).toBe(true)
    expect(world.echoed().length).toBeGreaterThan(world.sent().length * 0.95)
  })
})
