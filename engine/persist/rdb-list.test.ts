import { expect, test } from 'vitest'
import type { Place } from '../data/quicklist.ts'
import type { ListValue } from '../store/list-value.ts'
import { testSettings } from '../store/testing/aggregate-settings.ts'
import { againstRedis, usePair, type Words } from '../testing/differential.ts'
import { RdbInput } from './rdb-input.ts'
import {
  listLoaders,
  RDB_TYPE_LIST,
  RDB_TYPE_LIST_QUICKLIST,
  RDB_TYPE_LIST_QUICKLIST_2,
  RDB_TYPE_LIST_ZIPLIST,
} from './rdb-list.ts'
import { RdbOutput } from './rdb-output.ts'

againstRedis('lists go from redis-server to us and back', () => {
  const pair = usePair()

  test.each(['redis', 'engine'] as const)('what %s has dumped both restore', async (source) => {
    const both = await pair().session()
    const lists: Record<string, string[]> = {
      small: ['a', '5', '-300', '', '\r\n', '9007199254740993'],
      long: Array.from({ length: 5000 }, (_, i) => String(i * i)),
      wide: ['x'.repeat(5000), 'y'.repeat(20_000), 'z'],
    }
    const restored: Words[] = []
    for (const [key, elements] of Object.entries(lists)) {
      await both[source].send('DEL', key)
      await both[source].send('RPUSH', key, ...elements)
      const reply = await both[source].send('DUMP', key)
      const payload = Buffer.from(reply.slice(reply.indexOf('\r\n') + 2, -2), 'latin1')
      restored.push(
        ['RESTORE', key, '0', payload],
        ['OBJECT', 'ENCODING', key],
        ['LRANGE', key, '0', '-1'],
        ['DUMP', key],
      )
    }
    both.redis.close()
    both.engine.close()
    await pair().same(restored)
  })
})

function elementsOf({ list }: ListValue): string[] {
  const place = list.at(0)
  const texts: string[] = []
  for (let more = place !== undefined; more; more = list.advance(place as Place)) {
    const { memory, start, end } = list.read(place as Place)
    texts.push(memory.toString('latin1', start, end))
  }
  return texts
}

function load(type: number, write: (output: RdbOutput) => void): ListValue {
  const chunks: Buffer[] = []
  const output = new RdbOutput({ sink: (chunk) => chunks.push(Buffer.from(chunk)), checksum: false, compression: true })
  write(output)
  output.flush()
  const input = new RdbInput()
  input.feed(Buffer.concat(chunks))
  const loader = listLoaders[type]?.(testSettings)
  while (loader?.step(input) === false) input.commit()
  return loader?.value as ListValue
}

// The example in the head of Redis's ziplist.c, with a text added.
const ziplist = Buffer.from('\x1c\x00\x00\x00\x0e\x00\x00\x00\x03\x00\x00\xf3\x02\xf6\x02\x0bHello World\xff', 'latin1')

test('lists of old files are read', () => {
  const elements = ['2', '5', 'Hello World']
  const asTexts = load(RDB_TYPE_LIST, (output) => {
    output.length(elements.length)
    for (const element of elements) output.text(element)
  })
  expect(elementsOf(asTexts)).toEqual(elements)
  expect(elementsOf(load(RDB_TYPE_LIST_ZIPLIST, (output) => output.string(ziplist)))).toEqual(elements)
  const asNodes = load(RDB_TYPE_LIST_QUICKLIST, (output) => {
    output.length(2)
    output.string(ziplist)
    output.string(ziplist)
  })
  expect(elementsOf(asNodes)).toEqual([...elements, ...elements])
  expect(asNodes.list.nodeCount).toBe(2)
})

test('a huge element that lies outside of a listpack is read and stays so', () => {
  const value = load(RDB_TYPE_LIST_QUICKLIST_2, (output) => {
    output.length(1)
    output.length(1)
    output.text('huge')
  })
  expect(elementsOf(value)).toEqual(['huge'])
  const more = Buffer.from('more')
  value.list.push(false, more, 0, 4)
  value.list.push(true, more, 0, 4)
  expect(value.list.nodeCount).toBe(3)
  expect(elementsOf(value.clone())).toEqual(['more', 'huge', 'more'])
  value.list.replace(value.list.at(1) as Place, more, 1, 4)
  expect(elementsOf(value)).toEqual(['more', 'ore', 'more'])
})

test('damaged lists are refused', () => {
  expect(() => load(RDB_TYPE_LIST_ZIPLIST, (output) => output.string(ziplist.subarray(1)))).toThrow('integrity')
  const container = (kind: number) => (output: RdbOutput) => {
    output.length(1)
    output.length(kind)
    output.string(ziplist)
  }
  expect(() => load(RDB_TYPE_LIST_QUICKLIST_2, container(2))).toThrow('integrity')
  expect(() => load(RDB_TYPE_LIST_QUICKLIST_2, container(3))).toThrow('integrity')
})
