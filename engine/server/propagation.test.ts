import { beforeEach, expect, test } from 'vitest'
import { Arguments } from '../commands/arguments.ts'
import { Propagation } from './propagation.ts'

let fed: string[] = []
let propagation = new Propagation({ isListening: true, feed() {} })
beforeEach(() => {
  fed = []
  propagation = new Propagation({
    isListening: true,
    feed: (index, args) => fed.push([index, ...Array.from({ length: args.count }, (_, i) => args.utf8(i))].join(' ')),
  })
})

test('outside of a command, words go out at once', () => {
  propagation.addWords(3, ['DEL', 'k'])
  expect(fed).toEqual(['3 DEL k'])
})

test('one command goes out as it is', () => {
  propagation.depth = 1
  propagation.add(0, Arguments.of(['SET', 'k', 'v']), true)
  expect(fed).toEqual(['0 SET k v'])
  propagation.depth = 0
  propagation.flush()
  expect(fed).toHaveLength(1)
})

test('a key found expired goes out before the command, both inside of MULTI and EXEC', () => {
  propagation.depth = 1
  propagation.addWords(0, ['DEL', 'k'])
  propagation.add(0, Arguments.of(['SET', 'k', 'v']), true)
  expect(fed).toEqual([])
  propagation.depth = 0
  propagation.flush()
  expect(fed).toEqual(['0 MULTI', '0 DEL k', '0 SET k v', '0 EXEC'])
})

test('the commands of a transaction wait for its end, copied', () => {
  propagation.depth = 2
  const args = Arguments.of(['INCR', 'a'])
  propagation.add(0, args, true)
  args.memory.fill(0x78)
  propagation.add(1, Arguments.of(['INCR', 'b']), true)
  propagation.depth = 0
  propagation.flush()
  expect(fed).toEqual(['0 MULTI', '0 INCR a', '1 INCR b', '1 EXEC'])
})

test('a transaction with one write needs no MULTI', () => {
  propagation.depth = 2
  propagation.add(0, Arguments.of(['INCR', 'a']), true)
  propagation.depth = 0
  propagation.flush()
  expect(fed).toEqual(['0 INCR a'])
})

test('what nobody listens to is gone, also when somebody listens later', () => {
  let isListening = false
  propagation = new Propagation({
    get isListening() {
      return isListening
    },
    feed: (index, args) => fed.push(`${index} ${args.utf8(0)}`),
  })
  propagation.depth = 2
  propagation.add(0, Arguments.of(['INCR', 'a']), true)
  propagation.addWords(0, ['DEL', 'b'])
  expect(propagation.isEmpty).toBe(true)
  isListening = true
  propagation.add(0, Arguments.of(['DECR', 'a']), true)
  propagation.depth = 0
  propagation.flush()
  expect(fed).toEqual(['0 DECR'])
})
