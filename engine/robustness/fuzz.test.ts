/**
 * Whatever bytes a client sends, the server answers as redis-server does, closes when that does, and goes on.
 *
 * The short form runs with all tests; `npm run fuzz -- --seconds N --seed S` runs this file for as long as told. A
 * finding is repeated with the seed that is printed: input i of seed S is always the same.
 */
import { expect, test } from 'vitest'
import { randomFromText } from '../data/random.ts'
import { againstRedis, exchange } from '../testing/differential.ts'
import { type RunningRedis, startEngine, startRedis } from '../testing/redis-server.ts'
import { hostileBytes } from './testing/hostile-bytes.ts'

const seconds = Number(process.env.FUZZ_SECONDS ?? 0)
const seed = process.env.FUZZ_SEED ?? 'short'
const INPUTS_MIN = 300
/** Far above what a server needs that keeps nothing of what it was sent. */
const RESIDENT_BYTES_MAX = 600_000_000

async function figure({ connection }: RunningRedis, name: string): Promise<number> {
  return Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(String(await connection.send('INFO', 'everything')))?.[1])
}

againstRedis('hostile clients', () => {
  test(
    'get the answers of redis-server, and the server lives on',
    async () => {
      const options = ['--save', '', '--maxclients', '200']
      const redis = await startRedis(options)
      const engine = await startEngine(options)
      try {
        const endMs = Date.now() + seconds * 1000
        let inputs = 0
        for (; inputs < INPUTS_MIN || Date.now() < endMs; inputs++) {
          const bytes = hostileBytes(randomFromText(`${seed}/${inputs}`))
          const [wanted, got] = await Promise.all([exchange(redis.port, bytes), exchange(engine.port, bytes)])
          const where = `input ${inputs} of seed ${seed}: ${JSON.stringify(bytes.toString('latin1').slice(0, 300))}`
          expect(got, where).toBe(wanted)
        }
        if (seconds > 0) console.log(`${inputs} inputs of seed ${seed}`)
        expect(await engine.connection.send('PING')).toBe('PONG')
        expect(await figure(engine, 'connected_clients')).toBe(1)
        expect(await figure(engine, 'used_memory_rss')).toBeLessThan(RESIDENT_BYTES_MAX)
        expect(engine.program.output).not.toContain('BUG REPORT')
      } finally {
        await engine.stop()
        await redis.stop()
      }
    },
    60_000 + seconds * 1000,
  )
})
