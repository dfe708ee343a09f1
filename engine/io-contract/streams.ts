/** The contract of `Connection`: bytes, back-pressure, and the ways in which a stream ends. */

import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { IoError } from '../io.ts'
import type { Pair } from './bench.ts'
import { Bench, patterned, Recorder } from './bench.ts'
import type { MakeWorld } from './world.ts'

const MORE_THAN_ALL_BUFFERS = 24 * 1024 * 1024

type Step = { end: 'client' | 'server' } & (
  | { do: 'write'; length: number }
  | { do: 'pause' }
  | { do: 'resume' }
  | { do: 'turn' }
)

const step: fc.Arbitrary<Step> = fc
  .record({ end: fc.constantFrom('client' as const, 'server' as const) })
  .chain((who) =>
    fc.oneof(
      { weight: 6, arbitrary: fc.record({ ...constants(who), do: fc.constant('write' as const), length: lengths }) },
      { weight: 1, arbitrary: fc.record({ ...constants(who), do: fc.constant('pause' as const) }) },
      { weight: 2, arbitrary: fc.record({ ...constants(who), do: fc.constant('resume' as const) }) },
      { weight: 3, arbitrary: fc.record({ ...constants(who), do: fc.constant('turn' as const) }) },
    ),
  )

const lengths = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 200 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1000, max: 300_000 }) },
)

function constants(who: { end: 'client' | 'server' }) {
  return { end: fc.constant(who.end) }
}

