import { request } from 'node:http'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { BODY_LIMIT_BYTES } from './http-api.ts'
import { ProxyServer } from './proxy-server.ts'
import { NodeDouble, ProxyBench } from './testing/proxy-bench.ts'
import { toxicKinds } from './toxics/registry.ts'

let bench: ProxyBench
beforeEach(async () => {
  bench = await ProxyBench.open()
})
afterEach(() => bench.close())

/** One raw request; the body is sent as it is when it is a string. */
async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const payload = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
  const response = await fetch(bench.server.url + path, { method, headers, ...(payload ? { body: payload } : {}) })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.startsWith('application/json')
  return { status: response.status, body: isJson ? JSON.parse(text) : text }
}

/** Whether something accepts connections at `listen`. */
function answers(listen: string): Promise<boolean> {
  const port = Number(listen.slice(listen.lastIndexOf(':') + 1))
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

describe('through toxiproxy-node-client', () => {
  test('a created proxy is listed with the port that it got, and carries bytes both ways', async () => {
    const all = await bench.toxiproxy.getAll()
    expect(Object.keys(all)).toEqual(['node-1'])
    expect(all['node-1']).toMatchObject({ name: 'node-1', upstream: bench.node.address, enabled: true })
    expect(bench.proxy.listen).toMatch(/^127\.0\.0\.1:[1-9]\d+$/)
    const { dialler, node } = await bench.link()
    dialler.send('ping')
    expect((await node.bytes(4)).toString()).toBe('ping')
    node.send('pong')
    expect((await dialler.bytes(4)).toString()).toBe('pong')
  })

  test('a disabled proxy refuses connections and has closed the ones it had; enabled, it answers where it did', async () => {
    const { dialler, node } = await bench.link()
    const { listen, upstream } = bench.proxy
    const down = await bench.proxy.update({ enabled: false, listen, upstream })
    expect(down.enabled).toBe(false)
    await Promise.all([dialler.until((peer) => peer.ending !== 'none'), node.until((peer) => peer.ending !== 'none')])
    expect(await answers(listen)).toBe(false)
    const up = await bench.proxy.update({ enabled: true, listen, upstream })
    expect(up).toMatchObject({ enabled: true, listen })
    expect(await answers(listen)).toBe(true)
  })

  test('a removed proxy is gone, with its listener', async () => {
    await bench.proxy.remove()
    await expect(bench.toxiproxy.get('node-1')).rejects.toThrow('404')
    await expect(bench.proxy.remove()).rejects.toThrow('404')
    expect(await answers(bench.proxy.listen)).toBe(false)
  })

  test('a proxy that moves to another upstream drops its connections and leads the next one there', async () => {
    const other = await NodeDouble.start()
    try {
      const { dialler } = await bench.link()
      await bench.proxy.update({ enabled: true, listen: bench.proxy.listen, upstream: other.address })
      await dialler.until((peer) => peer.ending !== 'none')
      const next = await bench.dial()
      next.send('x')
      expect((await (await other.peer(0)).bytes(1)).toString()).toBe('x')
    } finally {
      await other.close()
    }
  })

  test('populate creates, keeps an unchanged proxy with its toxics, and replaces a changed one', async () => {
    await bench.toxic('latency', 'upstream', { latency: 5 })
    const { listen, upstream } = bench.proxy
    const first = await bench.toxiproxy.populate([
      { name: 'node-1', listen, upstream },
      { name: 'node-2', listen: '127.0.0.1:0', upstream, enabled: false },
    ])
    expect(Object.keys(first)).toEqual(['node-1', 'node-2'])
    expect(first['node-2']?.enabled).toBe(false)
    expect(bench.server.toxics('node-1')).toHaveLength(1)
    await bench.toxiproxy.populate([{ name: 'node-1', listen, upstream: '127.0.0.1:1' }])
    expect(bench.server.proxy('node-1')).toMatchObject({ listen, upstream: '127.0.0.1:1', toxics: [] })
  })

  test('a toxic is shown, updated in part, and removed once', async () => {
    const toxic = await bench.toxic('latency', 'upstream', { latency: 5, jitter: 1 }, 0.5)
    expect(toxic.toJson()).toEqual({
      name: 'latency_upstream',
      type: 'latency',
      stream: 'upstream',
      toxicity: 0.5,
      attributes: { latency: 5, jitter: 1 },
    })
    const changed = await toxic.update({ attributes: { latency: 7 } } as never)
    expect(changed.toJson()).toMatchObject({ toxicity: 0.5, attributes: { latency: 7, jitter: 1 } })
    expect((await bench.proxy.getToxic('latency_upstream')).attributes).toEqual({ latency: 7, jitter: 1 })
    await toxic.remove()
    await expect(toxic.remove()).rejects.toThrow('404')
  })

  test('reset removes every toxic and enables every proxy', async () => {
    await bench.toxic('timeout', 'upstream', { timeout: 0 })
    await bench.toxic('partition', 'downstream', {})
    const { listen, upstream } = bench.proxy
    await bench.proxy.update({ enabled: false, listen, upstream })
    await bench.toxiproxy.reset()
    expect(bench.server.proxy('node-1')).toMatchObject({ enabled: true, listen, toxics: [] })
    const { dialler, node } = await bench.link()
    dialler.send('x')
    expect((await node.bytes(1)).toString()).toBe('x')
  })

  test('the version is told as JSON', async () => {
    expect(JSON.parse(await bench.toxiproxy.getVersion())).toEqual({ version: expect.stringMatching(/^2\./) })
  })
})

describe('answers in the words of Toxiproxy', () => {
  const upstream = '127.0.0.1:1'
  const notFound = { error: 'proxy not found', status: 404 }

  test.each([
    ['POST', '/proxies', {}, 400, 'missing required field: name'],
    ['POST', '/proxies', { name: 'x' }, 400, 'missing required field: upstream'],
    ['POST', '/proxies', { name: 'node-1', upstream }, 409, 'proxy already exists'],
    ['POST', '/proxies/node-1/toxics', { type: 'nonsense' }, 400, 'invalid toxic type'],
    ['POST', '/proxies/node-1/toxics', {}, 400, 'invalid toxic type'],
    [
      'POST',
      '/proxies/node-1/toxics',
      { type: 'latency', stream: 'sideways' },
      400,
      'stream was invalid, can be either upstream or downstream',
    ],
    ['GET', '/proxies/node-1/toxics/none', undefined, 404, 'toxic not found'],
    ['PATCH', '/proxies/node-1/toxics/none', {}, 404, 'toxic not found'],
    ['DELETE', '/proxies/node-1/toxics/none', undefined, 404, 'toxic not found'],
    ['GET', '/proxies/none', undefined, 404, notFound.error],
    ['PATCH', '/proxies/none', {}, 404, notFound.error],
    ['POST', '/proxies/none', {}, 404, notFound.error],
    ['DELETE', '/proxies/none', undefined, 404, notFound.error],
    ['GET', '/proxies/none/toxics', undefined, 404, notFound.error],
    ['POST', '/proxies/none/toxics', { type: 'latency' }, 404, notFound.error],
  ])('%s %s %j is %i %s', async (method, path, body, status, error) => {
    expect(await call(method, path, body)).toEqual({ status, body: { error, status } })
  })

  test('a toxic name in use is refused', async () => {
    expect((await call('POST', '/proxies/node-1/toxics', { type: 'latency' })).status).toBe(200)
    expect(await call('POST', '/proxies/node-1/toxics', { type: 'latency' })).toEqual({
      status: 409,
      body: { error: 'toxic already exists', status: 409 },
    })
  })

  test('a port in use is reported as Go reports it', async () => {
    const listen = bench.proxy.listen
    expect(await call('POST', '/proxies', { name: 'x', listen, upstream })).toEqual({
      status: 500,
      body: { error: `listen tcp ${listen}: bind: address already in use`, status: 500 },
    })
    expect((await call('GET', '/proxies/x')).status).toBe(404)
  })

  test('populate tells which proxy is malformed and changes nothing', async () => {
    const answer = await call('POST', '/populate', [{ name: 'x', upstream }, { name: 'y' }])
    const error = 'missing required field: upstream at proxy 2'
    expect(answer).toEqual({ status: 400, body: { error, status: 400, proxies: null } })
    expect((await call('GET', '/proxies/x')).status).toBe(404)
  })

  test('defaults: a downstream toxic named after its type, of toxicity 1, every attribute shown', async () => {
    for (const kind of toxicKinds.values()) {
      const attributes = kind.type === 'slicer' ? { average_size: 1 } : {}
      const { status, body } = await call('POST', '/proxies/node-1/toxics', { type: kind.type, attributes })
      expect({ status, body }).toEqual({
        status: 200,
        body: {
          name: `${kind.type}_downstream`,
          type: kind.type,
          stream: 'downstream',
          toxicity: 1,
          attributes: { ...kind.fields, ...attributes },
        },
      })
    }
    expect((await call('GET', '/proxies/node-1')).body.toxics).toHaveLength(toxicKinds.size)
  })

  test.each([
    ['/proxies', 'not json'],
    ['/proxies', ''],
    ['/proxies', '[]'],
    ['/proxies', 'null'],
    ['/proxies', { name: 5, upstream }],
    ['/proxies', { name: 'a/b', upstream }],
    ['/proxies', { name: 'a b', upstream }],
    ['/proxies', { name: 'x', upstream: 'nowhere' }],
    ['/proxies', { name: 'x', upstream: 'host:99999' }],
    ['/proxies', { name: 'x', upstream: '-:80' }],
    ['/proxies', { name: 'x', upstream, listen: '0.0.0.0:0' }],
    ['/proxies', { name: 'x', upstream, listen: '10.1.2.3:0' }],
    ['/proxies', { name: 'x', upstream, listen: ':0' }],
    ['/proxies', { name: 'x', upstream, enabled: 'yes' }],
    ['/proxies', { name: 'x', upstream, upstreamSource: 'not an address' }],
    ['/populate', {}],
    [
      '/populate',
      [
        { name: 'x', upstream },
        { name: 'x', upstream },
      ],
    ],
    ['/proxies/node-1', '[]'],
    ['/proxies/node-1', { listen: '192.0.2.1:1' }],
    ['/proxies/node-1/toxics', { type: 'latency', toxicity: 2 }],
    ['/proxies/node-1/toxics', { type: 'latency', attributes: { latency: '5' } }],
    ['/proxies/node-1/toxics', { type: 'latency', attributes: { latency: 1.5 } }],
    ['/proxies/node-1/toxics', { type: 'latency', attributes: { latency: -1 } }],
    ['/proxies/node-1/toxics', { type: 'latency', attributes: [] }],
    ['/proxies/node-1/toxics', { type: 'latency', attributes: { sources: [] } }],
    ['/proxies/node-1/toxics', { type: 'latency', attributes: { sources: ['node-2'] } }],
    ['/proxies/node-1/toxics', { type: 'latency', name: 'a/b' }],
    ['/proxies/node-1/toxics', { type: 'slicer' }],
    ['/proxies/node-1/toxics', { type: 'slicer', attributes: { average_size: 1, size_variation: 2 } }],
  ])('POST %s %j is a bad request and changes nothing', async (path, body) => {
    const before = await call('GET', '/proxies')
    const answer = await call('POST', path, body)
    expect(answer.status).toBe(400)
    expect(answer.body).toMatchObject({ status: 400, error: expect.stringMatching(/^bad request body: ./) })
    expect(await call('GET', '/proxies')).toEqual(before)
  })

  test('unknown paths and methods, and broken escapes, are told apart from missing proxies', async () => {
    expect(await call('GET', '/nothing')).toEqual({ status: 404, body: '404 page not found\n' })
    expect(await call('GET', '/proxies/')).toEqual({ status: 404, body: '404 page not found\n' })
    expect(await call('GET', '/proxies/%zz')).toEqual({ status: 404, body: '404 page not found\n' })
    expect((await call('DELETE', '/proxies')).status).toBe(405)
  })

  test('a browser is refused', async () => {
    const answer = await call('GET', '/proxies', undefined, { 'User-Agent': 'Mozilla/5.0 (X11)' })
    expect(answer).toEqual({ status: 403, body: 'User agent not allowed\n' })
  })

  test('a body over the limit is refused', async () => {
    const body = JSON.stringify({ name: 'x', upstream, padding: 'x'.repeat(BODY_LIMIT_BYTES) })
    expect((await call('POST', '/proxies', body)).status).toBe(413)
    expect((await call('GET', '/proxies/x')).status).toBe(404)
  })
})

test('the API listens on loopback addresses only', async () => {
  await expect(ProxyServer.start({ host: '0.0.0.0' })).rejects.toThrow('loopback')
})

test('closing ends requests under way, listeners and connections', async () => {
  const { dialler, node } = await bench.link()
  const hanging = new Promise<string>((resolve) => {
    const half = request(`${bench.server.url}/proxies`, { method: 'POST', headers: { 'Content-Length': '10' } })
    half.on('error', () => resolve('ended'))
    half.on('response', () => resolve('answered'))
    half.write('{')
  })
  await call('GET', '/version')
  await bench.server.close()
  expect(await hanging).toBe('ended')
  await Promise.all([dialler.until((peer) => peer.ending !== 'none'), node.until((peer) => peer.ending !== 'none')])
  expect(await answers(bench.proxy.listen)).toBe(false)
})
