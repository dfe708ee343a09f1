import { expect, test } from 'vitest'
import {
  at,
  count,
  kill,
  pause,
  powerCut,
  type Scenario,
  scenario,
  seconds,
  standalone,
  uniqueWrites,
} from '../scenario.ts'
import type { Capability } from '../world/world.ts'
import { diskOf, planOf, whyNotRunnable } from './arm-plan.ts'

const killed = { label: 'lost', unit: 'writes' as const, value: count(0), source: 'test' }
const example: Scenario = scenario({
  name: 'test/example',
  title: 'Example',
  claim: 'None.',
  topology: standalone({ config: {} }),
  arms: {
    plain: { title: 'Plain', config: {} },
    power: {
      title: 'Power',
      config: {},
      timeline: [at(seconds(1), powerCut('server'), seconds(1))],
      predict: { lostWrites: { ...killed, source: 'arm' } },
    },
  },
  workload: uniqueWrites({ groups: { all: { label: 'all', clients: 1, ratePerSecond: 1 } }, timeoutMs: 100 }),
  timeline: [at(seconds(1), kill('server'), seconds(1)), at(seconds(2), pause('server'), seconds(1))],
  duration: seconds(3),
  settle: seconds(1),
  predict: { lostWrites: killed },
  compare: [],
  checks: [],
  advice: [],
})
const all = new Set<Capability>(['network', 'process', 'power', 'disk'])

test("an arm's own timeline and predictions win over the scenario's", () => {
  expect(planOf(example, 'plain').timeline).toHaveLength(2)
  expect(planOf(example, 'plain').predict.lostWrites?.source).toBe('test')
  expect(planOf(example, 'power').timeline).toHaveLength(1)
  expect(planOf(example, 'power').predict.lostWrites?.source).toBe('arm')
})

test('a node gets the disk that its faults need', () => {
  expect(diskOf(planOf(example, 'plain'), 'server')).toBe('plain')
  expect(diskOf(planOf(example, 'power'), 'server')).toBe('held-back')
  expect(diskOf(planOf(example, 'power'), 'another')).toBe('plain')
})

test('an arm that needs what the target lacks says what it is', () => {
  expect(whyNotRunnable(example, 'plain', 'redis', new Set<Capability>(['network', 'process']))).toBeUndefined()
  expect(whyNotRunnable(example, 'power', 'redis', new Set<Capability>(['network', 'process']))).toMatch(
    /^redis-server lacks a power cut/,
  )
  expect(whyNotRunnable(example, 'power', 'engine', all)).toBeUndefined()
})
