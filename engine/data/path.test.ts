import { posix } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { directoryOf, resolvePath } from './path.ts'

const path = fc
  .array(fc.constantFrom('a', 'b.c', '.', '..', '', '...'), { maxLength: 6 })
  .map((parts) => parts.join('/'))

test('paths resolve as POSIX paths do', () => {
  fc.assert(
    fc.property(path, path, (directory, relative) => {
      expect(resolvePath(`/${directory}`, relative)).toBe(posix.resolve(`/${directory}`, relative))
      const absolute = posix.resolve('/', relative)
      expect(directoryOf(absolute)).toBe(posix.dirname(absolute))
    }),
  )
})
