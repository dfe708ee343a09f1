/** Scripts as clients use them: ioredis's defineCommand (EVALSHA, then EVAL) and pipelines of them. */
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { startEngine } from '../testing/differential.ts'

test('ioredis defines a command, runs it by its digest, and again after the cache was flushed', async () => {
  const server = await startEngine()
  const redis = new Redis({ port: server.port, host: '127.0.0.1' })
  try {
    redis.defineCommand('compareAndDelete', {
      numberOfKeys: 1,
      lua: "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0",
    })
    const compareAndDelete = (key: string, value: string): Promise<unknown> =>
      (redis as unknown as Record<string, (...words: string[]) => Promise<unknown>>).compareAndDelete!(key, value)
    await redis.set('lock', 'mine')
    expect(await compareAndDelete('lock', 'other')).toBe(0)
    await redis.script('FLUSH')
    expect(await compareAndDelete('lock', 'mine')).toBe(1)
    expect(await redis.exists('lock')).toBe(0)
  } finally {
    redis.disconnect()
    server.stop()
  }
})
