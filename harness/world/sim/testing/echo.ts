/**
 * A small busy world for the simulator's own tests: a server that echoes, two clients that send numbered lines on
 * streams that they open again when these die, a disk that is written, and a runner with promises that lays faults.
 */

import type { Connection } from '../../../../engine/io.ts'
import type { Simulation } from '../simulation.ts'
import { createSimulation } from '../simulation.ts'

export interface EchoClient {
  sent: string
  echoed: string
  /** One entry per stream that has ended: the error's code, or `in order`. */
  ends: string[]
}

export function echoServer(simulation: Simulation, address = '10.0.0.1'): void {
  const host = simulation.host('server', { addresses: [address] })
  host.disk.installDirectory('/data')
  host.start((io) => {
    const log = io.disk.open('/data/log', 'append')
    io.network.listen(
      { host: '0.0.0.0', port: 6379 },
      {
        onConnection(connection) {
          connection.setHandlers({
            onData(chunk) {
              log.write(chunk)
              connection.write(Buffer.from(chunk))
            },
            onClose() {},
          })
        },
        onError(error) {
          throw error
        },
      },
    )
  })
}

/** Sends a line every `periodMs`, with a random part; opens a new stream 10 ms after one has ended. */
export function echoClient(simulation: Simulation, name: string, address: string, periodMs = 5): EchoClient {
  const client: EchoClient = { sent: '', echoed: '', ends: [] }
  simulation.host(name, { addresses: [address] }).start((io) => {
    let connection: Connection
    let counter = 0
    const open = (): void => {
      connection = io.network.connect(
        { host: '10.0.0.1', port: 6379 },
        {
          onData(chunk) {
            client.echoed += chunk.toString('latin1')
          },
          onClose(error) {
            client.ends.push(error?.code ?? 'in order')
            io.timers.after(10, open)
          },
        },
      )
    }
    const send = (): void => {
      const line = `${name} ${counter++} ${io.random.below(1000)}\n`
      client.sent += line
      connection.write(Buffer.from(line))
      io.timers.after(periodMs, send)
    }
    open()
    io.timers.after(periodMs, send)
  })
  return client
}

/** Four virtual seconds with faults of every kind; returns the trace's hash. */
export async function eventfulRun(seed: string, extraHost = false): Promise<string> {
  const simulation = createSimulation({ seed })
  echoServer(simulation)
  echoClient(simulation, 'one', '10.0.0.2')
  echoClient(simulation, 'two', '10.0.0.3', 3)
  if (extraHost) simulation.host('idle', { addresses: ['10.0.0.9'] })
  const server = simulation.hosts.get('server')!
  const faults = simulation.random('faults')
  const story = async (): Promise<void> => {
    await simulation.sleep(200 + faults.below(100))
    const heal = simulation.cut({ from: ['one', 'two'], to: 'server' })
    await simulation.sleep(faults.below(800))
    heal()
    await simulation.sleep(300)
    server.kill()
    await simulation.sleep(50)
    server.restart()
    await simulation.sleep(400)
    server.powerCut()
    await simulation.sleep(100)
    server.restart()
    server.jumpClock(-5000)
    server.driftClock(150)
    await simulation.sleep(300)
  }
  await simulation.complete(story())
  await simulation.run(2000)
  return simulation.traceHash()
}
