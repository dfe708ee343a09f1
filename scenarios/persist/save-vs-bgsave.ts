/**
 * SAVE writes the data set while everybody waits; BGSAVE writes it beside them. How long the longest wait is, by the
 * size of the data set, as a client at a steady rate sees it.
 */
import {
  at,
  between,
  command,
  dataSet,
  measured,
  named,
  onlyExplainedLosses,
  parameter,
  scaled,
  scenario,
  seconds,
  standalone,
  sum,
  uniqueWrites,
} from '../../harness/scenario.ts'

/** What clients wait for without any snapshot: the machine, the network, other programs. */
const quiet = named('quiet', measured('quietStallMs', 'ms'))

/** All operations that fall into the command wait for its end; then they are answered one after the other. */
const blocked = between(
  scaled(0.7, measured('saveMs', 'ms')),
  sum(scaled(1.1, measured('saveMs', 'ms')), quiet, seconds(0.05)),
)

/**
 * Redis copies the page tables in fork (a few ms a gigabyte) and the pages that are written meanwhile; the engine walks
 * the data in slices of 1 ms. Both use the disk and the other CPU beside the clients.
 */
const beside = between(seconds(0), sum(seconds(0.06), scaled(3, quiet)))

const save = [at(seconds(1.5), command('server', ['SAVE'], { measure: 'saveMs' }))]
const bgsave = [at(seconds(1.5), command('server', ['BGSAVE'], { until: 'rdb_bgsave_in_progress', measure: 'saveMs' }))]

const stall = { label: 'longest operation while the command acted', unit: 'ms' as const }
const waits = { stallMs: { ...stall, value: blocked, source: 'rdb.c rdbSave runs in the event loop' } }
const goesOn = { stallMs: { ...stall, value: beside, source: 'rdb.c rdbSaveBackground forks; ours: slices of 1 ms' } }

export default scenario({
  name: 'persist/save-vs-bgsave',
  title: 'SAVE and BGSAVE under load',
  claim: 'SAVE blocks all clients for as long as it takes to write the data set; BGSAVE does not, but for a moment.',
  worlds: ['real'],
  topology: standalone({ config: { save: '' } }),
  data: dataSet({ keys: parameter('keys'), valueBytes: 100 }),
  arms: {
    'save-30k': {
      title: 'SAVE, 30,000 keys',
      config: {},
      parameters: { keys: 30_000 },
      timeline: save,
      predict: waits,
    },
    'save-150k': {
      title: 'SAVE, 150,000 keys',
      config: {},
      parameters: { keys: 150_000 },
      timeline: save,
      predict: waits,
    },
    'save-600k': {
      title: 'SAVE, 600,000 keys',
      config: {},
      parameters: { keys: 600_000 },
      timeline: save,
      predict: waits,
    },
    'bgsave-30k': {
      title: 'BGSAVE, 30,000 keys',
      config: {},
      parameters: { keys: 30_000 },
      timeline: bgsave,
      predict: goesOn,
    },
    'bgsave-150k': {
      title: 'BGSAVE, 150,000 keys',
      config: {},
      parameters: { keys: 150_000 },
      timeline: bgsave,
      predict: goesOn,
    },
    'bgsave-600k': {
      title: 'BGSAVE, 600,000 keys',
      config: {},
      parameters: { keys: 600_000 },
      timeline: bgsave,
      predict: goesOn,
    },
  },
  workload: uniqueWrites({
    groups: { probing: { label: 'clients at a steady rate', clients: 2, ratePerSecond: 400 } },
    timeoutMs: 30_000,
  }),
  timeline: [],
  duration: seconds(4),
  settle: seconds(20),
  predict: {},
  require: [
    {
      measure: 'quietStallMs',
      atMost: seconds(0.3),
      because: 'The machine stalled by itself',
    },
  ],
  compare: [
    { measure: 'stallMs', arm: 'save-600k', relation: 'not less than', than: 'save-30k', factor: 2 },
    { measure: 'stallMs', arm: 'bgsave-600k', relation: 'less than', than: 'save-600k', factor: 0.6 },
  ],
  checks: [onlyExplainedLosses([])],
  curves: [
    {
      title: 'Longest operation by the size of the data set',
      measure: 'stallMs',
      over: 'keys',
      lines: {
        SAVE: ['save-30k', 'save-150k', 'save-600k'],
        BGSAVE: ['bgsave-30k', 'bgsave-150k', 'bgsave-600k'],
      },
    },
  ],
  advice: [
    'With 600,000 keys SAVE kept clients waiting for {save-600k.stallMs} ms, BGSAVE for {bgsave-600k.stallMs} ms (at other times {bgsave-600k.quietStallMs} ms): SAVE grows with the data set, so use it for shutdowns only.',
  ],
})
