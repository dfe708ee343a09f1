/** Loads on a real server: what only sockets and threads can show. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { ensureBundle } from '../../bin/bundle.js'
import { hasRedisServer, type RunningRedis, startRedis } from '../../engine/testing/redis-server.ts'
import { runLoad } from './load.ts'
import { defaultLoad, type LoadSpec } from './load-spec.ts'
import { withNameService } from './testing/name-service.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

// A real server is what these tests are about.
describe.runIf(hasRedisServer)('a load on a real server', () => {
  let server: RunningRedis
  beforeAll(async () => {
    await ensureBundle()
    server = await startRedis(['--save', '', '--unixsocket', 'socket', '--requirepass', 'secret'])
    await server.connection.send('AUTH', 'secret')
  })
  afterAll(() => server.stop())
  afterEach(() => vi.unstubAllEnvs())

  const spec = (part: Partial<LoadSpec> = {}): LoadSpec => ({
    ...defaultLoad,
    target: { kind: 'server', host: '127.0.0.1', port: server.port },
    credentials: { user: null, password: 'secret' },
    connections: 6,
    durationMs: null,
    requests: 3000,
    ...part,
  })

  it('does what was asked for, over TCP and a Unix socket, in RESP2 and RESP3, at any depth', async () => {
    const unix = { kind: 'unix', path: `${server.directory}/socket` } as const
    for (const part of [{}, { target: unix }, { protocol: 3 }, { pipeline: 50 }, { database: 3 }] as const) {
      const { counts, verdict } = await runLoad(spec(part))
      expect(counts).toEqual({ sent: 3000, ok: 3000, errors: 0, timeouts: 0 })
      expect(['pass', 'unknown']).toContain(verdict)
    }
  })

  it('is divided among threads, whose counts are one result', async () => {
    const result = await runLoad(spec({ threads: 3, connections: 7, requests: 3001 }))
    expect(result.counts).toEqual({ sent: 3001, ok: 3001, errors: 0, timeouts: 0 })
    expect(result.raw.count).toBe(3001)
    expect(result.driver.threads).toBe(3)
    expect(result.corrected.count).toBeGreaterThanOrEqual(3001)
    expect(result.raw.bars.reduce((sum, [, count]) => sum + count, 0)).toBe(3001)
    expect(result.seconds.reduce((sum, second) => sum + second.ok, 0)).toBe(3001)
    expect(new Set(result.slowest.map(({ client }) => client)).size).toBeGreaterThan(3)
  })

  it('keeps one plan of arrivals among threads', async () => {
    const arrivals = { kind: 'constant', ratePerSecond: 1500 } as const
    const result = await runLoad(spec({ threads: 2, arrivals, requests: null, durationMs: 1000, pipeline: 1024 }))
    expect(result.counts.sent).toBe(1500)
    expect(result.corrected.count).toBe(result.counts.ok)
  })

  describe('whose driver is kept from working', () => {
    /** Keeps the thread busy for `busyMs` again and again, with `pauseMs` in between. */
    const planted = async (busyMs: number, pauseMs: number, part: Partial<LoadSpec>) => {
      const disturb = setInterval(() => {
        for (const end = performance.now() + busyMs; performance.now() < end; );
      }, pauseMs)
      try {
        return await runLoad(spec({ requests: null, durationMs: 1500, ...part }))
      } finally {
        clearInterval(disturb)
      }
    }

    it('is unknown, because its processor is the limit', async () => {
      const result = await planted(100, 1, { connections: 1 })
      expect(result.verdict).toBe('unknown')
      expect(result.reasons.join()).toContain('The driver was busy for')
    })

    it('is unknown, because its event loop stands still', async () => {
      const result = await planted(40, 20, { connections: 1 })
      expect(result.verdict).toBe('unknown')
      expect(result.reasons.join()).toContain('The driver stood still for up to')
    })

    it('is unknown, because an open loop is late', async () => {
      const result = await planted(40, 20, { arrivals: { kind: 'constant', ratePerSecond: 500 }, pipeline: 1024 })
      expect(result.verdict).toBe('unknown')
      expect(result.reasons.join()).toContain('late by itself')
    })
  })

  it('counts values of any size and drawn times to live', async () => {
    const commands = [{ name: 'SETEX', words: ['SET', '__key__', '__data__', 'EX', '__ttl__'], weight: 1 }]
    const valueBytes = { kind: 'uniform', low: 0, high: 200_000 } as const
    const ttlSeconds = { kind: 'uniform', low: 100, high: 200 } as const
    const result = await runLoad(spec({ commands, valueBytes, ttlSeconds, requests: 300, pipeline: 5 }))
    expect(result.errors).toEqual([])
  })

  it('calls scripts, also after the server has forgotten them', async () => {
    const load = spec({
      scripts: [{ name: 'one', source: "return redis.call('incr', KEYS[1])" }],
      commands: [{ name: 'EVALSHA', words: ['EVALSHA', '__sha_one__', '1', 'count:__id__'], weight: 1 }],
      requests: null,
      durationMs: null,
    })
    const stop = new AbortController()
    const result = await runLoad(load, {
      signal: stop.signal,
      onProgress: ({ second, ok }) => {
        if (second === 0) void server.connection.send('SCRIPT', 'FLUSH')
        if (second > 1 && ok > 0) stop.abort()
      },
    })
    expect(result.errors.every(({ text }) => /NOSCRIPT|scripts were gone|interrupted/.test(text))).toBe(true)
    expect(result.seconds.findLast(({ ok }) => ok > 0)!.atMs).toBeGreaterThanOrEqual(1000)
  })

  it('delivers messages and stream entries to consumers and says how long it took', async () => {
    const commands = [
      { name: 'PUBLISH', words: ['PUBLISH', 'news', '__time__ x'], weight: 1 },
      { name: 'XADD', words: ['XADD', 'stream', '*', 't', '__time__'], weight: 1 },
    ]
    const consumers = [
      { kind: 'subscribe', channels: ['news'], connections: 2 },
      { kind: 'stream', key: 'stream', group: 'g', connections: 2 },
    ] as const
    const result = await runLoad(spec({ commands, consumers, requests: 400 }))
    const [published, added] = result.commands
    expect(result.consumers[0]!.messages).toBe(2 * published!.ok)
    expect(result.consumers[1]!.messages).toBe(added!.ok)
    expect(result.consumers[0]!.delivery.count).toBe(2 * published!.ok)
    expect(result.consumers[1]!.delivery.maxMs).toBeGreaterThan(0)
  })

  it('refuses to start, with advice, where the password is wrong or nobody listens', async () => {
    await expect(runLoad(spec({ credentials: null }))).rejects.toThrow('Give the right password')
    await expect(runLoad(spec({ credentials: { user: null, password: 'x' } }))).rejects.toThrow('asks for a password')
    const unix = { kind: 'unix', path: `${server.directory}/nobody` } as const
    await expect(runLoad(spec({ target: unix, threads: 2 }))).rejects.toThrow('Start a server there')
  })

  it('reaches a server by a name that takes long to look up, with every connection', async () => {
    const options = withNameService(server.directory, { addresses: ['127.0.0.1'], delayMs: 1500 })
    vi.stubEnv('NODE_OPTIONS', options)
    const target = { kind: 'server', host: 'db.example', port: server.port } as const
    const result = await runLoad(spec({ target }))
    expect(result.counts).toEqual({ sent: 3000, ok: 3000, errors: 0, timeouts: 0 })
    expect(result.target).toBe(`db.example:${server.port}`)
  })

  it('leaves no secret in its result', async () => {
    expect(JSON.stringify(await runLoad(spec({ requests: 10 })))).not.toContain('secret')
  })

  it('an interrupted run gives back what it has, and every connection', async () => {
    const stop = new AbortController()
    const running = runLoad(spec({ requests: null, durationMs: null }), {
      signal: stop.signal,
      onProgress: () => stop.abort(),
    })
    const result = await running
    expect(result.interrupted).toBe(true)
    expect(result.counts.ok).toBeGreaterThan(0)
    expect(result.counts.ok + result.counts.errors + result.counts.timeouts).toBe(result.counts.sent)
    const info = async () => String(await server.connection.send('INFO', 'clients'))
    while (!(await info()).includes('connected_clients:1\r')) await new Promise((resolve) => setTimeout(resolve, 10))
  })
})
