import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NO_SLOT, ScanTable } from './scan-table.ts'

const SEED = [0x12345678, 0x9abcdef0] as const

const key = fc.oneof(
  fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 3 }),
  fc.nat(300).map((number) => `key:${number}`),
)
const step = fc.record({ remove: fc.boolean(), key, value: fc.nat() })

test('a table holds what a Map holds, whatever is added and removed', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 600, size: 'max' }), (steps) => {
      const table = new ScanTable<number>(SEED)
      const model = new Map<string, number>()
      for (const { remove, key, value } of steps) {
        const bytes = Buffer.from(`<${key}>`, 'latin1')
        expect(table.find(bytes, 1, bytes.length - 1)).toBe(table.findText(key))
        if (remove && model.has(key)) table.remove(table.findText(key))
        else if (!remove) expect(table.set(key, value)).toBe(!model.has(key))
        if (remove) model.delete(key)
        else model.set(key, value)
        expect(table.findText(key) !== NO_SLOT).toBe(model.has(key))
      }
      expect(contents(table)).toEqual(new Map([...model].sort()))
      expect(contents(table.clone())).toEqual(contents(table))
      expect(table.size).toBe(model.size)
    }),
  )
})

function contents(table: ScanTable<number>): Map<string, number> {
  const pairs: [string, number][] = []
  for (let slot = 0; slot < table.size; slot++) pairs.push([table.keyAt(slot), table.valueAt(slot)])
  return new Map(pairs.sort())
}

test('a scan visits whatever is there from its beginning to its end, while the table grows and shrinks', () => {
  fc.assert(
    fc.property(
      fc.nat(400),
      fc.array(fc.integer({ min: -60, max: 60 })),
      fc.integer({ min: 1, max: 30 }),
      (kept, changes, count) => {
        const table = new ScanTable<boolean>(SEED)
        for (let i = 0; i < kept; i++) table.set(`kept:${i}`, true)
        const seen = new Set<string>()
        let passing = 0
        let cursor = 0
        let turn = 0
        do {
          cursor = table.scan(cursor, count, (slot) => seen.add(table.keyAt(slot)))
          const change = changes[turn++] ?? 0
          for (let i = 0; i < change; i++) table.set(`passing:${passing++}`, false)
          for (let i = 0; i < -change && passing > 0; i++) table.remove(table.findText(`passing:${--passing}`))
        } while (cursor !== 0)
        for (let i = 0; i < kept; i++) expect(seen).toContain(`kept:${i}`)
      },
    ),
  )
})

test('a scan of a table at rest visits every entry once', () => {
  const table = new ScanTable<number>(SEED)
  for (let i = 0; i < 1000; i++) table.set(`key:${i}`, i)
  const seen: number[] = []
  let cursor = 0
  do cursor = table.scan(cursor, 7, (slot) => seen.push(table.valueAt(slot)))
  while (cursor !== 0)
  expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i))
})

test('the seed decides the order of a scan', () => {
  const order = (seed: readonly [number, number]): string[] => {
    const table = new ScanTable<number>(seed)
    for (let i = 0; i < 50; i++) table.set(`key:${i}`, i)
    const keys: string[] = []
    table.scan(0, 1000, (slot) => keys.push(table.keyAt(slot)))
    return keys
  }
  expect(order(SEED)).toEqual(order(SEED))
  expect(order(SEED)).not.toEqual(order([1, 2]))
})

test('memory is accounted for and given back', () => {
  const table = new ScanTable<number>(SEED)
  for (let i = 0; i < 5000; i++) table.set('k'.repeat(i % 50) + i, i)
  expect(table.memoryBytes).toBeGreaterThan(5000 * 30)
  while (table.size > 0) table.remove(table.randomSlot((limit) => limit >> 1))
  expect(table.memoryBytes).toBe(0)
})
