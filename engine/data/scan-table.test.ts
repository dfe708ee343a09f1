import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ANNOUNCED_KEYS_MAX, AnnouncedKeys } from './announced-keys.ts'
import { bytesOf, NO_SLOT, ScanTable } from './scan-table.ts'

const SEED = [0x12345678, 0x9abcdef0] as const

const key = fc.oneof(
  fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 3 }),
  fc.nat(300).map((number) => `key:${number}`),
  fc.nat(20).map((number) => 'long '.repeat(60 * number)),
)
const value = fc.oneof(
  { weight: 5, arbitrary: fc.nat(100_000).map(String) },
  { weight: 1, arbitrary: fc.nat(400).map((length) => 'v'.repeat(length * 60)) },
)
const step = fc.record({ remove: fc.boolean(), key, value })

function put(table: ScanTable, key: string, value: string): number {
  const bytes = Buffer.from(value, 'latin1')
  return table.put(bytesOf(key), 0, key.length, bytes, 0, bytes.length)
}

test('a table holds what a Map holds, whatever is added, replaced and removed', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 600, size: 'max' }), (steps) => {
      const table = new ScanTable(SEED, true)
      const model = new Map<string, string>()
      for (const { remove, key, value } of steps) {
        const bytes = Buffer.from(`<${key}>`, 'latin1')
        expect(table.find(bytes, 1, bytes.length - 1)).toBe(table.findText(key))
        if (remove && model.has(key)) table.remove(table.findText(key))
        else if (!remove) expect(put(table, key, value) >= 0).toBe(!model.has(key))
        if (remove) model.delete(key)
        else model.set(key, value)
        expect(table.findText(key) !== NO_SLOT).toBe(model.has(key))
      }
      const copy = table.clone()
      expect(contents(table)).toEqual(new Map([...model].sort()))
      expect(table.size).toBe(model.size)
      while (table.size > 0) table.remove(0)
      expect(contents(copy)).toEqual(new Map([...model].sort()))
    }),
    { numRuns: 40 },
  )
})

function contents(table: ScanTable): Map<string, string> {
  const pairs: [string, string][] = []
  for (let slot = 0; slot < table.size; slot++) {
    const { memory, start, end } = table.value(slot)
    pairs.push([table.keyAt(slot), memory.toString('latin1', start, end)])
  }
  return new Map(pairs.sort())
}

test('keys are compared by their bytes, from where they are known to differ at the earliest', () => {
  const table = new ScanTable(SEED, false)
  fc.assert(
    fc.property(key, key, (a, b) => {
      table.addText(a)
      table.addText(b)
      let shared = 0
      while (shared < a.length && a[shared] === b[shared]) shared++
      table.aim(table.findText(a))
      for (const from of [0, shared >> 1, shared]) {
        const order = table.compareAimed(table.findText(b), from)
        expect(Math.sign(order)).toBe(a === b ? 0 : a < b ? -1 : 1)
        expect(table.sharedBytes).toBe(shared)
      }
    }),
  )
})

test('a scan visits whatever is there from its beginning to its end, while the table grows and shrinks', () => {
  fc.assert(
    fc.property(
      fc.nat(400),
      fc.array(fc.integer({ min: -60, max: 60 })),
      fc.integer({ min: 1, max: 30 }),
      (kept, changes, count) => {
        const table = new ScanTable(SEED, false)
        for (let i = 0; i < kept; i++) table.addText(`kept:${i}`)
        const seen = new Set<string>()
        let passing = 0
        let cursor = 0
        let turn = 0
        do {
          cursor = table.scan(cursor, count, (slot) => seen.add(table.keyAt(slot)))
          const change = changes[turn++] ?? 0
          for (let i = 0; i < change; i++) table.addText(`passing:${passing++}`)
          for (let i = 0; i < -change && passing > 0; i++) table.remove(table.findText(`passing:${--passing}`))
        } while (cursor !== 0)
        for (let i = 0; i < kept; i++) expect(seen).toContain(`kept:${i}`)
      },
    ),
  )
})

