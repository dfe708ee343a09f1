/** The keyspace against the reference: any operations, interleaved with any snapshots, must look the same. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keyHashSlot } from '../data/crc16.ts'
import { randomFromText } from '../data/random.ts'
import type { Random } from '../io.ts'
import { Keyspace } from './keyspace.ts'
import {
  type Aggregate,
  type Entry,
  type KeyspacePort,
  NO_ENTRY,
  type SnapshotWalk,
  ValueType,
} from './keyspace-port.ts'
import { ReferenceKeyspace } from './testing/reference-keyspace.ts'

/** An aggregate that is nothing but a number. */
class Box implements Aggregate {
  readonly type = ValueType.hash
  readonly encoding = 'box'
  content: number

  constructor(content: number) {
    this.content = content
  }

  get memoryBytes(): number {
    return 100 + this.content
  }

  clone(): Box {
    return new Box(this.content)
  }
}

interface State {
  value: string
  encoding: string
  expireAtMs: number
}

function stateOf(keyspace: KeyspacePort): Map<string, State> {
  const states = new Map<string, State>()
  let cursor = 0n
  do {
    cursor = keyspace.scan(cursor, 7, (entry) => {
      const key = keyspace.key(entry).toString('latin1')
      expect(states.has(key), 'a key met twice without a change').toBe(false)
      states.set(key, {
        value: valueText(keyspace, entry),
        encoding: keyspace.encoding(entry),
        expireAtMs: keyspace.expireAtMs(entry),
      })
    })
  } while (cursor !== 0n)
  return states
}

function valueText(keyspace: KeyspacePort, entry: Entry): string {
  if (keyspace.type(entry) !== ValueType.string) return describeAggregate(keyspace.aggregate(entry))
  const text = keyspace.text(entry)
  expect(keyspace.textLength(entry)).toBe(text.length)
  expect(keyspace.peekText(entry).equals(text)).toBe(true)
  return text.toString('latin1')
}

function describeAggregate(aggregate: Aggregate): string {
  return `box of ${(aggregate as Box).content}`
}

/** A snapshot in progress and what it has seen so far. */
interface View {
  walk: SnapshotWalk
  seen: Map<string, string>
}

function openView(keyspace: KeyspacePort): View {
  const seen = new Map<string, string>()
  const walk = keyspace.snapshot({
    visit(key, text, aggregate, expireAtMs) {
      const name = key.toString('latin1')
      expect(seen.has(name), 'a key visited twice by one snapshot').toBe(false)
      const value = text?.toString('latin1') ?? describeAggregate(aggregate as Aggregate)
      seen.set(name, `${value} until ${expireAtMs}`)
    },
  })
  return { walk, seen }
}

function finish(view: View): string[] {
  while (!view.walk.advance(3));
  return [...view.seen].map((pair) => pair.join(' = ')).sort()
}

type Operation =
  | { do: 'text' | 'plain' | 'append'; key: string; value: string }
  | { do: 'integer' | 'expire' | 'box' | 'change' | 'edit'; key: string; number: number }
  | { do: 'remove'; key: string }
  | { do: 'clear' | 'maintain' | 'snapshot' }
  | { do: 'advance' | 'finish' | 'cancel'; view: number; entries: number }

function apply(keyspace: KeyspacePort, views: View[], operation: Operation, finished: string[][]): void {
  switch (operation.do) {
    case 'clear':
      keyspace.clear()
      return
    case 'maintain':
      keyspace.maintain()
      return
    case 'snapshot':
      views.push(openView(keyspace))
      return
    case 'advance':
    case 'cancel':
    case 'finish': {
      const view = views[operation.view % Math.max(1, views.length)]
      if (view === undefined) return
      if (operation.do === 'advance') view.walk.advance(operation.entries)
      else views.splice(views.indexOf(view), 1)
      if (operation.do === 'cancel') view.walk.cancel()
      if (operation.do === 'finish') finished.push(finish(view))
      return
    }
    default:
      applyToKey(keyspace, operation)
  }
}

