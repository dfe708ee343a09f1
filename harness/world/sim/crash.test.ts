/**
 * What is there after a crash, for a crash before and after every single change of the disk: while the log is written,
 * synced, rewritten, turned off and on, and while snapshots are saved. The data set after the restart must be the one
 * after some command of the history, and not before any that the settings promise to keep.
 */
import { describe, expect, test } from 'vitest'
import { encodeRequest } from '../../../engine/resp/request.ts'
import { CrashWorld, type Death, type Settings, type Step } from './testing/crash.ts'

/** All: `CRASH_STRIDE=1`. Otherwise each test takes every n-th moment, and tests differ in which. */
const STRIDE = Number(process.env.CRASH_STRIDE ?? 7)

/** Commands that show it when one is missing, doubled or out of order. */
function writes(from: number, count: number): Step[] {
  return Array.from({ length: count }, (_, offset): Step => {
    const i = from + offset
    switch (i % 7) {
      case 0:
        return [['INCR', 'counter']]
      case 1:
        return [['RPUSH', 'list', String(i), 'x'.repeat(i % 50)]]
      case 2:
        return [
          ['SELECT', String(i % 3)],
          ['SET', `key:${i % 11}`, `value ${i}`],
        ]
      case 3:
        return [['MULTI'], ['INCR', 'one'], ['DECR', 'other'], ['HINCRBY', 'hash', `field:${i % 5}`, '3'], ['EXEC']]
      case 4:
        return [['ZINCRBY', 'scores', '1.5', `member:${i % 4}`]]
      case 5:
        return [['SET', `expires:${i % 3}`, String(i), 'EXAT', '4000000000']]
      default:
        return [
          ['DEL', `key:${(i + 3) % 11}`],
          ['APPEND', 'text', `${i},`],
        ]
    }
  })
}

const bursts = (index: number): number => [1, 3, 1, 5, 2][index % 5] as number

/** Digests of the data set after 0, 1, 2, … steps. */
async function history(steps: readonly Step[]): Promise<string[]> {
  const world = new CrashWorld('history', {})
  await world.untilReady()
  const digests = [await world.digest()]
  const pending = steps.map((step) =>
    step.filter(([name]) => !['BGREWRITEAOF', 'CONFIG', 'BGSAVE', 'SAVE'].includes(name as string)),
  )
  let selected: readonly string[] = ['SELECT', '0']
  for (const step of pending) {
    if (step.length > 0) await world.ask(selected, ...step)
    selected = step.findLast(([name]) => name === 'SELECT') ?? selected
    digests.push(await world.digest())
  }
  return digests
}

interface Plan {
  steps: readonly Step[]
  digests: readonly string[]
  settings: Settings
  death: Death
  stride?: number
}

interface Outcome {
  moments: number
  sent: number
  /** So many steps must be there. */
  promised: number
}

const isSave = (step: Step | undefined): boolean => ['SAVE', 'BGSAVE'].includes(step?.[0]?.[0] as string)

/** Which steps are promised to be there, going by what the server says when a step is acknowledged. */
function promises({ steps, settings, death }: Plan): (index: number, info: string) => number | undefined {
  let logging = settings.appendonly === 'yes'
  return (index, info) => {
    if (settings.appendonly !== 'yes') {
      const saved = steps.findLastIndex((step, at) => at < index && isSave(step)) + 1
      const complete = info.includes('rdb_bgsave_in_progress:0') && info.includes('rdb_last_bgsave_status:ok')
      return saved > 0 && complete ? saved : undefined
    }
    if (steps[index - 1]?.[0]?.[0] === 'CONFIG') logging = false
    if (/aof_enabled:1\s+aof_rewrite_in_progress:0\s+aof_rewrite_scheduled:0/.test(info)) logging = true
    // While an fsync runs, `everysec` answers before it has written.
    const written = info.includes('aof_buffer_length:0')
    return logging && (settings.appendfsync === 'always' || (death === 'kill' && written)) ? index : undefined
  }
}

/** Runs the plan, to its end or to the death after a change of the disk. */
async function play(plan: Plan, moment: number | undefined) {
  const { steps, settings, death } = plan
  // Another seed each time: another part of what was not synced is lost.
  const world = new CrashWorld(`crash ${moment}`, settings)
  if (moment !== undefined) world.dieAt(moment, death)
  await world.untilReady()
  const outcome: Outcome = { moments: 0, sent: 0, promised: 0 }
  const promised = promises(plan)
  if (!world.died) {
    const progress = world.client(steps, bursts, (index) => {
      outcome.promised = promised(index, world.server?.info.render(['persistence']) ?? '') ?? outcome.promised
    })
    for (let i = 0; i < 60 && !world.died && (progress.sent < steps.length || i < 40); i++)
      await world.simulation.run(50)
    outcome.sent = progress.sent
  }
  outcome.moments = world.moments
  return { world, outcome }
}

