/**
 * A server dies and starts again: how long it takes to load its data from a snapshot, from an append-only file of
 * commands, and from a mixed one, and which of them are complete.
 */
import {
  between,
  command,
  count,
  dataSet,
  during,
  files,
  kill,
  lossesAreNewest,
  measured,
  named,
  onlyExplainedLosses,
  parameter,
  product,
  rate,
  sameAnswers,
  scenario,
  seconds,
  standalone,
  sum,
  uniqueWrites,
} from '../../harness/scenario.ts'

const digest = command('server', ['DEBUG', 'DIGEST'])
const save = command('server', ['SAVE'], { measure: 'saveMs' })
const rewrite = command('server', ['BGREWRITEAOF'], { until: 'aof_rewrite_in_progress', measure: 'rewriteMs' })
const die = during(kill('server'), seconds(0.2))

const tail = product(rate('writing'), seconds(1.95, 2.05))

/** The process starts, reads its configuration, loads, and answers; the machine is shared. */
const restart = between(measured('loadMs', 'ms'), sum(named('load', measured('loadMs', 'ms')), seconds(2)))

const common = {
  restartMs: {
    label: 'restart until it serves',
    unit: 'ms' as const,
    value: restart,
    source: 'the load, as the server says, and the start of a process',
  },
}
const lost = { label: 'acknowledged writes lost', unit: 'writes' as const }
const complete = {
  ...common,
  lostWrites: { ...lost, value: count(0), source: 'aof.c: what was written before the reply survives a kill' },
}
const stale = {
  ...common,
  lostWrites: { ...lost, value: tail, source: 'rdb.c: everything since the snapshot' },
}

/** The snapshot is older than the writes of the workload. */
const rdb = { config: {}, before: [save, digest], afterwards: [die, digest, files('server', 'fileBytes', 'dump.rdb')] }
/** A snapshot lies beside the file, without the writes of the workload: the file must take precedence. */
const aof = {
  config: { appendonly: 'yes', 'aof-use-rdb-preamble': 'no', 'auto-aof-rewrite-percentage': '0' },
  before: [save],
  afterwards: [digest, die, digest, files('server', 'fileBytes', 'appendonlydir')],
}
const mixed = {
  config: { appendonly: 'yes', 'aof-use-rdb-preamble': 'yes', 'auto-aof-rewrite-percentage': '0' },
  before: [rewrite],
  afterwards: [digest, die, digest, files('server', 'fileBytes', 'appendonlydir')],
}

const small = { parameters: { keys: 60_000 } }
const large = { parameters: { keys: 300_000 } }

export default scenario({
  name: 'persist/restart',
  title: 'Restart from a snapshot, a log, or both',
  claim:
    'RDB restores faster than AOF, the mixed file restores at nearly the speed of RDB and completely, and AOF takes precedence over RDB.',
  worlds: ['real'],
  topology: standalone({ config: { save: '', 'enable-debug-command': 'yes' } }),
  data: dataSet({ keys: parameter('keys'), valueBytes: 100 }),
  arms: {
    'rdb-60k': { title: 'RDB, 60,000 keys', ...rdb, ...small, predict: stale },
    'aof-60k': { title: 'AOF of commands, 60,000 keys', ...aof, ...small, predict: complete },
    'mixed-60k': { title: 'Mixed, 60,000 keys', ...mixed, ...small, predict: complete },
    'rdb-300k': { title: 'RDB, 300,000 keys', ...rdb, ...large, predict: stale },
    'aof-300k': { title: 'AOF of commands, 300,000 keys', ...aof, ...large, predict: complete },
    'mixed-300k': { title: 'Mixed, 300,000 keys', ...mixed, ...large, predict: complete },
  },
  workload: uniqueWrites({
    groups: { writing: { label: 'writers after the snapshot', clients: 2, ratePerSecond: 200 } },
    timeoutMs: 2000,
  }),
  timeline: [],
  duration: seconds(2),
  settle: seconds(20),
  predict: {},
  compare: [
    // By CPU time: other programs on the machine make a load last longer, not cost more.
    // The start of a process is in both; and two runs of one load differ by a tenth.
    { measure: 'restartCpuMs', arm: 'rdb-300k', relation: 'less than', than: 'aof-300k', factor: 1.1 },
    { measure: 'restartCpuMs', arm: 'mixed-300k', relation: 'less than', than: 'aof-300k', factor: 1.1 },
    { measure: 'restartCpuMs', arm: 'mixed-300k', relation: 'less than', than: 'rdb-300k', factor: 1.5 },
    { measure: 'restartCpuMs', arm: 'aof-300k', relation: 'not less than', than: 'aof-60k', factor: 1.5 },
  ],
  checks: [onlyExplainedLosses(['crash']), lossesAreNewest(), sameAnswers(['DEBUG', 'DIGEST'])],
  curves: [
    {
      title: 'CPU time of the restart by the number of keys',
      measure: 'restartCpuMs',
      over: 'keys',
      lines: {
        RDB: ['rdb-60k', 'rdb-300k'],
        'AOF of commands': ['aof-60k', 'aof-300k'],
        mixed: ['mixed-60k', 'mixed-300k'],
      },
    },
  ],
  advice: [
    'A restart with 300,000 keys takes {rdb-300k.restartCpuMs} ms of CPU time from a snapshot, {mixed-300k.restartCpuMs} ms from a mixed file and {aof-300k.restartCpuMs} ms from a log of commands; by the clock it took {rdb-300k.restartMs}, {mixed-300k.restartMs} and {aof-300k.restartMs} ms on this machine, with all that ran beside it.',
    'The snapshot lacked the {rdb-300k.lostWrites} writes that came after it; the mixed file lost {mixed-300k.lostWrites}: keep aof-use-rdb-preamble on.',
    'Where both files lay in the directory the append-only file was loaded: the older snapshot beside it cost {aof-300k.lostWrites} writes.',
  ],
})