function applyToKey(keyspace: KeyspacePort, operation: Extract<Operation, { key: string }>): void {
  const key = Buffer.from(`<${operation.key}>`, 'latin1')
  const [start, end] = [1, key.length - 1]
  const entry = keyspace.find(key, start, end)
  const exists = entry !== NO_ENTRY
  const isText = exists && keyspace.type(entry) === ValueType.string
  switch (operation.do) {
    case 'text':
    case 'plain': {
      const value = Buffer.from(`"${operation.value}"`, 'latin1')
      if (operation.do === 'plain') keyspace.setPlainText(key, start, end, value, 1, value.length - 1)
      else if (exists) keyspace.replaceText(entry, value, 1, value.length - 1)
      else keyspace.setText(key, start, end, value, 1, value.length - 1)
      return
    }
    case 'integer':
      if (exists && operation.number % 2 === 0) keyspace.replaceInteger(entry, operation.number)
      else keyspace.setInteger(key, start, end, operation.number)
      return
    case 'append': {
      if (!isText) return
      const value = Buffer.from(`"${operation.value}"`, 'latin1')
      keyspace.appendText(entry, value, 1, value.length - 1)
      return
    }
    case 'edit':
      if (isText) keyspace.editText(entry, operation.number)
      return
    case 'box':
      keyspace.setAggregate(key, start, end, new Box(operation.number))
      return
    case 'change': {
      if (!exists || isText) return
      keyspace.willChange(entry)
      const box = keyspace.aggregate(entry) as Box
      box.content = operation.number
      keyspace.changed(entry)
      return
    }
    case 'expire':
      if (exists) keyspace.setExpireAtMs(entry, operation.number - 1)
      return
    case 'remove':
      if (exists) keyspace.remove(entry)
  }
}

const keys = fc.oneof(
  { weight: 8, arbitrary: fc.stringMatching(/^[a-f]{0,2}$/) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('k'.repeat(254), 'k'.repeat(255), 'k'.repeat(300), 'K'.repeat(2000), 'ÿ{x}'),
  },
)
const values = fc.oneof(
  fc.stringMatching(/^-?[0-9]{0,20}$/),
  fc.constantFrom('9007199254740993', '-9223372036854775808', '9223372036854775807', '9223372036854775808'),
  fc.string({ unit: 'binary-ascii', maxLength: 60 }),
  fc.integer({ min: 0, max: 9000 }).map((length) => 'v'.repeat(length)),
)
const numbers = fc.nat(6000)

const operations: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('text', 'plain', 'append'), key: keys, value: values }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('integer'), key: keys, number: fc.maxSafeInteger() }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('expire', 'box', 'change', 'edit'), key: keys, number: numbers }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('remove'), key: keys }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('maintain', 'snapshot', 'clear') }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('advance', 'finish', 'cancel'), view: fc.nat(3), entries: fc.nat(9) }),
  },
) as fc.Arbitrary<Operation>

function make(seed = 'keyspace', slots = true): Keyspace {
  return new Keyspace({ index: 0, slots, random: randomFromText(seed) })
}

describe('the keyspace and the reference', () => {
  test('agree after any operations, and in every snapshot', () => {
    fc.assert(
      fc.property(fc.array(operations, { maxLength: 120, size: 'max' }), (list) => {
        const [real, model] = [make(), new ReferenceKeyspace({ index: 0 })]
        const [realViews, modelViews]: [View[], View[]] = [[], []]
        const [realDone, modelDone]: [string[][], string[][]] = [[], []]
        for (const operation of list) {
          apply(real, realViews, operation, realDone)
          apply(model, modelViews, operation, modelDone)
          expect(real.size).toBe(model.size)
          expect(real.expiringSize).toBe(model.expiringSize)
        }
        const expected = stateOf(model)
        expect(stateOf(real)).toEqual(expected)
        expect([...realDone, ...realViews.map(finish)]).toEqual([...modelDone, ...modelViews.map(finish)])
        for (const key of expected.keys()) expectSameSlot(real, model, Buffer.from(key, 'latin1'))
        for (const key of [...expected.keys()]) real.remove(real.findKey(Buffer.from(key, 'latin1')))
        expect([real.size, real.expiringSize, real.memoryBytes - make().memoryBytes]).toEqual([0, 0, 0])
      }),
      { numRuns: 300 },
    )
  })
})

