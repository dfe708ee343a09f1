import { afterEach, describe, expect, it, vi } from 'vitest'
import { loadSpecs, withoutSecrets } from './load-options.ts'

afterEach(() => vi.unstubAllEnvs())

describe('the options of load', () => {
  it('mean what they mean for redis-benchmark', () => {
    const [first, second] = loadSpecs(undefined, [], {
      h: 'db',
      p: '7000',
      c: '9',
      n: '500',
      P: '4',
      d: '8',
      r: '77',
      t: 'set,get',
    })
    expect(first).toMatchObject({
      target: { kind: 'server', host: 'db', port: 7000 },
      connections: 9,
      requests: 500,
      durationMs: null,
      pipeline: 4,
      valueBytes: { kind: 'fixed', value: 8 },
      keys: { count: 77 },
      commands: [{ name: 'SET', words: ['SET', '__key__', '__data__'] }],
    })
    expect(second!.commands[0]!.name).toBe('GET')
  })

  it('find servers by address, IPv6, socket, and URI', () => {
    const target = (address: string | undefined, options = {}) => loadSpecs(address, [], options)[0]!.target
    expect(target('localhost:1')).toEqual({ kind: 'server', host: 'localhost', port: 1 })
    expect(target('[::1]:2')).toEqual({ kind: 'server', host: '::1', port: 2 })
    expect(target('/tmp/s')).toEqual({ kind: 'unix', path: '/tmp/s' })
    expect(target(undefined)).toEqual({ kind: 'server', host: '127.0.0.1', port: 6379 })
    expect(target('h:1', { cluster: true, replicas: true })).toEqual({
      kind: 'cluster',
      seeds: [{ host: 'h', port: 1 }],
      reads: 'replicas',
    })
    const [spec] = loadSpecs(undefined, [], { u: 'redis://me:p%40ss@h:3/4' })
    expect(spec).toMatchObject({
      target: { host: 'h', port: 3 },
      database: 4,
      credentials: { user: 'me', password: 'p@ss' },
    })
  })

  it('plan arrivals, keys and sizes', () => {
    const spec = (options: object) => loadSpecs('h:1', [], options)[0]!
    expect(spec({ rate: '10' })).toMatchObject({ arrivals: { kind: 'constant', ratePerSecond: 10 }, pipeline: 1024 })
    expect(spec({ arrivals: 'ramp:1-20:30s' }).arrivals).toEqual({
      kind: 'ramp',
      fromPerSecond: 1,
      toPerSecond: 20,
      overMs: 30_000,
    })
    expect(spec({ arrivals: 'staircase:1,2:500ms' }).arrivals).toEqual({
      kind: 'staircase',
      ratesPerSecond: [1, 2],
      stepMs: 500,
    })
    expect(spec({ arrivals: 'burst:5:2s', rate: '1' }).arrivals).toEqual({
      kind: 'burst',
      ratePerSecond: 1,
      size: 5,
      everyMs: 2000,
    })
    expect(spec({ keys: 'zipf:1.1' }).keys.distribution).toEqual({ kind: 'zipf', exponent: 1.1 })
    expect(spec({ keys: 'hot:0.1:0.8' }).keys.distribution).toEqual({ kind: 'hot', keys: 0.1, share: 0.8 })
    expect(spec({ d: 'skewed:1-100' }).valueBytes).toEqual({ kind: 'skewed', low: 1, high: 100 })
    expect(spec({ mix: 'get=3,set', wait: '2:50ms' }).commands).toEqual([
      { name: 'GET', words: ['GET', '__key__'], weight: 3 },
      { name: 'SET', words: ['SET', '__key__', '__data__'], weight: 1, wait: { replicas: 2, timeoutMs: 50 } },
    ])
  })

  it.each([
    ['h:1', { threads: '3', c: '2' }, '3 threads need as many connections at least'],
    ['nowhere', {}, 'write HOST:PORT'],
    ['h:1', { p: '2' }, 'Name the server once'],
    ['h:99999', {}, 'from 1 to 65535'],
    ['h:1', { c: '0' }, '-c takes a whole number'],
    ['h:1', { arrivals: 'poisson' }, 'add --rate'],
    ['h:1', { arrivals: 'closed', rate: '1' }, 'leave out --rate'],
    ['h:1', { arrivals: 'ramp:fast' }, 'ramp:1000-50000:30s'],
    ['h:1', { arrivals: 'waves' }, 'constant, poisson'],
    ['h:1', { keys: 'pareto' }, 'zipf:1.1'],
    ['h:1', { t: 'nope' }, "There is no test 'nope'. There are: ping"],
    ['h:1', { t: 'get', mix: 'get' }, 'Choose one of'],
    ['h:1', { duration: 'soon' }, 'such as 500ms, 30s or 2m'],
    ['h:1', { user: 'me' }, 'needs a password'],
    ['h:1', { u: 'rediss://h' }, 'TLS is not supported'],
  ] as const)('%s with %o is refused with what to do', (address, options, sentence) => {
    vi.stubEnv('REDISCLI_AUTH', '')
    expect(() => loadSpecs('u' in options ? undefined : address, [], options)).toThrow(sentence)
  })

  it('take the password from the environment, and show none', () => {
    vi.stubEnv('REDISCLI_AUTH', 'hidden')
    expect(loadSpecs('h:1', [], { user: 'me' })[0]!.credentials).toEqual({ user: 'me', password: 'hidden' })
    const shown = withoutSecrets(['h:1', '-a', 'hidden', '-ahidden', '-u', 'redis://me:hidden@h:1', 'SET', 'a b']).join(
      ' ',
    )
    expect(shown).not.toContain('hidden')
    expect(shown).toContain("SET 'a b'")
  })
})
