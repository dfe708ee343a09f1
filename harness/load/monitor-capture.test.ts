import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { ensureBundle } from '../../bin/bundle.js'
import { encodeRequest } from '../../engine/resp/request.ts'
import { hasRedisServer, startRedis } from '../../engine/testing/redis-server.ts'
import { runLoad } from './load.ts'
import { defaultLoad } from './load-spec.ts'
import { parseCapture } from './monitor-capture.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })
// Threads run from the bundle.
beforeAll(() => ensureBundle())

/** As Redis writes it (sdscatrepr). */
function quoted(word: Buffer): string {
  const named: Record<number, string> = { 10: '\\n', 13: '\\r', 9: '\\t', 7: '\\a', 8: '\\b', 34: '\\"', 92: '\\\\' }
  const characters = [...word].map((byte) => {
    if (named[byte] !== undefined) return named[byte]
    return byte >= 32 && byte < 127 ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`
  })
  return `"${characters.join('')}"`
}

describe('a capture of MONITOR', () => {
  it('gives back every byte of every word', () => {
    const words = fc.array(
      fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
      { maxLength: 4 },
    )
    fc.assert(
      fc.property(words, (rest) => {
        const all = [Buffer.from('set'), ...rest]
        const line = `1339518083.107412 [0 127.0.0.1:60866] ${all.map(quoted).join(' ')}`
        const { entries } = parseCapture(`OK\n${line}\n`, 0)
        expect(entries).toEqual([{ atUs: 0, client: 0, command: 0, bytes: encodeRequest(all) }])
      }),
    )
  })

  it('keeps times, clients and databases; leaves out scripts’ effects and what changes the connection', () => {
    const { entries, commands } = parseCapture(
      [
        '+OK',
        '100.000001 [0 127.0.0.1:1] "get" "a"',
        '100.500001 [3 unix:/tmp/s] "SET" "a" "b"',
        '100.600000 [0 lua] "set" "x" "y"',
        '100.700000 [0 127.0.0.1:1] "select" "3"',
        '101.000001 [0 127.0.0.1:1] "GET" "b"',
      ].join('\r\n'),
      0,
    )
    expect(entries.map(({ atUs, client, command }) => [atUs, client, command])).toEqual([
      [0, 0, 0],
      [500_000, 1, 1],
      [1_000_000, 0, 0],
    ])
    expect(commands.map(({ name, replies }) => [name, replies])).toEqual([
      ['GET', 1],
      ['SET (database 3)', 3],
    ])
    expect(entries[1]!.bytes.toString()).toBe(
      [
        ['SELECT', '3'],
        ['SET', 'a', 'b'],
        ['SELECT', '0'],
      ]
        .map((words) => encodeRequest(words).toString())
        .join(''),
    )
  })

  it.each(['hello', '1.000000 [0 x] set', '1.000000 [0 x] "a', '1.000000 [0 x] "\\xg1"', '1.000000 [0 x] "a""b"'])(
    'names the line that is none: %s',
    (line) => {
      expect(() => parseCapture(`OK\n${line}`, 0)).toThrow('Line 2 is not one of MONITOR')
    },
  )

  // A real server tells what it was sent.
  it.runIf(hasRedisServer)('is sent again as it was, by one connection a client', async () => {
    const server = await startRedis(['--save', ''])
    const folder = mkdtempSync(join(tmpdir(), 'faultline-capture-'))
    try {
      const file = join(folder, 'capture')
      const lines = Array.from(
        { length: 50 },
        (_, i) => `1.${String(i * 1000).padStart(6, '0')} [${i % 2} c${i % 3}] "rpush" "l" "${i}"`,
      )
      writeFileSync(file, `OK\n${lines.join('\n')}\n`)
      const target = { kind: 'server', host: '127.0.0.1', port: server.port } as const
      for (const threads of [1, 2]) {
        await server.connection.send('FLUSHALL')
        const result = await runLoad({
          ...defaultLoad,
          target,
          durationMs: null,
          threads,
          connections: 3,
          replay: { file, speed: 2 },
        })
        expect(result.counts).toEqual({ sent: 50, ok: 50, errors: 0, timeouts: 0 })
        const list = async (db: number) => {
          await server.connection.send('SELECT', String(db))
          return ((await server.connection.send('LRANGE', 'l', '0', '-1')) as string[]).map(Number)
        }
        for (const db of [0, 1]) {
          const values = await list(db)
          expect([...values].sort((a, b) => a - b)).toEqual(Array.from({ length: 25 }, (_, i) => 2 * i + db))
          // Each client's own order is kept.
          for (const client of [0, 1, 2]) {
            const own = values.filter((value) => value % 3 === client)
            expect(own).toEqual([...own].sort((a, b) => a - b))
          }
        }
      }
    } finally {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