test('a scan of a table at rest visits every entry once', () => {
  const table = new ScanTable(SEED, false)
  for (let i = 0; i < 1000; i++) table.addText(`key:${i}`)
  const seen: number[] = []
  let cursor = 0
  do cursor = table.scan(cursor, 7, (slot) => seen.push(slot))
  while (cursor !== 0)
  expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i))
})

test('the seed decides the order of a scan', () => {
  const order = (seed: readonly [number, number]): string[] => {
    const table = new ScanTable(seed, false)
    for (let i = 0; i < 50; i++) table.addText(`key:${i}`)
    const keys: string[] = []
    table.scan(0, 1000, (slot) => keys.push(table.keyAt(slot)))
    return keys
  }
  expect(order(SEED)).toEqual(order(SEED))
  expect(order(SEED)).not.toEqual(order([1, 2]))
})

test('no more than half of the memory is lost to what was removed or replaced, and it is given back in the end', () => {
  const table = new ScanTable(SEED, true)
  for (let i = 0; i < 20_000; i++) put(table, `key:${i}`, 'v'.repeat(i % 50))
  const full = table.memoryBytes
  expect(full).toBeGreaterThan(20_000 * 40)
  for (let round = 1; round < 5; round++) {
    for (let i = 0; i < 20_000; i++) put(table, `key:${i}`, 'v'.repeat((i + round * 13) % 50))
  }
  expect(table.memoryBytes).toBeLessThan(full * 2)
  for (let i = 0; i < 20_000; i++) if (i % 10 > 0) table.remove(table.findText(`key:${i}`))
  expect(table.memoryBytes).toBeLessThan(full / 3)
  for (let i = 0; i < 20_000; i += 10) {
    const { memory, start, end } = table.value(table.findText(`key:${i}`))
    expect(end - start).toBe((i + 52) % 50)
    expect(memory.subarray(start, end).every((byte) => byte === 0x76)).toBe(true)
  }
  while (table.size > 0) table.remove(table.size >> 1)
  expect(table.memoryBytes).toBeLessThan(full / 8)
})

test('keys that were announced are found like others: in order, left out, asked for twice, and others between', () => {
  const table = new ScanTable(SEED, true)
  for (let i = 0; i < 20_000; i++) put(table, `key:${i}`, 'old')
  const number = fc.nat(40_000)
  const asked = fc.record({ number, isAnnounced: fc.boolean(), times: fc.nat(2), removes: fc.boolean() })
  fc.assert(
    fc.property(fc.array(asked, { minLength: 1, maxLength: ANNOUNCED_KEYS_MAX + 10 }), (steps) => {
      const announced = new AnnouncedKeys()
      const memory = Buffer.from(steps.map((one) => `key:${one.number};`).join(''), 'latin1')
      const [starts, ends] = [[] as number[], [] as number[]]
      let at = 0
      const places = steps.map((one) => {
        const start = at
        at += `key:${one.number};`.length
        if (one.isAnnounced) starts.push(start)
        if (one.isAnnounced) ends.push(at - 1)
        return { ...one, start, end: at - 1 }
      })
      table.announce({ memory, starts, ends, count: starts.length }, announced)
      expect(announced.count).toBe(Math.min(starts.length, ANNOUNCED_KEYS_MAX))
      for (const { start, end, times, removes } of places) {
        const key = memory.toString('latin1', start, end)
        for (let i = 0; i < times; i++) expect(table.find(memory, start, end)).toBe(table.findText(key))
        const slot = table.findText(key)
        if (removes && slot !== NO_SLOT) table.remove(slot)
        else expect(table.put(memory, start, end, memory, start, end) >= 0).toBe(slot === NO_SLOT)
        expect(table.find(memory, start, end) === NO_SLOT).toBe(removes && slot !== NO_SLOT)
      }
      announced.end()
      memory.write('key:1')
      expect(table.find(memory, 0, 5)).toBe(table.findText('key:1'))
    }),
  )
})