function expectSameSlot(real: KeyspacePort, model: KeyspacePort, key: Buffer): void {
  const slot = keyHashSlot(key)
  expect(real.countInSlot(slot)).toBe(model.countInSlot(slot))
  const names = (keyspace: KeyspacePort) => keyspace.keysInSlot(slot, 1000).map((found) => found.toString('latin1'))
  expect(names(real).sort()).toEqual(names(model).sort())
  expect(names(real)).toContain(key.toString('latin1'))
}

function set(keyspace: KeyspacePort, key: string, value: string): void {
  const [name, text] = [Buffer.from(key), Buffer.from(value)]
  keyspace.setText(name, 0, name.length, text, 0, text.length)
}

/** Many keys of many sizes come, change and go. */
function churn(keyspace: KeyspacePort, model: Map<string, string>, random: Random, steps: number, range: number): void {
  for (let step = 0; step < steps; step++) {
    const key = `key:${random.below(range)}`
    if (random.below(3) === 0) {
      const entry = keyspace.findKey(Buffer.from(key))
      if ((entry !== NO_ENTRY) !== model.has(key)) expect.fail(`${key} should not have come or gone`)
      if (entry !== NO_ENTRY) keyspace.remove(entry)
      model.delete(key)
    } else {
      const value = 'x'.repeat(random.below(step % 2 === 0 ? 40 : 600))
      set(keyspace, key, value)
      model.set(key, value)
    }
  }
}

function expectContent(keyspace: KeyspacePort, model: Map<string, string>): void {
  expect(keyspace.size).toBe(model.size)
  const wrong = [...model].filter(([key, value]) => {
    const entry = keyspace.findKey(Buffer.from(key))
    return entry === NO_ENTRY || keyspace.text(entry).toString() !== value
  })
  expect(wrong).toEqual([])
}

function maintainAll(keyspace: KeyspacePort): void {
  while (keyspace.maintain());
}

describe('many keys', () => {
  test('are kept through growth, shrinkage and compaction', () => {
    const keyspace = make()
    const model = new Map<string, string>()
    const random = randomFromText('churn')
    for (const range of [20_000, 300, 20_000, 10]) {
      churn(keyspace, model, random, 30_000, range)
      expectContent(keyspace, model)
      maintainAll(keyspace)
      expectContent(keyspace, model)
    }
  })

  test('may be announced, in any number: then the table does not grow by steps, and is as good', () => {
    for (const announced of [0, 1, 700, 5000, Number.MAX_SAFE_INTEGER]) {
      const keyspace = make()
      keyspace.expect(announced)
      const model = new Map<string, string>()
      churn(keyspace, model, randomFromText(`announced ${announced}`), 10_000, 4000)
      keyspace.expect(17)
      expectContent(keyspace, model)
      expect(keyspace.reservedBytes).toBeLessThan(200 * 1024 * 1024)
    }
  })

  test('give their memory back when they go', () => {
    const keyspace = make()
    for (let i = 0; i < 50_000; i++) set(keyspace, `key:${i}`, 'v'.repeat(i % 300))
    const full = keyspace.reservedBytes
    for (let i = 0; i < 50_000; i++) if (i % 50 > 0) keyspace.remove(keyspace.findKey(Buffer.from(`key:${i}`)))
    maintainAll(keyspace)
    expect(keyspace.reservedBytes).toBeLessThan(full / 5)
    expect(keyspace.size).toBe(1000)
    expect(keyspace.text(keyspace.findKey(Buffer.from('key:50'))).length).toBe(50)
  })

  test('reuse the memory of values that changed their size', () => {
    const keyspace = make()
    for (let i = 0; i < 20_000; i++) set(keyspace, `key:${i}`, 'v'.repeat(200))
    const large = keyspace.reservedBytes
    for (let i = 0; i < 20_000; i++) set(keyspace, `key:${i}`, 'v'.repeat(60))
    maintainAll(keyspace)
    expect(keyspace.reservedBytes).toBeLessThan(large * 0.7)
    expectContent(keyspace, new Map(Array.from({ length: 20_000 }, (_, i) => [`key:${i}`, 'v'.repeat(60)])))
  })
})

