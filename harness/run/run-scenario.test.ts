/** What ends a run before its time, in the real world, with a server of its own. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { ensureBundle } from '../../bin/bundle.js'
import { at, pause, scenario, seconds, standalone, uniqueWrites } from '../scenario.ts'
import { engineProgram } from '../world/programs.ts'
import { RealWorld } from '../world/real/real-world.ts'
import { clientsOf } from './arm-plan.ts'
import { type OneArmOptions, runOneArm } from './run-scenario.ts'

const disk = vi.hoisted(() => ({ isFull: false }))
vi.mock('node:fs', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:fs')>()
  const writeFileSync: typeof original.writeFileSync = (file, ...rest) => {
    if (disk.isFull) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
    original.writeFileSync(file, ...rest)
  }
  return { ...original, writeFileSync }
})

/** Nobody waits for its end. */
const long = scenario({
  name: 'test/long',
  title: '',
  claim: '',
  topology: standalone({ config: {} }),
  arms: { only: { title: '', config: {} } },
  workload: uniqueWrites({ groups: { all: { label: '', clients: 2, ratePerSecond: 20 } }, timeoutMs: 500 }),
  timeline: [at(seconds(0.3), pause('server'), seconds(3600))],
  duration: seconds(3600),
  settle: seconds(1),
  predict: {},
  compare: [],
  checks: [],
  advice: [],
})

beforeAll(() => ensureBundle(), 60_000)
let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'faultline-run-'))
})
afterEach(() => {
  disk.isFull = false
  rmSync(directory, { recursive: true, force: true })
})

/** Runs until `onPhase` ends it. Rejects as the run does. */
function run(onPhase: OneArmOptions['onPhase'], signal: AbortSignal): Promise<unknown> {
  const createWorld = () =>
    RealWorld.create({
      program: engineProgram(),
      nodes: 1,
      clients: clientsOf(long),
      directory: join(directory, 'nodes'),
      journalFolder: join(directory, 'journal'),
      keep: false,
    })
  const common = { scenario: long, arm: 'only', target: 'engine', seed: 1, settings: {}, createWorld }
  return runOneArm({ ...common, historyDirectory: directory, onPhase, signal })
}

/** Data, processes (as the journal has them) and faults are gone; what was recorded stays. */
function expectHealed(): void {
  expect(existsSync(join(directory, 'nodes'))).toBe(false)
  expect(readdirSync(join(directory, 'journal'))).toEqual([])
  expect(existsSync(join(directory, 'history-only.jsonl'))).toBe(true)
}

test.each(['starting', 'loading', 'fault'] as const)(
  'a disk that becomes full ends the run at once, healed and with an error: while %s',
  async (phase) => {
    const onPhase: OneArmOptions['onPhase'] = (now) => {
      if (now === phase) disk.isFull = true
    }
    await expect(run(onPhase, new AbortController().signal)).rejects.toThrow(
      expect.objectContaining({
        ...(phase !== 'starting' && { code: 'RESULT_FILE' }),
        message: expect.stringContaining('ENOSPC'),
      }),
    )
    expectHealed()
  },
)

test('a user who stops the run hears that, whatever the disk is like', async () => {
  const interrupt = new AbortController()
  const onPhase: OneArmOptions['onPhase'] = (phase) => {
    if (phase !== 'fault') return
    interrupt.abort()
    disk.isFull = true
  }
  await expect(run(onPhase, interrupt.signal)).rejects.toThrow(expect.objectContaining({ code: 'INTERRUPTED' }))
  expectHealed()
})
