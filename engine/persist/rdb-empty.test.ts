/** Keys without elements in files are left out, as redis-server does; what is damaged is refused. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { againstRedis, usePair } from '../testing/differential.ts'
import { Crc64 } from './crc64.ts'

const text = (value: string): number[] => [value.length, ...Buffer.from(value)]
const bytes = (...values: number[]): number[] => [values.length, ...values]
const emptyListpack = bytes(7, 0, 0, 0, 0, 0, 0xff)
const emptyZiplist = bytes(11, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0xff)

/** Type and value of keys that have no elements. */
const empty: Record<string, number[]> = {
  list: [1, 0],
  set: [2, 0],
  zset: [3, 0],
  hash: [4, 0],
  zset2: [5, 0],
  zipmap: [9, ...bytes(0, 0xff)],
  listZiplist: [10, ...emptyZiplist],
  zsetZiplist: [12, ...emptyZiplist],
  hashZiplist: [13, ...emptyZiplist],
  quicklist: [14, 0],
  quicklistOfEmpty: [14, 1, ...emptyZiplist],
  hashListpack: [16, ...emptyListpack],
  zsetListpack: [17, ...emptyListpack],
  quicklist2: [18, 0],
  quicklist2OfEmpty: [18, 1, 2, ...emptyListpack],
}

function file(...entries: readonly (readonly [key: string, value: number[]])[]): Buffer {
  const body = Buffer.from([
    ...Buffer.from('REDIS0010'),
    0xfe,
    0,
    // With a time to live, which must not pass on to the key behind it.
    ...entries.flatMap(([key, [type = 0, ...rest]]) => [0xfc, 0, 0, 0, 0, 0, 1, 0, 0, type, ...text(key), ...rest]),
    0,
    ...text('last'),
    ...text('value'),
    0xff,
  ])
  const crc = new Crc64()
  crc.update(body)
  return Buffer.concat([body, crc.bytes()])
}

againstRedis('values without elements', () => {
  const pair = usePair({ settings: { dbfilename: 'empty.rdb' } })

  test('are left out of what is loaded', async () => {
    const { engine, redis } = await pair().session()
    try {
      const heard: string[][] = []
      for (const side of [redis, engine]) {
        const directory = (await side.send('CONFIG', 'GET', 'dir')).split('\r\n')[4] as string
        const path = join(directory, 'empty.rdb')
        const answers: string[] = []
        for (const [name, value] of Object.entries(empty)) {
          writeFileSync(path, file(['first', [0, ...text('x')]], ['empty', value]))
          answers.push(`${name}: ${await side.send('DEBUG', 'RELOAD', 'NOSAVE')}`)
          answers.push(await side.send('EXISTS', 'first', 'empty', 'last'), await side.send('PTTL', 'last'))
        }
        heard.push(answers)
      }
      expect(heard[1]).toEqual(heard[0])
    } finally {
      redis.close()
      engine.close()
    }
  })
})