/** The data set after the restart is one of the history, late enough; and the server goes on with it. */
async function judge(plan: Plan, world: CrashWorld, outcome: Outcome, label: string): Promise<void> {
  await world.restart()
  expect(world.failure, `${label}\n${world.log}`).toBe(undefined)
  const digest = await world.digest()
  const logs = plan.settings.appendonly === 'yes'
  const found = plan.digests.findLastIndex((candidate, index) => {
    return index <= outcome.sent && candidate === digest && (logs || index === 0 || isSave(plan.steps[index - 1]))
  })
  const message = `${label}: found the state after ${found} steps, ${outcome.promised} were promised\n${world.log}`
  expect(found, message).toBeGreaterThanOrEqual(outcome.promised)
  await world.ask(['SELECT', '1'], ['SET', 'after', 'the crash'], ...(logs ? [] : [['SAVE']]))
  const grown = await world.digest()
  world.die('kill')
  await world.restart()
  expect(await world.digest(), `${label}, second restart\n${world.log}`).toBe(grown)
}

async function enumerate(plan: Plan, phase: number): Promise<void> {
  const whole = await play(plan, undefined)
  expect(whole.outcome.sent).toBe(plan.steps.length)
  const { moments } = whole.outcome
  expect(moments).toBeGreaterThan(20)
  const stride = plan.stride ?? STRIDE
  let deaths = 0
  for (let moment = 1 + (phase % stride); moment <= moments; moment += stride) {
    const { world, outcome } = await play(plan, moment)
    const label = `${plan.death} at moment ${moment} of ${moments}, ${JSON.stringify(plan.settings)}`
    if (world.died) deaths++
    // With another seed there may be a sync less.
    else world.die(plan.death)
    await judge(plan, world, outcome, label)
  }
  expect(deaths).toBeGreaterThan(0.9 * Math.floor(moments / stride) - 1)
}

const rewriting: Step[] = [
  ...writes(0, 12),
  [['BGREWRITEAOF']],
  ...writes(12, 16),
  [['BGREWRITEAOF']],
  ...writes(28, 8),
]
const switching: Step[] = [
  ...writes(0, 8),
  [['CONFIG', 'SET', 'appendonly', 'no']],
  ...writes(8, 6),
  [['CONFIG', 'SET', 'appendonly', 'yes']],
  ...writes(14, 14),
]

describe('a crash before or after any change of the disk', () => {
  const cases: [death: Death, appendfsync: string, preamble: string][] = [
    ['kill', 'always', 'yes'],
    ['kill', 'everysec', 'yes'],
    ['kill', 'no', 'no'],
    ['power cut', 'always', 'yes'],
    ['power cut', 'always', 'no'],
    ['power cut', 'everysec', 'yes'],
    ['power cut', 'no', 'yes'],
  ]

  test.each(cases)(
    'leaves a prefix of the history: %s, appendfsync %s, aof-use-rdb-preamble %s, two rewrites',
    async (death, appendfsync, preamble) => {
      const settings = { appendonly: 'yes', appendfsync, 'aof-use-rdb-preamble': preamble }
      const digests = await history(rewriting)
      await enumerate(
        { steps: rewriting, digests, settings, death },
        cases.findIndex((one) => one[0] === death && one[1] === appendfsync),
      )
    },
    120_000,
  )

  test.each<[Death]>([['kill'], ['power cut']])(
    'leaves what the log has when it is turned off and on: %s',
    async (death) => {
      const settings = { appendonly: 'yes', appendfsync: 'always' }
      const digests = await history(switching)
      await enumerate({ steps: switching, digests, settings, death }, death === 'kill' ? 1 : 2)
    },
    120_000,
  )

  test.each<[Death]>([['kill'], ['power cut']])(
    'leaves the old snapshot or the new one: %s, SAVE and BGSAVE',
    async (death) => {
      const steps: Step[] = [
        ...writes(0, 5),
        [['SAVE']],
        ...writes(5, 9),
        [['BGSAVE']],
        ...writes(14, 20),
        [['BGSAVE']],
        ...writes(34, 6),
      ]
      const plan = { steps, digests: await history(steps), settings: { appendonly: 'no' }, death }
      await enumerate({ ...plan, stride: 1 }, 0)
    },
    120_000,
  )

  test.each<[Death]>([['kill'], ['power cut']])(
    'leaves the log of an old Redis, upgraded or not yet: %s',
    async (death) => {
      const steps = writes(0, 10)
      const digests = await history(steps)
      const log = Buffer.concat(steps.flatMap((step) => step.map(encodeRequest)))
      for (let moment = 1; moment <= UPGRADE_MOMENTS; moment++) {
        const world = new CrashWorld(`upgrade ${moment}`, { appendonly: 'yes' })
        world.host.disk.install('/data/appendonly.aof', log)
        world.dieAt(moment, death)
        await world.untilReady()
        expect(world.died).toBe(true)
        await world.restart()
        expect(world.failure, world.log).toBe(undefined)
        expect(await world.digest(), world.log).toBe(digests.at(-1))
      }
    },
    120_000,
  )
})

/**
 * Before and after: directory made, synced; manifest made, written, synced, renamed, synced; log moved, synced twice; …
 */
const UPGRADE_MOMENTS = 26
