import fc from 'fast-check'
import { expect, test } from 'vitest'
import { END, Listpack } from './listpack.ts'

const bounds = [0n, 127n, 4095n, 32767n, 8388607n, 2147483647n, 2n ** 53n, 2n ** 63n - 1n]
const integer = fc
  .tuple(fc.constantFrom(...bounds), fc.integer({ min: -2, max: 2 }), fc.boolean())
  .map(([bound, distance, negative]) => String((negative ? -bound : bound) + BigInt(distance)))
const text = fc.oneof(
  integer,
  fc.constantFrom('', '-', '-0', '007', '+1', ' 1', '9223372036854775808', '-9223372036854775809'),
  fc.string({ unit: 'binary-ascii', maxLength: 20 }),
  fc
    .constantFrom(31, 32, 63, 64, 125, 126, 127, 128, 4095, 4096, 16376, 16378, 16380, 17000)
    .map((size) => 'x'.repeat(size)),
)
const step = fc.record({
  what: fc.constantFrom('append', 'prepend', 'insert', 'replace', 'remove', 'removeFirst', 'removeMany', 'freeze'),
  index: fc.nat(40),
  text,
})

function contents(pack: Listpack): string[] {
  const texts: string[] = []
  for (let at = pack.first(); at !== END; at = pack.next(at)) texts.push(pack.latin1(at))
  return texts
}

function backwards(pack: Listpack): string[] {
  const texts: string[] = []
  for (let at = pack.last(); at !== END; at = pack.previous(at)) texts.unshift(pack.latin1(at))
  return texts
}

test('a listpack holds what an array holds, whatever is added, replaced and removed', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const pack = Listpack.empty()
      const model: string[] = []
      const frozen: { pack: Listpack; model: string[] }[] = []
      for (const { what, index, text } of steps) {
        const bytes = Buffer.from(`<${text}>`, 'latin1')
        const [start, end] = [1, bytes.length - 1]
        const place = model.length === 0 ? 0 : index % model.length
        if (what === 'append') {
          pack.append(bytes, start, end)
          model.push(text)
        } else if (what === 'prepend') {
          pack.prepend(bytes, start, end)
          model.unshift(text)
        } else if (what === 'insert') {
          pack.insert(pack.at(place), bytes, start, end)
          model.splice(place, 0, text)
        } else if (what === 'freeze') {
          frozen.push({ pack: pack.freeze(), model: [...model] })
        } else if (what === 'removeFirst') {
          if (model.length > 0) expect(pack.remove(pack.first())).toBe(pack.first())
          model.shift()
        } else if (model.length > 0) {
          const position = pack.at(place)
          if (what === 'replace') pack.replace(position, bytes, start, end)
          else {
            const next = pack.remove(position, what === 'remove' ? 1 : 5)
            model.splice(place, what === 'remove' ? 1 : 5)
            expect(next).toBe(pack.at(place))
          }
          if (what === 'replace') model[place] = text
        }
        expect(pack.count).toBe(model.length)
      }
      expect(contents(pack)).toEqual(model)
      expect(backwards(pack)).toEqual(model)
      for (const { pack: one, model: then } of frozen) expect(contents(one)).toEqual(then)
      const copy = Listpack.parse(pack.serialized())
      expect(copy === undefined ? undefined : contents(copy)).toEqual(model)
      expect(contents(pack.clone())).toEqual(model)
      for (let i = 0; i < model.length; i++) {
        const bytes = Buffer.from(model[i] as string, 'latin1')
        expect(pack.at(i)).toBe(pack.at(i - model.length))
        expect(pack.equals(pack.at(i), bytes, 0, bytes.length)).toBe(true)
        expect(pack.latin1(pack.find(pack.first(), 1, bytes, 0, bytes.length))).toBe(model[i])
      }
      expect(pack.at(model.length)).toBe(END)
      expect(pack.at(-model.length - 1)).toBe(END)
    }),
  )
})

