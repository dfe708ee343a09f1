import { expect, test } from 'vitest'
import { againstRedis, usePair, type Words } from '../testing/differential.ts'

const ESCAPE = '\x1b'
/** What is drawn is ours, its shape is not. */
const shapeOnly = {
  command: 'lolwut version',
  pattern: new RegExp(`^[$=]\\d+|\u00e2[\u00a0-\u00a3][\u0080-\u00bf]|${ESCAPE}\\[0;\\d+;\\d+m`, 'g'),
  replace: '#',
  reason: 'a picture is different each time',
}

againstRedis('LOLWUT as in redis-server 7.0', () => {
  const pair = usePair()

  test('pictures have the same shape, and the text ends with the version', async () => {
    const sizes: Words[] = [
      [],
      ['20'],
      ['20', '3', '4'],
      ['0', '0', '0'],
      ['7', '200', '1'],
      ['66', '8', 'x'],
      ['-5', '3'],
    ]
    await pair().same(
      [
        ['LOLWUT'],
        ['LOLWUT', '5', '6', '7'],
        ['LOLWUT', 'VERSION'],
        ['LOLWUT', 'version', 'x'],
        ['LOLWUT', 'version', '7'],
        ['LOLWUT', 'version', '99'],
        ...sizes.flatMap((size): Words[] => [
          ['LOLWUT', 'VERSION', '5', ...size],
          ['LOLWUT', 'VERSION', '6', ...size],
        ]),
      ],
      [shapeOnly],
    )
  })

  test('something is drawn, and not twice the same', async () => {
    const { engine, redis } = await pair().session()
    try {
      for (const version of ['5', '6']) {
        const pictures = [
          await engine.send('LOLWUT', 'VERSION', version, '40', '8', '12'),
          await engine.send('LOLWUT', 'VERSION', version, '40', '8', '12'),
        ]
        expect(pictures[0]).not.toBe(pictures[1])
        expect(new Set(pictures[0]).size).toBeGreaterThan(20)
      }
    } finally {
      engine.close()
      redis.close()
    }
  })
})
