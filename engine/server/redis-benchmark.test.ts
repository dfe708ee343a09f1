/** redis-benchmark runs through all its tests without an error, as it does against redis-server. */
import { spawn } from 'node:child_process'
import { afterEach, expect, test } from 'vitest'
import { againstRedis, usePair } from '../testing/differential.ts'
import { freePort, type RunningRedis, startEngine, startRedis } from '../testing/redis-server.ts'

function benchmark(
  port: number,
  words: readonly string[],
): Promise<{ status: number | null; text: string; errors: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('redis-benchmark', ['-p', String(port), ...words], { stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    let errors = ''
    child.stdout.on('data', (chunk) => {
      text += chunk
    })
    child.stderr.on('data', (chunk) => {
      errors += chunk
    })
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, text, errors: errors.replace(/^WARNING: .*\n/gm, '') }))
  })
}

/** The first column of the CSV; undefined after what is not CSV. */
const testNames = (csv: string): string[] => csv.split('\n').map((line) => /^"([^"]*)","/.exec(line)?.[1] ?? line)

const suite = [
  'PING_INLINE',
  'PING_MBULK',
  'SET',
  'GET',
  'INCR',
  'LPUSH',
  'RPUSH',
  'LPOP',
  'RPOP',
  'SADD',
  'HSET',
  'SPOP',
  'ZADD',
  'ZPOPMIN',
  'LPUSH (needed to benchmark LRANGE)',
  'LRANGE_100 (first 100 elements)',
  'LRANGE_300 (first 300 elements)',
  'LRANGE_500 (first 500 elements)',
  'LRANGE_600 (first 600 elements)',
  'MSET (10 keys)',
]

againstRedis('redis-benchmark', () => {
  const pair = usePair()

  test.each([
    ['alone', []],
    ['with pipelines and random keys', ['-P', '16', '-r', '1000']],
    ['in threads, with larger values', ['--threads', '2', '-c', '20', '-d', '100']],
    ['over RESP3, with tracking', ['-3', '--enable-tracking']],
    ['on a connection each, into another database', ['-k', '0', '-c', '10', '--dbnum', '3']],
    ['stopping at the first error', ['-e']],
  ])('the whole suite %s', async (_name, words) => {
    for (const port of [pair().redisPort, pair().enginePort]) {
      const { status, text, errors } = await benchmark(port, ['-n', '300', '--csv', ...words])
      expect({ port, status, errors, names: testNames(text) }).toEqual({
        port,
        status: 0,
        errors: '',
        names: ['test', ...suite, ''],
      })
    }
  })

  test('quietly, and one command of the user’s own', async () => {
    const both = [pair().redisPort, pair().enginePort]
    const script = 'return redis.call("INCR", KEYS[1])'
    for (const words of [
      ['-q', '-t', 'get,set'],
      ['-q', 'EVAL', script, '1', 'counter'],
    ]) {
      const outcomes = await Promise.all(both.map((port) => benchmark(port, ['-n', '300', ...words])))
      const [wanted, got] = outcomes.map(({ status, text, errors }) => {
        // What it shows on the way depends on how long it takes.
        const last = text.split(/[\r\n]/).filter((line) => line.includes('requests per second'))
        return { status, errors, lines: last.map((line) => line.replace(/[\d.]+/g, 'N')) }
      })
      expect(got).toEqual(wanted)
      expect(got?.status).toBe(0)
    }
  })
})

againstRedis('redis-benchmark --cluster', () => {
  const nodes: RunningRedis[] = []
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map((node) => node.stop()))
  })

  test.each([
    ['redis-server', startRedis],
    ['the engine', startEngine],
  ])('on two nodes: %s', async (_kind, start) => {
    const busPorts = [await freePort(), await freePort()]
    for (const busPort of busPorts) {
      nodes.push(await start(['--cluster-enabled', 'yes', '--cluster-port', `${busPort}`, '--save', '']))
    }
    const [first, second] = nodes as [RunningRedis, RunningRedis]
    await first.connection.send('CLUSTER', 'ADDSLOTSRANGE', '0', '8000')
    await second.connection.send('CLUSTER', 'ADDSLOTSRANGE', '8001', '16383')
    await first.connection.send('CLUSTER', 'MEET', '127.0.0.1', `${second.port}`, `${busPorts[1]}`)
    for (const { connection } of nodes) {
      const isReady = async (): Promise<boolean> => {
        const state = String(await connection.send('CLUSTER', 'INFO'))
        return state.includes('cluster_state:ok') && state.includes('cluster_slots_ok:16384')
      }
      while (!(await isReady()));
    }
    const words = ['--cluster', '-n', '600', '-r', '1000', '--csv', '-t', 'set,get,lpush,mset']
    const { status, text } = await benchmark(first.port, words)
    expect({ status, text }).toEqual({ status: 0, text: expect.stringContaining('"SET","') })
    const names = testNames(text)
    expect(names).toEqual(expect.arrayContaining(['SET', 'GET', 'LPUSH', 'MSET (10 keys)']))
    for (const { connection } of nodes) expect(Number(await connection.send('DBSIZE'))).toBeGreaterThan(100)
  })
})
