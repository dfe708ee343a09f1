import { describe, expect, it } from 'vitest'
import type { Io } from '../../../engine/io.ts'
import { EPOCH_US } from './clock.ts'
import type { Simulation } from './simulation.ts'
import { createSimulation } from './simulation.ts'
import { echoClient, echoServer } from './testing/echo.ts'

function worldWithEcho(seed: string) {
  const simulation = createSimulation({ seed })
  echoServer(simulation)
  const client = echoClient(simulation, 'client', '10.0.0.2')
  return { simulation, client, server: simulation.hosts.get('server')! }
}

/** A host whose process does nothing by itself. */
function idle(simulation: Simulation) {
  const host = simulation.host('idle', { addresses: ['10.0.0.7'], timerLatenessUsMax: 0 })
  const io: Io = host.start(() => {})
  return { host, io }
}

describe('a paused process', () => {
  it('answers nothing, while its kernel takes connections and bytes, and goes on where it was', async () => {
    const { simulation, client, server } = worldWithEcho('pause')
    await simulation.run(100)
    server.pause()
    await simulation.run(5)
    const before = client.echoed.length
    const late = echoClient(simulation, 'late', '10.0.0.3')
    await simulation.run(5000)
    expect(client.echoed.length).toBe(before)
    server.resume()
    await simulation.run(10)
    expect(client.sent.startsWith(client.echoed)).toBe(true)
    expect(client.sent.length - client.echoed.length).toBeLessThan(50)
    expect(late.sent.length - late.echoed.length).toBeLessThan(50)
    expect([client.ends, late.ends]).toEqual([[], []])
  })

  it('fires the timers that came due when it resumes, each once', async () => {
    const simulation = createSimulation({ seed: 'timers' })
    const { host, io } = idle(simulation)
    const fired: number[] = []
    for (const delayMs of [10, 20, 500]) io.timers.after(delayMs, () => fired.push(simulation.nowUs / 1000))
    host.pause()
    await simulation.run(100)
    expect(fired).toEqual([])
    host.resume()
    await simulation.run(500)
    expect(fired).toEqual([100, 100, 500])
  })
})

describe('a killed process', () => {
  it('leaves its peers a stream that ends, its disk as written, and starts anew without memory', async () => {
    const { simulation, client, server } = worldWithEcho('kill')
    await simulation.run(100)
    const written = server.disk.contentOf('/data/log')!
    expect(written.length).toBeGreaterThan(0)
    server.kill()
    expect(server.process).toBe(undefined)
    await simulation.run(5)
    expect(client.ends.length).toBe(1)
    expect(server.disk.contentOf('/data/log')!.subarray(0, written.length).equals(written)).toBe(true)
    const echoedBefore = client.echoed.length
    server.restart()
    await simulation.run(100)
    expect(client.echoed.length).toBeGreaterThan(echoedBefore)
    expect(server.disk.contentOf('/data/log')!.length).toBeGreaterThan(written.length)
  })

  it('runs nothing afterwards: no timer, no deferred call, no disk', async () => {
    const simulation = createSimulation({ seed: 'nothing' })
    const { host, io } = idle(simulation)
    let calls = 0
    io.timers.after(5, () => calls++)
    io.timers.defer(() => calls++)
    host.kill()
    await simulation.run(100)
    expect(calls).toBe(0)
    expect(() => io.disk.list('/')).toThrow('has ended')
  })

  it('may end by itself: exit stops it at once and keeps the status', async () => {
    const simulation = createSimulation({ seed: 'exit' })
    let after = 0
    const host = simulation.host('exiting', { addresses: ['10.0.0.1'] })
    host.start((io) => {
      io.timers.after(10, () => after++)
      io.timers.after(5, () => {
        io.host.print('bye')
        io.host.exit(3)
        io.host.print('never printed')
      })
    })
    await simulation.run(100)
    expect([host.exitStatus, after, host.process]).toEqual([3, 0, undefined])
    expect(host.lines.map(({ line }) => line)).toEqual(['bye'])
    expect(host.lines[0]!.timeUs).toBeGreaterThanOrEqual(5000)
  })
})

describe('a power cut', () => {
  it('sends nothing: peers wait, and a machine that is back answers old streams with RST', async () => {
    const { simulation, client, server } = worldWithEcho('power')
    await simulation.run(100)
    server.powerCut()
    await simulation.run(2000)
    expect(client.ends).toEqual([])
    server.restart()
    await simulation.run(2000)
    expect(client.ends).toEqual(['ECONNRESET'])
    await simulation.run(200)
    expect(client.echoed.length).toBeGreaterThan(1000)
  })
})

