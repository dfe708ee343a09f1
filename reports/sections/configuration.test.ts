import fc from 'fast-check'
import { expect, test } from 'vitest'
import { commonSettings, differingNames } from './configuration.ts'
import { eventMarkers } from './lanes.ts'

test('every setting is either common to all nodes or listed as differing, never both', () => {
  const settings = fc.dictionary(
    fc.constantFrom('port', 'save', 'bind', '__proto__x', 'constructor'),
    fc.constantFrom('1', '2', ''),
  )
  fc.assert(
    fc.property(fc.array(settings, { minLength: 1, maxLength: 4 }), (all) => {
      const common = commonSettings(all)
      const differing = differingNames(all)
      for (const [name, value] of common)
        expect(all.every((node) => Object.hasOwn(node, name) && node[name] === value)).toBe(true)
      for (const name of differing)
        expect(new Set(all.map((node) => (Object.hasOwn(node, name) ? node[name] : null))).size).toBeGreaterThan(1)
      const names = new Set(all.flatMap((node) => Object.keys(node)))
      expect([...common.map(([name]) => name), ...differing].sort()).toEqual([...names].sort())
    }),
  )
})

test('every event is on exactly one marker, and markers of one row stay apart while there are rows', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(10_000), { maxLength: 40 }), (times) => {
      const sorted = times.sort((a, b) => a - b)
      const markers = eventMarkers(sorted, 10_000)
      const covered = markers.flatMap(({ first, last }) =>
        Array.from({ length: last - first + 1 }, (_, step) => first + step),
      )
      expect(covered).toEqual(sorted.map((_, position) => position))
    }),
  )
  expect(eventMarkers([1000, 1010, 1500, 5000], 10_000).map(({ row }) => row)).toEqual([0, 1, 0])
})
