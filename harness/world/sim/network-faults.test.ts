import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Connection, IoError } from '../../../engine/io.ts'
import type { Simulation } from './simulation.ts'
import { createSimulation } from './simulation.ts'
import { echoClient, echoServer } from './testing/echo.ts'

interface Attempt {
  connectedUs: number | undefined
  closedUs: number | undefined
  error: IoError | undefined
}

function attempt(simulation: Simulation, host: string, port = 6379, at = '10.0.0.2'): Attempt {
  const result: Attempt = { connectedUs: undefined, closedUs: undefined, error: undefined }
  simulation.host('client', { addresses: [at] }).start((io) => {
    io.network.connect(
      { host, port },
      {
        onConnect() {
          result.connectedUs = simulation.nowUs
        },
        onData() {},
        onClose(error) {
          result.closedUs = simulation.nowUs
          result.error = error
        },
      },
    )
  })
  return result
}

describe('a cut', () => {
  it('holds and heals without loss or doubling, for any cuts in any direction', async () => {
    const cut = fc.record({
      startMs: fc.integer({ min: 1, max: 3000 }),
      lastsMs: fc.integer({ min: 1, max: 3000 }),
      direction: fc.constantFrom('to', 'fro', 'both'),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(cut, { minLength: 1, maxLength: 6 }), fc.nat(), async (cuts, seed) => {
        const simulation = createSimulation({ seed: `cuts ${seed}` })
        echoServer(simulation)
        const client = echoClient(simulation, 'client', '10.0.0.2')
        for (const { startMs, lastsMs, direction } of cuts) {
          simulation.scheduler.at(startMs * 1000, () => {
            const heals: (() => void)[] = []
            if (direction !== 'fro') heals.push(simulation.cut({ from: 'client', to: 'server' }))
            if (direction !== 'to') heals.push(simulation.cut({ from: 'server', to: 'client' }))
            simulation.scheduler.after(lastsMs * 1000, () => {
              for (const heal of heals) heal()
            })
          })
        }
        await simulation.run(25_000)
        expect(client.ends).toEqual([])
        expect(client.sent.startsWith(client.echoed)).toBe(true)
        expect(client.sent.length - client.echoed.length).toBeLessThan(200)
      }),
      { numRuns: 15 },
    )
  })

  it('lets nothing through while it lasts, and the stream goes on at the next retransmission', async () => {
    const simulation = createSimulation({ seed: 'backoff' })
    echoServer(simulation)
    const client = echoClient(simulation, 'client', '10.0.0.2')
    await simulation.run(1000)
    const heal = simulation.cut({ from: 'client', to: 'server' })
    await simulation.run(5)
    const before = client.echoed.length
    await simulation.run(3500)
    expect(client.echoed.length).toBe(before)
    heal()
    // Retransmissions leave 0.2, 0.6, 1.4, 3.0 and 6.2 s after the first lost packet.
    await simulation.run(2500)
    expect(client.echoed.length).toBe(before)
    await simulation.run(1000)
    expect(client.echoed.length).toBeGreaterThan(before)
  })

  it('of the acknowledgements alone lets data arrive, while the sender fills its buffer', async () => {
    const simulation = createSimulation({ seed: 'acks' })
    let received = 0
    let taken = 0
    let buffered = (): number => 0
    simulation.host('server', { addresses: ['10.0.0.1'] }).start((io) => {
      const onData = (chunk: Buffer): void => {
        received += chunk.length
      }
      const onConnection = (connection: Connection): void => connection.setHandlers({ onData, onClose() {} })
      io.network.listen({ host: '10.0.0.1', port: 6379 }, { onConnection, onError() {} })
    })
    simulation.host('client', { addresses: ['10.0.0.2'] }).start((io) => {
      const connection = io.network.connect({ host: '10.0.0.1', port: 6379 }, { onData() {}, onClose() {} })
      buffered = () => connection.bufferedBytes
      const send = (): void => {
        connection.write(Buffer.alloc(16_384))
        taken += 16_384
        io.timers.after(1, send)
      }
      io.timers.after(5, send)
    })
    await simulation.run(4)
    const heal = simulation.cut({ from: 'server', to: 'client' })
    await simulation.run(1000)
    expect(received).toBe(256 * 1024)
    expect(buffered()).toBe(taken - 256 * 1024)
    heal()
    await simulation.run(3000)
    expect(buffered()).toBe(0)
    expect(received).toBeGreaterThan(taken - 20_000)
  })

  it('limited to some ports leaves the others alone, and undoing one of two cuts leaves the other', async () => {
    const simulation = createSimulation({ seed: 'planes' })
    echoServer(simulation)
    const client = echoClient(simulation, 'client', '10.0.0.2')
    await simulation.run(100)
    const place = { from: 'client', to: 'server' }
    const healOther = simulation.cut({ ...place, matching: (flow) => flow.serverPort !== 6379 })
    await simulation.run(100)
    expect(client.sent.length - client.echoed.length).toBeLessThan(50)
    const heal = simulation.cut({ ...place, matching: (flow) => flow.serverPort === 6379 })
    await simulation.run(10)
    const before = client.echoed.length
    healOther()
    await simulation.run(500)
    expect(client.echoed.length).toBe(before)
    heal()
    await simulation.run(2000)
    expect(client.echoed.length).toBeGreaterThan(before)
  })

  it('that outlasts the stream kills it at the sender with ETIMEDOUT', async () => {
    const simulation = createSimulation({ seed: 'etimedout', stream: { streamTimeoutMs: 5000 } })
    echoServer(simulation)
    const client = echoClient(simulation, 'client', '10.0.0.2')
    await simulation.run(100)
    simulation.cut({ from: 'client', to: 'server' })
    await simulation.run(7000)
    expect(client.ends).toEqual(['ETIMEDOUT'])
  })
})