describe('clocks', () => {
  it('jump on the wall without moving timers or the monotonic clock', async () => {
    const simulation = createSimulation({ seed: 'jump' })
    const { host, io } = idle(simulation)
    const startUs = io.clock.monotonicUs()
    let firedUs = 0
    io.timers.after(100, () => {
      firedUs = simulation.nowUs
    })
    host.jumpClock(-60_000)
    expect(io.clock.wallMs()).toBe(EPOCH_US / 1000 - 60_000)
    await simulation.run(1000)
    expect(firedUs).toBe(100_000)
    expect(io.clock.monotonicUs() - startUs).toBe(1_000_000)
    expect(io.clock.wallMs()).toBe(EPOCH_US / 1000 - 59_000)
  })

  it('drift: clocks and timers of a fast host run ahead', async () => {
    const simulation = createSimulation({ seed: 'drift' })
    const { host, io } = idle(simulation)
    const startUs = io.clock.monotonicUs()
    const fired: number[] = []
    io.timers.after(1000, () => fired.push(simulation.nowUs))
    host.driftClock(100_000)
    await simulation.run(1100)
    expect(io.clock.monotonicUs() - startUs).toBeCloseTo(1_210_000, 0)
    expect(fired[0]! / 1_000_000).toBeCloseTo(1 / 1.1, 4)
  })
})

describe('the CPU', () => {
  /** Requests of one command each at a constant rate; returns the mean latency of the last ones in microseconds. */
  async function meanLatencyUs(requestsPerSecond: number, perCommandUs: number): Promise<number> {
    const simulation = createSimulation({ seed: 'load' })
    const server = simulation.host('server', { addresses: ['10.0.0.1'], cpu: { perCommandUs, perChunkUs: 5 } })
    server.start((io, host) => {
      let commands = 0
      host.cpuMeter = () => commands
      io.network.listen(
        { host: '10.0.0.1', port: 6379 },
        {
          onConnection: (connection) =>
            connection.setHandlers({
              onData(chunk) {
                commands += chunk.length
                connection.write(Buffer.from(chunk))
              },
              onClose() {},
            }),
          onError() {},
        },
      )
    })
    const latencies: number[] = []
    simulation
      .host('client', { addresses: ['10.0.0.2'], cpu: { perChunkUs: 0 }, timerLatenessUsMax: 0 })
      .start((io) => {
        const sentUs: number[] = []
        const onData = (chunk: Buffer): void => {
          for (let index = 0; index < chunk.length; index++) latencies.push(simulation.nowUs - sentUs.shift()!)
        }
        const connection = io.network.connect({ host: '10.0.0.1', port: 6379 }, { onData, onClose() {} })
        const send = (): void => {
          connection.write(Buffer.from('x'))
          sentUs.push(simulation.nowUs)
          io.timers.after(1000 / requestsPerSecond, send)
        }
        io.timers.after(10, send)
      })
    await simulation.run(300)
    const last = latencies.slice(-100)
    return last.reduce((sum, latency) => sum + latency, 0) / last.length
  }

  it('queues: latency is flat below the capacity and grows without end above it', async () => {
    const relaxed = await meanLatencyUs(1000, 200)
    const busy = await meanLatencyUs(4000, 200)
    const overloaded = await meanLatencyUs(6000, 200)
    expect(relaxed).toBeLessThan(600)
    expect(busy).toBeLessThan(1500)
    expect(overloaded).toBeGreaterThan(20_000)
  })

  it('is what io.host.cpu() shows, and the clock moves with the work inside of a turn', async () => {
    const simulation = createSimulation({ seed: 'meter' })
    let commands = 0
    let insideUs = 0
    const host = simulation.host('a', { addresses: ['10.0.0.1'], cpu: { perCommandUs: 10 } })
    host.start((io) => {
      host.cpuMeter = () => commands
      io.timers.after(1, () => {
        const startUs = io.clock.monotonicUs()
        commands += 100
        insideUs = io.clock.monotonicUs() - startUs
      })
    })
    await simulation.run(10)
    expect(insideUs).toBe(1000)
    expect(host.process!.host.cpu().userUs).toBeGreaterThanOrEqual(1000)
    expect(host.process!.host.cpu().userUs).toBeLessThan(1010)
  })
})
