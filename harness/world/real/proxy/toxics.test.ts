import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Peer, ProxyBench } from './testing/proxy-bench.ts'

let bench: ProxyBench
beforeEach(async () => {
  bench = await ProxyBench.open()
})
afterEach(() => bench.close())

const ended = (peer: Peer) => peer.ending !== 'none'

/** Runs `work` and returns how long it took, for bounds that only say "not before". */
async function elapsedMs(work: () => Promise<unknown>): Promise<number> {
  const beganMs = performance.now()
  await work()
  return performance.now() - beganMs
}

test('latency: bytes and the end of the stream come no earlier than that, in one direction only', async () => {
  const { dialler, node } = await bench.link()
  const toxic = await bench.toxic('latency', 'downstream', { latency: 200 })
  dialler.send('ping')
  const there = await node.bytes(4) // the way up is not delayed by 200 ms, which the total below could not tell
  expect(there.toString()).toBe('ping')
  expect((await bench.links())[0]?.upstream.toxics).toEqual([])
  node.send('pong')
  expect(await elapsedMs(() => dialler.bytes(4))).toBeGreaterThan(190)
  node.socket.end()
  expect(await elapsedMs(() => dialler.until(ended))).toBeGreaterThan(190)
  await toxic.remove()
})

test('latency: removing it delivers at once, and in order, what was on the way', async () => {
  const { dialler, node } = await bench.link()
  const toxic = await bench.toxic('latency', 'upstream', { latency: 3_600_000 })
  dialler.send('first,')
  await bench.linksUntil(([link]) => link?.upstream.heldBytes === 6)
  await toxic.remove()
  dialler.send('second')
  expect((await node.bytes(12)).toString()).toBe('first,second')
})

test('latency: an update re-times what is on the way', async () => {
  const { dialler, node } = await bench.link()
  const toxic = await bench.toxic('latency', 'upstream', { latency: 3_600_000 })
  dialler.send('x')
  await bench.linksUntil(([link]) => link?.upstream.heldBytes === 1)
  await toxic.update({ attributes: { latency: 0 } } as never)
  expect((await node.bytes(1)).toString()).toBe('x')
})

test('latency, jitter, slicing and throttling keep the order, in any combination', async () => {
  const kinds = fc.subarray(['latency', 'slicer', 'bandwidth', 'slow_close'] as const, { minLength: 1 })
  const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 20 })
  const attributes = {
    latency: { latency: 3, jitter: 3 },
    slicer: { average_size: 40, size_variation: 39, delay: 50 },
    bandwidth: { rate: 500 },
    slow_close: { delay: 2 },
  }
  await fc.assert(
    fc.asyncProperty(kinds, chunks, async (types, sent) => {
      const { dialler, node } = await bench.link()
      for (const type of types) {
        bench.server.addToxic('node-1', { type, stream: 'upstream', attributes: attributes[type] })
      }
      for (const chunk of sent) {
        dialler.send(Buffer.from(chunk))
        await new Promise((resolve) => setImmediate(resolve))
      }
      dialler.socket.end()
      await node.until(ended)
      await bench.toxiproxy.reset()
      expect(node.received().equals(Buffer.concat(sent))).toBe(true)
      expect(node.ending).toBe('fin')
    }),
    { numRuns: 30 },
  )
})

test('bandwidth: the line is no faster than its rate, and a rate of 0 does not limit', async () => {
  const { dialler, node } = await bench.link()
  const toxic = await bench.toxic('bandwidth', 'upstream', { rate: 100 })
  const data = Buffer.alloc(20_000, 'x') // 200 ms of a line of 100 KB/s
  expect(
    await elapsedMs(() => {
      dialler.send(data)
      return node.bytes(data.length)
    }),
  ).toBeGreaterThan(190)
  await toxic.update({ attributes: { rate: 0 } } as never)
  dialler.send(data)
  await node.bytes(2 * data.length)
})

test('slow_close: bytes are not delayed, the close is', async () => {
  const { dialler, node } = await bench.link()
  await bench.toxic('slow_close', 'upstream', { delay: 3_600_000 })
  dialler.socket.end('bytes')
  expect((await node.bytes(5)).toString()).toBe('bytes')
  expect(node.ending).toBe('none')
  await bench.proxy.getToxic('slow_close_upstream').then((toxic) => toxic.remove())
  await node.until(ended)
  const second = await bench.link()
  await bench.toxic('slow_close', 'upstream', { delay: 100 })
  second.dialler.socket.end()
  expect(await elapsedMs(() => second.node.until(ended))).toBeGreaterThan(90)
})

test('timeout: bytes are lost and the connection closes, not before the time, whether bytes flow or not', async () => {
  const { dialler, node } = await bench.link()
  // Measured from before the toxic is there: its time cannot have begun earlier.
  const lasted = await elapsedMs(async () => {
    await bench.toxic('timeout', 'upstream', { timeout: 100 })
    dialler.send('lost')
    await Promise.all([dialler.until(ended), node.until(ended)])
  })
  expect(lasted).toBeGreaterThanOrEqual(99)
  expect(node.receivedBytes).toBe(0)
})

test('timeout 0: the connection stays until the toxic goes, which closes it', async () => {
  const { dialler, node } = await bench.link()
  const toxic = await bench.toxic('timeout', 'upstream', { timeout: 0 })
  dialler.send('lost')
  await bench.linksUntil(([link]) => link?.upstream.bytesIn === 4)
  node.send('other way')
  expect((await dialler.bytes(9)).toString()).toBe('other way')
  expect([dialler.ending, node.ending]).toEqual(['none', 'none'])
  await toxic.remove()
  await Promise.all([dialler.until(ended), node.until(ended)])
  expect(node.receivedBytes).toBe(0)
})