describe('scan', () => {
  test('meets every key that stays, whatever comes and goes meanwhile', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 400 }), fc.nat(3), (seed, count, phase) => {
        const random = randomFromText(seed)
        const keyspace = make(seed)
        const staying = new Set(Array.from({ length: 300 }, (_, i) => `stays:${i}`))
        for (const key of staying) set(keyspace, key, 'v')
        if (phase > 1) for (let i = 0; i < 3000; i++) set(keyspace, `other:${i}`, 'v')
        const met = new Set<string>()
        let cursor = 0n
        do {
          cursor = keyspace.scan(cursor, count, (entry) => met.add(keyspace.key(entry).toString()))
          for (let i = 0; i < count * 3; i++) {
            const name = `other:${random.below(3000)}`
            const entry = keyspace.findKey(Buffer.from(name))
            const adds = phase === 0 || (phase === 1 && random.below(2) === 0)
            if (adds && entry === NO_ENTRY) set(keyspace, name, 'v')
            else if (!adds && entry !== NO_ENTRY) keyspace.remove(entry)
          }
          keyspace.maintain()
        } while (cursor !== 0n)
        for (const key of staying) expect(met.has(key)).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  test('meets a key that is removed and made again between two calls', () => {
    const keyspace = make()
    for (let i = 0; i < 500; i++) set(keyspace, `key:${i}`, 'v')
    const met = new Set<string>()
    let cursor = 0n
    do {
      cursor = keyspace.scan(cursor, 10, (entry) => met.add(keyspace.key(entry).toString()))
      for (let i = 499; i >= 0; i--) {
        keyspace.remove(keyspace.findKey(Buffer.from(`key:${i}`)))
        set(keyspace, `key:${i}`, 'w')
      }
    } while (cursor !== 0n)
    expect(met.size).toBe(500)
  })
})

describe('sampling', () => {
  test('a random entry is any of them', () => {
    const keyspace = make()
    for (let i = 0; i < 40; i++) set(keyspace, `key:${i}`, 'v')
    for (let i = 0; i < 36; i++) keyspace.remove(keyspace.findKey(Buffer.from(`key:${i}`)))
    const random = randomFromText('sample')
    const met = new Set<string>()
    for (let i = 0; i < 200; i++) {
      met.add(keyspace.key(keyspace.randomEntry((limit) => random.below(limit))).toString())
    }
    expect([...met].sort()).toEqual(['key:36', 'key:37', 'key:38', 'key:39'])
    expect(make().randomEntry(() => 0)).toBe(NO_ENTRY)
  })

  test('meets only keys that expire, each once', () => {
    const keyspace = make()
    for (let i = 0; i < 100; i++) {
      set(keyspace, `key:${i}`, 'v')
      if (i % 2 === 0) keyspace.setExpireAtMs(keyspace.findKey(Buffer.from(`key:${i}`)), i)
    }
    for (const first of [0, 49]) {
      const met: number[] = []
      keyspace.sampleExpiring(
        () => first,
        60,
        (entry) => met.push(keyspace.expireAtMs(entry)),
      )
      expect(new Set(met).size).toBe(50)
      expect(met.every((time) => time % 2 === 0)).toBe(true)
    }
  })
})

