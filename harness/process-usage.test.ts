import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { processorWaitOf } from './process-usage.ts'

// Only Linux counts how long a thread waited.
test.runIf(existsSync('/proc/self/schedstat'))('a process waits for a processor for a share of its busy time', () => {
  const wait = processorWaitOf([process.pid])
  expect(wait).toBeGreaterThanOrEqual(0)
  expect(wait).toBeLessThan(1)
})

test('nobody says how long a process waited that is not there, or none', () => {
  expect(processorWaitOf([2 ** 30])).toBeNull()
  expect(processorWaitOf([])).toBeNull()
})