test('elements that come and go at both ends keep their memory', () => {
  const pack = Listpack.empty()
  const model: string[] = []
  for (let i = 0; i < 5000; i++) {
    const word = Buffer.from(`${'x'.repeat(i % 50)}${i}`)
    if (i % 3 === 0) {
      pack.prepend(word, 0, word.length)
      model.unshift(word.toString())
    } else {
      pack.append(word, 0, word.length)
      model.push(word.toString())
    }
    if (model.length > 30) {
      pack.remove(i % 2 === 0 ? pack.first() : pack.last())
      if (i % 2 === 0) model.shift()
      else model.pop()
    }
    expect(pack.reservedBytes).toBeLessThanOrEqual(Math.max(256, 4 * pack.byteLength))
  }
  expect(contents(pack)).toEqual(model)
  expect(backwards(pack)).toEqual(model)
})

test.each(['first', 'last'] as const)('a queue that is served at its %s keeps its memory', (end) => {
  const pack = Listpack.empty()
  const word = Buffer.from('a job of forty bytes, more or less so long')
  const add = () => (end === 'first' ? pack.append(word, 0, word.length) : pack.prepend(word, 0, word.length))
  for (let i = 0; i < 20; i++) add()
  for (let i = 0; i < 1000; i++) {
    add()
    pack.remove(pack[end]())
  }
  expect(contents(pack)).toEqual(Array(20).fill(word.toString()))
  expect(pack.reservedBytes).toBeLessThan(4 * pack.byteLength)
})

// Made by redis-server 7.0.15: RPUSH and DUMP with `rdbcompression no`.
test('its bytes are those of Redis', () => {
  const pack = Listpack.empty()
  for (const word of ['a', '5', '-1', '4096', '-8388608', '2147483647', '9007199254740993']) {
    pack.append(Buffer.from(word), 0, word.length)
  }
  expect(pack.serialized().toString('hex')).toBe(
    '2800000007008161020501dfff02f1001003f200008004f3ffffff7f05f4010000000000200009ff',
  )
})

test('damaged bytes are refused, or read as something sound', () => {
  const pack = Listpack.empty()
  for (const word of ['abc', '5', '70000', 'x'.repeat(100)]) pack.append(Buffer.from(word), 0, word.length)
  const sound = Buffer.from(pack.serialized())
  expect(Listpack.parse(sound.subarray(0, sound.length - 1))).toBeUndefined()
  expect(Listpack.parse(Buffer.alloc(0))).toBeUndefined()
  for (let i = 0; i < sound.length; i++) {
    for (let bit = 1; bit < 256; bit <<= 1) {
      const damaged = Buffer.from(sound)
      damaged[i] = (damaged[i] as number) ^ bit
      const read = Listpack.parse(damaged)
      if (read !== undefined) expect(backwards(read)).toEqual(contents(read))
    }
  }
  const wrongCount = Buffer.from(sound)
  wrongCount[4] = 3
  expect(Listpack.parse(wrongCount)).toBeUndefined()
})

test.each<[string, (pack: Listpack, other: Listpack) => void]>([
  ['append', (pack) => pack.append(Buffer.from('new'), 0, 3)],
  ['appendInteger', (pack) => pack.appendInteger(5)],
  ['appendAll', (pack, other) => pack.appendAll(other)],
  ['prepend', (pack) => pack.prepend(Buffer.from('new'), 0, 3)],
  ['insert', (pack) => pack.insert(pack.last(), Buffer.from('new'), 0, 3)],
  ['replace', (pack) => pack.replace(pack.first(), Buffer.from('uno'), 0, 3)],
  ['replaceInteger', (pack) => pack.replaceInteger(pack.last(), 8)],
  ['remove first', (pack) => pack.remove(pack.first())],
  ['remove last', (pack) => pack.remove(pack.last())],
  ['replace first by something shorter', (pack) => pack.replace(pack.first(), Buffer.from('1'), 0, 1)],
])('a frozen listpack stays as it was: %s', (_name, change) => {
  const make = () => {
    // With room behind the entries, so that the bytes need not be exchanged.
    const pack = Listpack.empty(256)
    pack.append(Buffer.from('one'), 0, 3)
    pack.append(Buffer.from('two'), 0, 3)
    pack.appendInteger(7)
    return pack
  }
  const [pack, twin] = [make(), make()]
  const frozen = pack.freeze()
  change(pack, make())
  change(twin, make())
  expect(frozen.serialized()).toEqual(make().serialized())
  expect(pack.serialized()).toEqual(twin.serialized())
})