describe('snapshots', () => {
  test('of a cleared database show what it held', () => {
    const keyspace = make()
    set(keyspace, 'a', '1')
    const view = openView(keyspace)
    keyspace.clear()
    set(keyspace, 'a', '2')
    expect(finish(view)).toEqual(['a = 1 until -1'])
  })

  test('may be cancelled by their own visitor', () => {
    const keyspace = make()
    for (const key of ['a', 'b', 'c']) set(keyspace, key, 'v')
    let visits = 0
    const walk = keyspace.snapshot({
      visit() {
        visits++
        walk.cancel()
      },
    })
    set(keyspace, 'a', 'w')
    set(keyspace, 'b', 'w')
    expect(walk.advance(10)).toBe(true)
    expect(visits).toBe(1)
  })
})

test('two keyspaces with different seeds order their keys differently', () => {
  const order = (seed: string) => {
    const keyspace = make(seed)
    for (let i = 0; i < 50; i++) set(keyspace, `key:${i}`, 'v')
    return [...stateOf(keyspace).keys()].join()
  }
  expect(order('one')).toBe(order('one'))
  expect(order('one')).not.toBe(order('two'))
})

test('keys that were announced are found like others: in order, left out, asked for twice, and others between', () => {
  const keyspace = new Keyspace({ index: 0, random: randomFromText('expected') })
  const keys = Array.from({ length: 40_000 }, (_, i) => `key:${i}`)
  for (const key of keys) keyspace.setText(Buffer.from(key), 0, key.length, Buffer.from(`v${key}`), 0, key.length + 1)
  const draw = fc.integer({ min: 0, max: 50_000 })
  fc.assert(
    fc.property(
      fc.array(draw, { minLength: 1, maxLength: 90 }),
      fc.array(draw),
      fc.integer(),
      (numbers, others, skip) => {
        const words = numbers.map((number) => `key:${number}`)
        const memory = Buffer.from(words.join(''))
        const ends = words.map((_, i) => words.slice(0, i + 1).join('').length)
        const starts = words.map((word, i) => (ends[i] as number) - word.length)
        keyspace.announce(memory, starts, ends, 0, 1, words.length)
        const found = (word: string, entry: Entry): void => {
          if (keys.includes(word)) expect(keyspace.key(entry).toString()).toBe(word)
          else expect(entry).toBe(NO_ENTRY)
        }
        words.forEach((word, i) => {
          if (((skip >> (i % 30)) & 1) === 0) return
          found(word, keyspace.find(memory, starts[i] as number, ends[i] as number))
          found(word, keyspace.find(memory, starts[i] as number, ends[i] as number))
          const other = others[i] === undefined ? 'key:x' : `key:${others[i]}`
          found(other, keyspace.findKey(Buffer.from(other)))
        })
        keyspace.endAnnouncement()
      },
    ),
    { numRuns: 50 },
  )
})

test('after the end of an announcement the same memory is read anew', () => {
  const keyspace = new Keyspace({ index: 0, random: randomFromText('anew') })
  for (let i = 0; i < 20_000; i++) keyspace.setInteger(Buffer.from(`k${i}`), 0, `k${i}`.length, i)
  const memory = Buffer.from('k111k222')
  keyspace.announce(memory, [0, 4], [4, 8], 0, 1, 2)
  expect(keyspace.integer(keyspace.find(memory, 0, 4))).toBe(111)
  keyspace.endAnnouncement()
  memory.write('k333k444', 'latin1')
  expect(keyspace.integer(keyspace.find(memory, 0, 4))).toBe(333)
  expect(keyspace.integer(keyspace.find(memory, 4, 8))).toBe(444)
})
