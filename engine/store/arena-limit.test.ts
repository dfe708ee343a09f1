/** The end of an arena: it says so before it comes. */
import { expect, test } from 'vitest'
import { Arena } from './arena.ts'

test('an arena says that it is nearly full while there is room, and takes it back when blocks are freed', () => {
  const arena = new Arena(8)
  const blocks: number[] = []
  while (!arena.isNearlyFull) blocks.push(arena.allocate(4096))
  const blocksOfArena = (8 * 256 * 1024) / 4096
  expect(blocks.length).toBeGreaterThan(blocksOfArena / 4)
  expect(blocks.length).toBeLessThan(blocksOfArena * 0.75)
  for (const block of blocks) arena.free(block)
  expect(arena.isNearlyFull).toBe(false)
})
