/**
 * One server and one client in the simulator, and a machine that dies after the n-th change of its disk: for tests
 * that try every n, and ask what is there after the restart.
 */

import { ReplyParser, type ReplyValue } from '../../../../engine/resp/reply-parser.ts'
import { encodeRequest } from '../../../../engine/resp/request.ts'
import { type AssembledServer, createServer } from '../../../../engine/server/assembly.ts'
import { createConfig } from '../../../../engine/server/config.ts'
import type { SimHost } from '../host.ts'
import { createSimulation, type Simulation } from '../simulation.ts'

/** Requests that belong together (a transaction), sent at once. They count as one when the last one is answered. */
export type Step = readonly (readonly string[])[]

export type Death = 'kill' | 'power cut'

export interface Settings {
  readonly [name: string]: string
}

const ADDRESS = '10.0.0.1'

export class CrashWorld {
  readonly simulation: Simulation
  readonly host: SimHost
  /** Moments around changes of the disk so far: one before and one after each. */
  moments = 0
  server: AssembledServer | undefined
  /** Why the last start failed. */
  failure: string | undefined
  ready = false
  died = false
  private clients = 0

  /** `files` are on the disk before the first start, by their path. */
  constructor(seed: string, settings: Settings, files: ReadonlyMap<string, Buffer> = new Map()) {
    this.simulation = createSimulation({ seed })
    this.host = this.simulation.host('server', { addresses: [ADDRESS], timerLatenessUsMax: 50 })
    this.host.disk.installDirectory('/data')
    for (const [path, content] of files) this.host.disk.install(path, content)
    this.watch(() => {})
    this.host.start((io) => {
      this.ready = false
      const config = createConfig(io.disk, {
        settings: {
          bind: '0.0.0.0',
          'protected-mode': 'no',
          'enable-debug-command': 'yes',
          save: '',
          dir: '/data',
          ...settings,
        },
      })
      const server = createServer(io, { config, port: 6379 })
      this.server = server
      server.start({
        onReady: () => {
          this.ready = true
        },
        onFailure: (message) => {
          this.failure = message
        },
      })
    })
  }

  private watch(atMoment: (count: number) => void): void {
    const next = (): void => atMoment(++this.moments)
    this.host.disk.beforeChange = next
    this.host.disk.afterChange = next
  }

  /** The host dies at the n-th moment: right before a change when n is odd, right after it when n is even. */
  dieAt(moment: number, death: Death): void {
    this.watch((count) => {
      if (count !== moment) return
      this.died = true
      this.die(death)
    })
  }

  die(death: Death): void {
    if (death === 'kill') this.host.kill()
    else this.host.powerCut()
  }

  async restart(): Promise<void> {
    this.failure = undefined
    this.watch(() => {})
    this.host.restart()
    await this.untilReady()
  }

  async untilReady(): Promise<void> {
    for (let i = 0; i < 200 && !this.ready && this.failure === undefined && !this.died; i++)
      await this.simulation.run(5)
  }

  get log(): string {
    return this.host.lines.map(({ line }) => line).join('\n')
  }

  /** Sends the steps one after another, several at once where `burst` says so. */
  client(
    steps: readonly Step[],
    burst: (index: number) => number,
    acknowledged: (index: number) => void,
  ): { sent: number } {
    const progress = { sent: 0 }
    this.clients++
    const host = this.simulation.host(`client ${this.clients}`, { addresses: [`10.0.1.${this.clients}`] })
    host.start((io) => {
      /** For each outstanding answer the number of steps that are complete with it, 0: none is. */
      const expected: number[] = []
      const parser = new ReplyParser(() => {
        const complete = expected.shift() ?? 0
        if (complete > 0) acknowledged(complete)
        if (expected.length === 0) io.timers.after(1, send)
      })
      const connection = io.network.connect(
        { host: ADDRESS, port: 6379 },
        { onData: (chunk) => parser.feed(chunk), onClose() {} },
      )
      const send = (): void => {
        const chunks: Buffer[] = []
        for (let count = burst(progress.sent); count > 0 && progress.sent < steps.length; count--) {
          const step = steps[progress.sent] as Step
          progress.sent++
          for (const [at, words] of step.entries()) {
            chunks.push(encodeRequest(words))
            expected.push(at === step.length - 1 ? progress.sent : 0)
          }
        }
        if (chunks.length > 0) connection.write(Buffer.concat(chunks))
      }
      send()
    })
    return progress
  }

  /** Answers of the server as it runs now. */
  async ask(...requests: readonly (readonly string[])[]): Promise<ReplyValue[]> {
    const answers: ReplyValue[] = []
    this.clients++
    const host = this.simulation.host(`client ${this.clients}`, { addresses: [`10.0.1.${this.clients}`] })
    host.start((io) => {
      const parser = new ReplyParser((value) => answers.push(value))
      const connection = io.network.connect(
        { host: ADDRESS, port: 6379 },
        { onData: (chunk) => parser.feed(chunk), onClose() {} },
      )
      for (const words of requests) connection.write(encodeRequest(words))
    })
    for (let i = 0; i < 400 && answers.length < requests.length && this.host.process !== undefined; i++)
      await this.simulation.run(2)
    return answers
  }

  async digest(): Promise<string> {
    return String((await this.ask(['DEBUG', 'DIGEST']))[0])
  }
}