export function streamContract(makeWorld: MakeWorld): void {
  let bench: Bench
  beforeEach(async () => {
    bench = new Bench(await makeWorld())
  })
  afterEach(() => bench.close())
  const until = (condition: () => boolean): Promise<void> => bench.world.until(condition)

  describe('bytes', () => {
    it('arrive as they were written, in both directions at once, for any chunks, pauses and turns', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
          const pair = await bench.pair()
          const sent = await perform(pair, steps, () => bench.world.turn())
          pair.client.connection.resume()
          pair.server.connection.resume()
          await until(() => pair.server.receivedBytes === sent.client.length)
          await until(() => pair.client.receivedBytes === sent.server.length)
          expect(pair.server.received.equals(sent.client)).toBe(true)
          expect(pair.client.received.equals(sent.server)).toBe(true)
          pair.client.connection.end()
          pair.server.connection.end()
          await until(() => pair.client.closes + pair.server.closes === 2)
          expect([pair.client.error, pair.server.error]).toEqual([undefined, undefined])
          pair.listener.close()
        }),
        { numRuns: 25 },
      )
    })

    it('wait when they are written before the handshake is done, and arrive in order', async () => {
      const server = new Recorder()
      const listener = await bench.listen((connection) => connection.setHandlers(server.handlers()))
      const client = new Recorder()
      const handlers = client.handlers()
      const connection = bench.connect({ port: listener.port }, handlers)
      handlers.onConnect = () => void connection.write(Buffer.from('three'))
      expect(connection.write(Buffer.from('one '))).toBe(false)
      expect(connection.write(Buffer.from('two '))).toBe(false)
      expect(connection.bufferedBytes).toBe(8)
      await until(() => server.text.length === 13)
      expect(server.text).toBe('one two three')
      await until(() => client.drains === 1)
      expect(connection.bufferedBytes).toBe(0)
    })

    it('may be changed by the caller after write returned true', async () => {
      const { client, server } = await bench.pair()
      const reused = Buffer.alloc(64)
      let expected = ''
      for (let round = 0; round < 50; round++) {
        const text = `round ${round}.`
        const length = reused.write(text)
        expect(client.connection.write(reused.subarray(0, length))).toBe(true)
        reused.fill(0x58)
        expected += text
      }
      await until(() => server.receivedBytes === expected.length)
      expect(server.text).toBe(expected)
    })

    it('are given in memory that is only valid during the call', async () => {
      const { client, server } = await bench.pair()
      server.whenData = (chunk) => void server.connection.write(Buffer.from(chunk))
      for (const text of ['first', 'other', 'third']) {
        const before = client.receivedBytes
        client.connection.write(Buffer.from(text))
        await until(() => client.receivedBytes === before + text.length)
      }
      expect(client.text).toBe('firstotherthird')
    })

    it('of no length are written without effect', async () => {
      const { client, server } = await bench.pair()
      expect(client.connection.write(Buffer.alloc(0))).toBe(true)
      client.connection.write(Buffer.from('x'))
      await until(() => server.receivedBytes === 1)
    })
  })

  describe('back-pressure', () => {
    it('reaches the writer when the reader pauses, and ends with one onDrain when it resumes', async () => {
      const { client, server } = await bench.pair()
      server.connection.pause()
      const bytes = patterned(MORE_THAN_ALL_BUFFERS)
      expect(client.connection.write(bytes)).toBe(false)
      await bench.world.settle()
      expect(server.receivedBytes).toBe(0)
      expect(client.drains).toBe(0)
      expect(client.connection.bufferedBytes).toBeGreaterThan(0)
      expect(client.connection.bufferedBytes).toBeLessThanOrEqual(bytes.length)
      server.connection.resume()
      await until(() => server.receivedBytes === bytes.length)
      expect(server.received.equals(bytes)).toBe(true)
      await until(() => client.drains > 0)
      await bench.world.settle()
      expect(client.drains).toBe(1)
      expect(client.connection.bufferedBytes).toBe(0)
    })

    it('does not stop the other direction', async () => {
      const { client, server } = await bench.pair()
      server.connection.pause()
      client.connection.write(patterned(MORE_THAN_ALL_BUFFERS))
      server.connection.write(Buffer.from('still here'))
      await until(() => client.text === 'still here')
    })

    it('holds onData, also when pause is called inside of it, until resume', async () => {
      const { client, server } = await bench.pair()
      server.whenData = () => server.connection.pause()
      client.connection.write(Buffer.from('a'))
      await until(() => server.receivedBytes === 1)
      client.connection.write(Buffer.from('b'))
      await bench.world.settle()
      expect(server.text).toBe('a')
      server.connection.resume()
      await until(() => server.text === 'ab')
    })

    it('queues further writes behind the one that waits', async () => {
      const { client, server } = await bench.pair()
      server.connection.pause()
      const first = patterned(MORE_THAN_ALL_BUFFERS)
      client.connection.write(first)
      const before = client.connection.bufferedBytes
      expect(client.connection.write(Buffer.from('and this'))).toBe(false)
      expect(client.connection.bufferedBytes).toBe(before + 8)
      server.connection.resume()
      await until(() => server.receivedBytes === first.length + 8)
      expect(server.received.subarray(first.length).toString()).toBe('and this')
    })
  })

  describe('the end of a stream', () => {
    it('in order: each side hears onEnd of the other, then onClose without an error, last and once', async () => {
      const { client, server } = await bench.pair()
      client.connection.write(Buffer.from('request'))
      client.connection.end()
      await until(() => server.events.includes('end'))
      expect(server.events).toEqual(['data', 'end'])
      server.connection.write(Buffer.from('the answer after the end'))
      await until(() => client.text === 'the answer after the end')
      server.connection.end()
      await until(() => client.closes === 1 && server.closes === 1)
      await bench.world.settle()
      expect(client.events).toEqual(['connect', 'data', 'end', 'close'])
      expect(server.events).toEqual(['data', 'end', 'close'])
      expect([client.error, server.error]).toEqual([undefined, undefined])
    })

    it('without onEnd: the peer that finishes is answered with destroy', async () => {
      const { client, server } = await bench.pair({ withEnd: false })
      client.connection.end()
      await until(() => client.closes === 1 && server.closes === 1)
      expect([client.error, server.error]).toEqual([undefined, undefined])
    })

    it('comes after everything that was buffered when end() is called', async () => {
      const { client, server } = await bench.pair()
      server.connection.pause()
      const bytes = patterned(MORE_THAN_ALL_BUFFERS)
      client.connection.write(bytes)
      client.connection.end()
      await bench.world.settle()
      expect(server.events).toEqual([])
      server.connection.resume()
      await until(() => server.events.includes('end'))
      expect(server.received.equals(bytes)).toBe(true)
    })

    it('by destroy(): no callback but onClose, without an error, and buffered bytes are discarded', async () => {
      const { client, server } = await bench.pair({ withEnd: false })
      server.connection.pause()
      client.connection.write(patterned(MORE_THAN_ALL_BUFFERS))
      server.connection.write(Buffer.from('never read'))
      client.connection.destroy()
      expect(client.connection.bufferedBytes).toBe(0)
      expect(client.connection.write(Buffer.from('nowhere'))).toBe(true)
      client.connection.end()
      client.connection.destroy()
      await until(() => client.closes === 1)
      await bench.world.settle()
      expect(client.events).toEqual(['connect', 'close'])
      expect(client.drains).toBe(0)
      expect(client.error).toBe(undefined)
      server.connection.resume()
      await until(() => server.closes === 1)
      expect(server.receivedBytes).toBeLessThan(MORE_THAN_ALL_BUFFERS)
    })

    it('by destroy() inside onData: no further data', async () => {
      const { client, server } = await bench.pair()
      server.whenData = () => server.connection.destroy()
      client.connection.write(patterned(1_000_000))
      await until(() => server.closes === 1)
      await bench.world.settle()
      expect(server.chunks.length).toBe(1)
      expect(server.events).toEqual(['data', 'close'])
    })

    it('by a peer that leaves bytes unread: onClose brings ECONNRESET or EPIPE', async () => {
      const { client, server } = await bench.pair()
      server.connection.pause()
      client.connection.write(patterned(MORE_THAN_ALL_BUFFERS))
      await bench.world.settle()
      server.connection.destroy()
      await until(() => client.closes === 1)
      expect(['ECONNRESET', 'EPIPE']).toContain(client.error?.code)
      expect(client.error).toBeInstanceOf(IoError)
      expect(client.connection.write(Buffer.from('too late'))).toBe(true)
    })

    it('by a peer that is gone when more is written: onClose brings ECONNRESET or EPIPE', async () => {
      const { client, server } = await bench.pair()
      server.connection.destroy()
      await until(() => client.events.includes('end'))
      client.connection.write(Buffer.from('into'))
      await bench.world.settle()
      client.connection.write(Buffer.from('nothing'))
      await until(() => client.closes === 1)
      expect(['ECONNRESET', 'EPIPE']).toContain(client.error?.code)
    })

    it('is not seen while paused: what came before it is read first', async () => {
      const { client, server } = await bench.pair()
      server.connection.pause()
      client.connection.write(Buffer.from('last words'))
      client.connection.end()
      await bench.world.settle()
      expect(server.events).toEqual([])
      server.connection.resume()
      await until(() => server.events.includes('end'))
      expect(server.text).toBe('last words')
    })
  })

  it('never calls back before the method has returned', async () => {
    const { client, server } = await bench.pair()
    for (const end of [client, server]) expectNoCallDuring(end, () => end.connection.write(patterned(100_000)))
    for (const end of [client, server]) expectNoCallDuring(end, () => end.connection.pause())
    await bench.world.settle()
    for (const end of [client, server]) expectNoCallDuring(end, () => end.connection.resume())
    await until(() => client.receivedBytes === 100_000 && server.receivedBytes === 100_000)
    expectNoCallDuring(client, () => client.connection.end())
    await until(() => server.events.includes('end'))
    expectNoCallDuring(server, () => server.connection.destroy())
    await until(() => client.closes + server.closes === 2)
  })

  it('takes new handlers at any time', async () => {
    const { client, server } = await bench.pair()
    const later = new Recorder()
    server.connection.setHandlers(later.handlers())
    client.connection.write(Buffer.from('for the new'))
    await until(() => later.text === 'for the new')
    expect(server.events).toEqual([])
  })

  it('takes its options before and after the handshake', async () => {
    const listener = await bench.listen((connection) => connection.setHandlers(new Recorder().handlers()))
    const client = new Recorder()
    const connection = bench.connect({ port: listener.port }, client.handlers())
    connection.setNoDelay(true)
    connection.setKeepAlive(10)
    await until(() => client.events.includes('connect'))
    connection.setNoDelay(false)
    connection.setKeepAlive(0)
    connection.destroy()
    connection.setNoDelay(true)
    connection.setKeepAlive(5)
    await until(() => client.closes === 1)
  })
}

function expectNoCallDuring(end: Recorder, action: () => void): void {
  const before = [end.events.length, end.receivedBytes, end.drains]
  action()
  expect([end.events.length, end.receivedBytes, end.drains]).toEqual(before)
}

/** Performs the steps and returns what each end has sent. Memory is reused whenever the contract allows it. */
async function perform(pair: Pair, steps: readonly Step[], turn: () => Promise<void>) {
  const sent = { client: [] as Buffer[], server: [] as Buffer[] }
  for (const [index, step] of steps.entries()) {
    const { connection } = pair[step.end]
    if (step.do === 'write') {
      const bytes = patterned(step.length, index)
      sent[step.end].push(Buffer.from(bytes))
      if (connection.write(bytes)) bytes.fill(0xee)
    } else if (step.do === 'turn') await turn()
    else connection[step.do]()
  }
  return { client: Buffer.concat(sent.client), server: Buffer.concat(sent.server) }
}
