import { expect, test } from 'vitest'
import { againstRedis, usePair } from '../testing/differential.ts'

againstRedis('DUMP and RESTORE answer as redis-server 7.0 does', () => {
  const pair = usePair()

  test('payloads are the same bytes', async () => {
    const texts = [
      '',
      '1',
      '-200',
      '70000',
      '9999999999',
      'short',
      'a'.repeat(21),
      'ab'.repeat(500),
      'x'.repeat(100_000),
    ]
    // Text with repetitions at all distances, to meet every branch of the compression.
    let mixed = ''
    for (let i = 0; i < 3000; i++) mixed += `${(i * i) % 977} `
    texts.push(mixed, mixed.slice(0, 500), `${mixed}${mixed}`)
    for (let length = 18; length < 60; length++) texts.push('abc'.repeat(30).slice(0, length))
    await pair().same(
      texts.flatMap(
        (text, i) =>
          [
            ['SET', `k${i}`, text],
            ['DUMP', `k${i}`],
          ] as const,
      ),
    )
  })

  test('DUMP of nothing, RESTORE and its refusals', async () => {
    const both = await pair().session()
    await both.redis.send('SET', 'origin', 'the value')
    const reply = await both.redis.send('DUMP', 'origin')
    both.redis.close()
    both.engine.close()
    const payload = Buffer.from(reply.slice(reply.indexOf('\r\n') + 2, -2), 'latin1')
    const damaged = Buffer.from(payload)
    damaged[2] = 0
    const newer = Buffer.from(payload)
    newer[newer.length - 10] = 11
    // In a file zeros mean that nobody has taken the checksum; here they are wrong.
    const unsealed = Buffer.from(payload).fill(0, payload.length - 8)
    await pair().same([
      ['DUMP', 'missing'],
      ['DUMP'],
      ['RESTORE', 'k', '0', payload],
      ['GET', 'k'],
      ['PTTL', 'k'],
      ['RESTORE', 'k', '0', payload],
      ['RESTORE', 'k', '0', payload, 'REPLACE'],
      ['RESTORE', 'k', '-1', payload, 'REPLACE'],
      ['RESTORE', 'k', 'x', payload, 'REPLACE'],
      ['RESTORE', 'k', '0', damaged, 'REPLACE'],
      ['RESTORE', 'k', '0', newer, 'REPLACE'],
      ['RESTORE', 'k', '0', unsealed, 'REPLACE'],
      ['RESTORE', 'k', '0', 'short', 'REPLACE'],
      ['RESTORE', 'k', '0', '', 'REPLACE'],
      ['RESTORE', 'k', '4102444800000', payload, 'REPLACE', 'ABSTTL'],
      ['PEXPIRETIME', 'k'],
      ['RESTORE', 'k', '1000', payload, 'REPLACE', 'ABSTTL'],
      ['EXISTS', 'k'],
      ['RESTORE', 'k', '0', payload, 'IDLETIME', '10', 'FREQ', '5'],
      ['RESTORE', 'k', '0', payload, 'IDLETIME', '-1'],
      ['RESTORE', 'k', '0', payload, 'FREQ', '256'],
      ['RESTORE', 'k', '0', payload, 'FREQ', '-1'],
      ['RESTORE', 'k', '0', payload, 'FREQ'],
      ['RESTORE', 'k', '0', payload, 'what'],
      ['RESTORE', 'k', '0', payload, 'FREQ', '5'],
      ['GET', 'k'],
      ['RESTORE', 'k'],
      ['LASTSAVE', 'x'],
      ['BGSAVE', 'x'],
      ['BGSAVE', 'SCHEDULE', 'x'],
    ])
  })

  test('what RESTORE gave a life is alive for so long', async () => {
    const both = await pair().session()
    for (const side of [both.redis, both.engine]) {
      await side.send('SET', 'from', 'x')
      const reply = await side.send('DUMP', 'from')
      const payload = Buffer.from(reply.slice(reply.indexOf('\r\n') + 2, -2), 'latin1')
      expect(await side.send('RESTORE', 'to', '50000', payload)).toBe('+OK\r\n')
      expect(Number((await side.send('PTTL', 'to')).slice(1))).toBeGreaterThan(40_000)
      side.close()
    }
  })
})
