/** Streams in RDB form: what one server has dumped the other restores, and what is damaged is refused. */
import { expect, test } from 'vitest'
import { StreamId } from '../data/stream-id.ts'
import type { StreamValue } from '../store/stream-value.ts'
import { bulkOf, sealed } from '../testing/aggregates.ts'
import { type AllowedDifference, againstRedis, usePair, type Words } from '../testing/differential.ts'
import { RdbInput } from './rdb-input.ts'
import { RdbOutput } from './rdb-output.ts'
import { RDB_TYPE_STREAM_LISTPACKS, RDB_TYPE_STREAM_LISTPACKS_3, streamLoaders, streamWriter } from './rdb-stream.ts'

const fill: Words[] = [
  ...Array.from(
    { length: 250 },
    (_, i): Words => ['XADD', 's', `${i + 1}-1`, 'field', String(i * 37), 'g', 'x'.repeat(i % 70)],
  ),
  ['XDEL', 's', '3-1', '120-1'],
  ['XTRIM', 's', 'MAXLEN', '235'],
  ['XGROUP', 'CREATE', 's', 'g', '0'],
  ['XGROUP', 'CREATE', 's', 'idle', '$', 'ENTRIESREAD', '250'],
  ['XREADGROUP', 'GROUP', 'g', 'alice', 'COUNT', '20', 'STREAMS', 's', '>'],
  ['XREADGROUP', 'GROUP', 'g', 'bob', 'COUNT', '10', 'STREAMS', 's', '>'],
  ['XGROUP', 'CREATECONSUMER', 's', 'g', 'carol'],
  ['XACK', 's', 'g', '20-1'],
]

const times: AllowedDifference[] = [
  { pattern: /:1[78]\d{11}\r\n/g, replace: ':T\r\n', reason: 'Unix times of this run' },
]

againstRedis('streams go from redis-server to us and back', () => {
  const pair = usePair()

  test.each(['redis', 'engine'] as const)(
    'what %s has dumped both restore, and dump again as it was',
    async (source) => {
      const both = await pair().session()
      try {
        await both[source].send('FLUSHALL')
        for (const words of fill) await both[source].send(...words)
        const payload = bulkOf(await both[source].send('DUMP', 's'))
        await pair().same(
          [
            ['RESTORE', 't', '0', payload],
            ['XINFO', 'STREAM', 't', 'FULL', 'COUNT', '0'],
            ['XPENDING', 't', 'g'],
            ['DUMP', 't'],
            ['XADD', 't', '251-1', 'field', '1', 'g', '2'],
            ['XINFO', 'STREAM', 't'],
          ],
          times,
        )
      } finally {
        both.redis.close()
        both.engine.close()
      }
    },
  )

  test('a damaged payload is refused, or makes a stream that can be read to its end', async () => {
    const { redis, engine } = await pair().session()
    try {
      await redis.send('FLUSHALL')
      for (const words of fill.slice(0, 3)) await redis.send(...words)
      for (const words of fill.slice(-6)) await redis.send(...words)
      const whole = bulkOf(await redis.send('DUMP', 's'))
      const body = whole.subarray(0, -10)
      for (let at = 1; at < body.length; at += 3) {
        const damaged = Buffer.from(body)
        damaged[at] = (damaged[at] as number) ^ 0x41
        const restore: Words = ['RESTORE', 'd', '0', sealed(damaged), 'REPLACE']
        const reply = await engine.send(...restore)
        // Whatever was accepted can be walked.
        if (reply.startsWith('+')) {
          expect(await engine.send('XINFO', 'STREAM', 'd', 'FULL', 'COUNT', '0')).toMatch(/^\*/)
          expect(await engine.send('XRANGE', 'd', '-', '+')).toMatch(/^\*/)
          expect(await engine.send('ECHO', 'mark')).toBe('$4\r\nmark\r\n')
        } else expect(reply).toMatch(/^-(ERR Bad data format|BUSYKEY)/)
      }
    } finally {
      redis.close()
      engine.close()
    }
  })
})

function bytesOf(write: (output: RdbOutput) => void): Buffer {
  const chunks: Buffer[] = []
  const output = new RdbOutput({
    sink: (chunk) => chunks.push(Buffer.from(chunk)),
    checksum: false,
    compression: false,
  })
  write(output)
  output.flush()
  return Buffer.concat(chunks)
}

function load(type: number, bytes: Buffer): StreamValue {
  const input = new RdbInput()
  input.feed(bytes)
  const loader = (streamLoaders[type] as () => ReturnType<NonNullable<(typeof streamLoaders)[number]>>)()
  while (!loader.step(input)) input.commit()
  return loader.value as StreamValue
}

const noNodes = (output: RdbOutput, version: number): void => {
  output.length(0)
  output.length(0)
  output.length(7)
  output.length(1)
  if (version > 1) for (const number of [0, 0, 5, 1, 9]) output.length(number)
  output.length(1)
  output.text('group')
  output.length(6)
  output.length(0)
  if (version > 1) output.length(8)
}

test('the form of Redis 5 and 6 has less history, that of 7.2 one more time per consumer', () => {
  const old = load(
    RDB_TYPE_STREAM_LISTPACKS,
    bytesOf((output) => {
      noNodes(output, 1)
      output.length(0)
      output.length(0)
    }),
  )
  expect([old.stream.entriesAdded, old.stream.lastId.toString()]).toEqual([0, '7-1'])
  expect(old.groups.map((group) => [group.name.toString(), group.entriesRead])).toEqual([['group', 0]])
  const recent = load(
    RDB_TYPE_STREAM_LISTPACKS_3,
    bytesOf((output) => {
      noNodes(output, 3)
      output.length(1)
      output.raw(new StreamId(0, 6, 0, 0).encode())
      output.timeMs(1000)
      output.length(3)
      output.length(1)
      output.text('alice')
      output.timeMs(2000)
      output.timeMs(3000)
      output.length(1)
      output.raw(new StreamId(0, 6, 0, 0).encode())
    }),
  )
  const [group] = recent.groups
  expect(group?.entriesRead).toBe(8)
  expect(group?.consumers.map(({ name, seenMs, pending }) => [name.toString(), seenMs, pending.size])).toEqual([
    ['alice', 2000, 1],
  ])
  expect(recent.stream.maxDeletedId.toString()).toBe('5-1')
  expect(bytesOf((output) => [...streamWriter.write(output, recent)]).length).toBeGreaterThan(0)
})

test('pending entries without a consumer, and consumers with unknown entries, are refused', () => {
  const pendingOnly = bytesOf((output) => {
    noNodes(output, 2)
    output.length(1)
    output.raw(new StreamId(0, 6, 0, 0).encode())
    output.timeMs(1000)
    output.length(3)
    output.length(0)
  })
  expect(() => load(19, pendingOnly)).toThrow('NACK entry without consumer')
  const unknown = bytesOf((output) => {
    noNodes(output, 2)
    output.length(0)
    output.length(1)
    output.text('alice')
    output.timeMs(1)
    output.length(1)
    output.raw(new StreamId(0, 6, 0, 0).encode())
  })
  expect(() => load(19, unknown)).toThrow('Consumer entry not found in group global PEL')
})
