/**
 * A lock that is one key with an expiry, taken by SET NX PX and given back by DEL, guards the stock of a shop over
 * HTTP. Orders of which some take longer than the lock lasts show who deletes whose lock; the stock shows what comes of
 * it.
 */
import {
  type Arm,
  between,
  count,
  measured,
  named,
  scenario,
  seconds,
  shop,
  standalone,
} from '../../harness/scenario.ts'

type ShopOptions = Parameters<typeof shop>[0]

const usual: ShopOptions = {
  instances: 3,
  connections: 4,
  lock: 'naive',
  expiryMs: 150,
  workMs: 5,
  slowEvery: 5,
  slowMs: 400,
}

/** At least once, and at most with every unit that was sold. */
const some = between(count(1), named('sold', measured('sold', '')))
const times = 'times' as const

function foreignDeletions(value: typeof some, source: string) {
  return { foreignDeletions: { label: 'locks of others deleted', unit: times, value, source } }
}

function byDeletion(value: typeof some, source: string) {
  return { overlapsByDeletion: { label: 'overlaps because another had deleted the lock', unit: times, value, source } }
}

function overlapping(value: typeof some, source: string) {
  return {
    overlaps: { label: 'holds that began while another one lasted', unit: times, value, source },
    oversold: { label: 'units sold that are still in the stock', unit: times, value, source },
  }
}

const outlasted = 'the slow orders work for longer than the lock lasts, and somebody always waits for it'
const ownOnly = 'the script deletes its own lock or nothing, with nothing in between'

function arm(title: string, options: Partial<ShopOptions>, predict: NonNullable<Arm['predict']>): Arm {
  const workload = { ...usual, ...options }
  const { expiryMs, slowMs, slowEvery } = workload
  return {
    title,
    config: {},
    parameters: { expiryMs, slowMs: slowEvery === 0 ? 0 : slowMs },
    workload: shop(workload),
    predict,
  }
}

export default scenario({
  name: 'lock/naive',
  title: 'A lock by SET NX and DEL',
  claim:
    'SET NX EX with DEL fails when work outlasts the expiry: the lock of another is deleted and stock is oversold; delete only what is your own, in a script.',
  worlds: ['real'],
  topology: standalone({ config: { save: '' } }),
  arms: {
    none: arm('No lock', { lock: 'none' }, overlapping(some, 'twelve orders at a time read the same stock')),
    'naive-in-time': arm(
      'SET NX and DEL, all work in time',
      { slowEvery: 0, expiryMs: 60_000 },
      {
        ...overlapping(count(0), 'no lock runs out, so each DEL deletes its own'),
        ...foreignDeletions(count(0), 'no lock runs out'),
      },
    ),
    naive: arm(
      'SET NX and DEL, some work outlasts the lock',
      {},
      {
        ...overlapping(some, outlasted),
        ...foreignDeletions(some, `${outlasted}: DEL finds the lock of the next one`),
        ...byDeletion(some, 'the lock deleted was in use: the one after takes it too'),
      },
    ),
    'owner-check': arm(
      'GET, then DEL if it is the own one',
      { lock: 'owner-check' },
      {
        ...overlapping(some, outlasted),
        // Rarely: the lock must run out between two commands of one client, within a millisecond of 150 or so.
        ...foreignDeletions(between(count(0), count(3)), 'only if the lock runs out between GET and DEL'),
      },
    ),
    'compare-and-delete': arm(
      'Compare and delete in a script',
      { lock: 'compare-and-delete' },
      {
        ...overlapping(some, `${outlasted}: the expiry alone lets two in, whoever deletes what`),
        ...foreignDeletions(count(0), ownOnly),
        ...byDeletion(count(0), ownOnly),
      },
    ),
  },
  workload: shop(usual),
  timeline: [],
  duration: seconds(6),
  settle: seconds(20),
  predict: {},
  compare: [{ measure: 'foreignDeletions', arm: 'compare-and-delete', relation: 'less than', than: 'naive' }],
  checks: [],
  advice: [
    'With DEL alone {naive.foreignDeletions} locks of others were deleted and {naive.oversold} of {naive.sold} units sold twice; without any lock {none.oversold} of {none.sold}.',
    'Deleting only one’s own lock in a script ends that, and still {compare-and-delete.oversold} of {compare-and-delete.sold} units were sold twice, since the lock runs out while its holder works: renew it, or have the stock itself refuse (a script that counts down, a fencing token).',
    'Work that stays within the expiry was never disturbed: {naive-in-time.overlaps} overlapping holds in {naive-in-time.sold} sales.',
  ],
})