describe('connecting', () => {
  it('takes one round trip', async () => {
    const simulation = createSimulation({ seed: 'rtt', link: { latencyUs: 5000, jitterUs: 0 } })
    echoServer(simulation)
    const result = attempt(simulation, '10.0.0.1')
    await simulation.run(100)
    expect(result.connectedUs).toBeGreaterThanOrEqual(10_000)
    expect(result.connectedUs).toBeLessThan(10_100)
  })

  it('through a cut that heals succeeds with the next SYN', async () => {
    const simulation = createSimulation({ seed: 'syn' })
    echoServer(simulation)
    const result = attempt(simulation, '10.0.0.1')
    const heal = simulation.cut({ from: 'client', to: 'server' })
    await simulation.run(2000)
    heal()
    await simulation.run(900)
    expect(result.connectedUs).toBe(undefined)
    await simulation.run(200)
    expect(result.connectedUs).toBeGreaterThan(3_000_000)
  })

  it('to a machine without power, or an address of nobody, fails with ETIMEDOUT after 127 s', async () => {
    for (const host of ['10.0.0.1', '10.9.9.9']) {
      const simulation = createSimulation({ seed: 'dead' })
      echoServer(simulation)
      simulation.hosts.get('server')!.powerCut()
      const result = attempt(simulation, host)
      await simulation.run(126_000)
      expect(result.closedUs).toBe(undefined)
      await simulation.run(2000)
      expect(result.error?.code).toBe('ETIMEDOUT')
    }
  })

  it('to a host whose process is dead is refused at once', async () => {
    const simulation = createSimulation({ seed: 'refused' })
    echoServer(simulation)
    await simulation.run(10)
    simulation.hosts.get('server')!.kill()
    const result = attempt(simulation, 'server')
    await simulation.run(10)
    expect(result.error?.code).toBe('ECONNREFUSED')
  })

  it('by an unknown name fails with ENOTFOUND', async () => {
    const simulation = createSimulation({ seed: 'name' })
    const result = attempt(simulation, 'nobody.example')
    await simulation.run(10)
    expect(result.error?.code).toBe('ENOTFOUND')
  })
})

describe('a slow link', () => {
  it('delays by the added latency and passes no more than its bandwidth', async () => {
    const simulation = createSimulation({ seed: 'slow' })
    let received = 0
    simulation.host('server', { addresses: ['10.0.0.1'] }).start((io) => {
      const onConnection = (connection: Connection): void => void connection.write(Buffer.alloc(4_000_000))
      io.network.listen({ host: '10.0.0.1', port: 6379 }, { onConnection, onError() {} })
    })
    simulation.host('client', { addresses: ['10.0.0.2'] }).start((io) => {
      const onData = (chunk: Buffer): void => {
        received += chunk.length
      }
      io.network.connect({ host: '10.0.0.1', port: 6379 }, { onData, onClose() {} })
    })
    const mend = simulation.degrade(
      { from: 'server', to: 'client' },
      { latencyUs: 50_000, bandwidthBytesPerSecond: 1_000_000 },
    )
    await simulation.run(49)
    expect(received).toBe(0)
    await simulation.run(1951)
    expect(received).toBeGreaterThan(1_500_000)
    expect(received).toBeLessThan(2_000_000)
    mend()
    await simulation.run(1000)
    expect(received).toBe(4_000_000)
  })

  it('that loses packets delivers everything nevertheless', async () => {
    const simulation = createSimulation({ seed: 'lossy' })
    echoServer(simulation)
    const client = echoClient(simulation, 'client', '10.0.0.2')
    const mend = simulation.degrade({ from: ['client', 'server'], to: ['client', 'server'] }, { lossRate: 0.05 })
    await simulation.run(5000)
    mend()
    await simulation.run(2000)
    expect(client.ends).toEqual([])
    expect(client.sent.startsWith(client.echoed)).toBe(true)
    expect(client.sent.length - client.echoed.length).toBeLessThan(100)
  })
})