test('reset_peer: both ends are reset, on idle connections, too', async () => {
  const { dialler, node } = await bench.link()
  await bench.toxic('reset_peer', 'downstream', { timeout: 0 })
  await Promise.all([dialler.until(ended), node.until(ended)])
  expect([dialler.ending, node.ending]).toEqual(['reset', 'reset'])
  // A new connection may be reset before its dialler hears that it was accepted.
  const next = bench.dial().then(async (peer) => (await peer.until(ended)).ending)
  expect(await next.catch((error: NodeJS.ErrnoException) => error.code)).toMatch(/^(reset|ECONNRESET)$/)
})

test('reset_peer with a timeout: not before it', async () => {
  const { dialler } = await bench.link()
  const took = await elapsedMs(async () => {
    await bench.toxic('reset_peer', 'upstream', { timeout: 100 })
    await dialler.until(ended)
  })
  expect(took).toBeGreaterThan(95)
  expect(dialler.ending).toBe('reset')
})

test('slicer: what was one write arrives in several runs', async () => {
  const { dialler, node } = await bench.link()
  await bench.toxic('slicer', 'upstream', { average_size: 10, size_variation: 5, delay: 3000 })
  dialler.send('x'.repeat(100))
  await node.bytes(100)
  expect(node.chunkSizes.length).toBeGreaterThan(1)
  expect(node.received().toString()).toBe('x'.repeat(100))
})

test('limit_data: the connection closes after exactly that many bytes, however they are cut', async () => {
  const limits = fc.integer({ min: 0, max: 3000 })
  const chunkSizes = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 12, maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(limits, chunkSizes, async (limitBytes, sizes) => {
      const { dialler, node } = await bench.link()
      bench.server.addToxic('node-1', { type: 'limit_data', stream: 'upstream', attributes: { bytes: limitBytes } })
      const sentBytes = sizes.reduce((sum, size) => sum + size, 0)
      for (const size of sizes) {
        dialler.send(Buffer.alloc(size, 'x'))
        await new Promise((resolve) => setImmediate(resolve))
      }
      dialler.socket.end()
      await node.until(ended)
      bench.server.removeToxic('node-1', 'limit_data_upstream')
      expect(node.receivedBytes).toBe(Math.min(limitBytes, sentBytes))
      if (limitBytes <= sentBytes) await dialler.until(ended)
      dialler.socket.destroy()
      node.socket.destroy()
    }),
    { numRuns: 40 },
  )
})

test('bandwidth: a sender that had to wait goes on when the line is free again', async () => {
  const { dialler, node } = await bench.link()
  await bench.toxic('bandwidth', 'upstream', { rate: 20_000 })
  const data = Buffer.alloc(2_000_000, 'x')
  dialler.send(data)
  expect((await node.bytes(data.length)).length).toBe(data.length)
})

test('limit_data: a slow reader gets every byte up to the limit before the close', async () => {
  // What a link takes while nobody reads: the kernel's buffers, and the last of it in the proxy's own.
  const measured = await bench.link()
  measured.node.socket.pause()
  const toxic = await bench.toxic('latency', 'upstream', {})
  measured.dialler.send(Buffer.alloc(48 * 1024 * 1024))
  const [stalled] = await bench.linksUntil(([link]) => (link?.upstream.heldBytes ?? 0) > 1024 * 1024)
  measured.dialler.socket.resetAndDestroy()
  measured.node.socket.resetAndDestroy()
  await toxic.remove()

  let [before, looks] = [-1, 0]
  const hasStalled = (bytesOut = 0) => {
    looks = bytesOut === before ? looks + 1 : 0
    before = bytesOut
    return bytesOut > 0 && looks > 300
  }
  const limitBytes = (stalled?.upstream.bytesOut ?? 0) - 100_000
  expect(limitBytes).toBeGreaterThan(0)
  await bench.toxic('limit_data', 'upstream', { bytes: limitBytes })
  const { dialler, node } = await bench.link()
  node.socket.pause()
  dialler.send(Buffer.alloc(limitBytes + 1))
  // The kernel may give this link less than the first one; then it stalls below the limit, and closes while it is read.
  await bench.linksUntil(([link]) => link?.upstream.bytesOut === limitBytes || hasStalled(link?.upstream.bytesOut))
  node.socket.resume()
  await Promise.all([node.until(ended), dialler.until(ended)])
  expect(node.receivedBytes).toBe(limitBytes)
})

test('bytes meet the toxics in the order in which these were added, whenever they take hold', async () => {
  const { dialler, node } = await bench.link()
  const first = await bench.toxic('latency', 'upstream', { sources: ['127.0.0.77'] })
  await bench.toxic('slow_close', 'upstream', {})
  expect((await bench.links())[0]?.upstream.toxics).toEqual(['slow_close_upstream'])
  await first.update({ attributes: { sources: ['127.0.0.1'] } } as never)
  expect((await bench.links())[0]?.upstream.toxics).toEqual(['latency_upstream', 'slow_close_upstream'])
  dialler.send('x')
  expect((await node.bytes(1)).toString()).toBe('x')
})

test('toxicity decides once per connection', async () => {
  const draws = [0.6, 0.4]
  const other = await ProxyBench.open(() => draws.shift() ?? 1)
  try {
    await other.toxic('partition', 'upstream', {}, 0.5)
    const spared = await other.link()
    spared.dialler.send('through')
    expect((await spared.node.bytes(7)).toString()).toBe('through')
    const hit = await other.dial()
    hit.send('x')
    await other.linksUntil((links) => links[1]?.upstream.heldBytes === 1)
  } finally {
    await other.close()
  }
})
