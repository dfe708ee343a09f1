import fc from 'fast-check'
import { expect, test } from 'vitest'
import { curvesSection } from './curves.ts'

/** Texts and heights of the numbers at the second of two places, from the top down. */
function numbers(...values: number[]): [text: string, y: number][] {
  const lines = values.map((y, i) => ({
    label: `line ${i}`,
    points: [
      { x: 10, y: 0 },
      { x: 20, y },
    ],
  }))
  const section = curvesSection([{ title: 'Title', unit: 'ms', over: 'keys', lines }])
  const page = section === false ? '' : section.text
  const found = [...page.matchAll(/<text class="value" x="([\d.]+)%" y="([\d.-]+)"[^>]*>([^<]+)</g)]
  const right = Math.max(...found.map(([, x]) => Number(x)))
  return found
    .filter(([, x]) => Number(x) === right)
    .map(([, , y, text]) => [(text as string).replace(/\s/, ' '), Number(y)])
}

test('numbers of points that are near one another stand above one another in their order', () => {
  const near = numbers(100, 101, 102)
  expect(near.map(([text]) => text)).toEqual(['102 ms', '101 ms', '100 ms'])
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 4 }), (values) => {
      const places = numbers(...values).map(([, y]) => y)
      expect(places).toHaveLength(values.length)
      for (let i = 1; i < places.length; i++) {
        expect((places[i] as number) - (places[i - 1] as number)).toBeGreaterThanOrEqual(13.99)
      }
    }),
  )
})

test('a line without a point is not in the legend', () => {
  const points = [
    { x: 10, y: 1 },
    { x: 20, y: 2 },
  ]
  const lines = [
    { label: 'not run', points: [] },
    { label: 'run', points },
  ]
  const section = curvesSection([{ title: 'Title', unit: 'ms', over: 'keys', lines }])
  const page = section === false ? '' : section.text
  expect(page).toContain('<i class="swatch c-node-0"></i>run<')
  expect(page).not.toContain('not run')
})
