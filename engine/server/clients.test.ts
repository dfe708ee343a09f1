/** Everyday clients work with the engine, without warnings. */
import { spawnSync } from 'node:child_process'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { startEngine } from '../testing/differential.ts'
import type { AssembledServer } from './assembly.ts'

let server: AssembledServer
beforeAll(async () => {
  server = await startEngine({ save: '' })
})
afterAll(() => server.stop())

describe('clients', () => {
  test('ioredis: pipeline, transaction, subscription', async () => {
    const warn = vi.spyOn(console, 'warn')
    const client = new Redis(server.port, '127.0.0.1')
    const subscriber = client.duplicate()
    try {
      await client.set('a', '1')
      expect(await client.pipeline().incr('a').get('a').exec()).toEqual([
        [null, 2],
        [null, '2'],
      ])
      expect(await client.multi().incr('a').get('a').exec()).toEqual([
        [null, 3],
        [null, '3'],
      ])
      const message = new Promise((resolve) => subscriber.on('message', (...got) => resolve(got)))
      await subscriber.subscribe('news')
      expect(await client.publish('news', 'hello')).toBe(1)
      expect(await message).toEqual(['news', 'hello'])
      expect(await client.info('server')).toContain('redis_version:7.0.15')
      expect(warn).not.toHaveBeenCalled()
    } finally {
      subscriber.disconnect()
      client.disconnect()
    }
  })

  test.each([2, 3] as const)('node-redis over RESP%i: pipeline, transaction, WATCH, subscription', async (RESP) => {
    const errors: unknown[] = []
    const client = createClient({ socket: { host: '127.0.0.1', port: server.port }, RESP })
    client.on('error', (error) => errors.push(error))
    const subscriber = client.duplicate()
    subscriber.on('error', (error) => errors.push(error))
    try {
      await client.connect()
      await subscriber.connect()
      await client.set('b', '1')
      expect(await Promise.all([client.incr('b'), client.get('b')])).toEqual([2, '2'])
      expect(await client.multi().incr('b').get('b').exec()).toEqual([3, '3'])
      await client.watch('b')
      await client.set('b', 'changed')
      await expect(client.multi().get('b').exec()).rejects.toThrow(/watched keys/)
      const message = new Promise((resolve) => {
        void subscriber.subscribe('news', (text) => resolve(text)).then(() => client.publish('news', 'hello'))
      })
      expect(await message).toBe('hello')
      expect(errors).toEqual([])
    } finally {
      subscriber.destroy()
      client.destroy()
    }
  })

  // redis-cli comes with redis-server; CI must have it.
  test.skipIf(process.env.CI !== 'true' && spawnSync('redis-cli', ['--version']).status !== 0)(
    'redis-cli',
    async () => {
      const { spawn } = await import('node:child_process')
      const run = (...words: string[]): Promise<string> =>
        new Promise((resolve) => {
          const child = spawn('redis-cli', ['-p', String(server.port), ...words], { stdio: ['pipe', 'pipe', 'pipe'] })
          let output = ''
          child.stdout.on('data', (chunk) => {
            output += chunk
          })
          child.stderr.on('data', (chunk) => {
            output += chunk
          })
          child.on('close', () => resolve(output))
          child.stdin.end('SET c 1\nINCR c\nMULTI\nGET c\nEXEC\n')
        })
      expect(await run('PING')).toBe('PONG\n')
      expect(await run('-3', 'HELLO', '3')).toMatch(/^server redis\nversion 7\.0\.15\nproto 3\n/)
      expect(await run()).toBe('OK\n2\nOK\nQUEUED\n2\n')
    },
  )
})
