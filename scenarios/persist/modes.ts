/**
 * What durability costs: as many SETs as the server takes over 50 connections, by persistence mode; with `--target
 * both` beside redis-server in the same run.
 */
import { between, count, saturation, scenario, seconds, standalone } from '../../harness/scenario.ts'

const aof = (appendfsync: string): Record<string, string> => ({
  appendonly: 'yes',
  appendfsync,
  'auto-aof-rewrite-percentage': '0',
})

export default scenario({
  name: 'persist/modes',
  title: 'What durability costs',
  claim: 'appendfsync everysec is nearly as fast as no persistence, always is safe and slow, no is the fastest log.',
  worlds: ['real'],
  topology: standalone({ config: { save: '' } }),
  arms: {
    none: { title: 'No persistence', config: {} },
    rdb: { title: 'RDB, a save point every 2 s', config: { save: '2 1' } },
    no: { title: 'AOF no', config: aof('no') },
    everysec: { title: 'AOF everysec', config: aof('everysec') },
    always: { title: 'AOF always', config: aof('always') },
    mixed: { title: 'Mixed: AOF everysec and save points', config: { ...aof('everysec'), save: '2 1' } },
  },
  workload: saturation({
    connections: 50,
    pipeline: 1,
    words: ['SET', '__key__', '__data__'],
    keys: 100_000,
    valueBytes: 100,
  }),
  timeline: [],
  duration: seconds(4),
  settle: seconds(20),
  predict: {
    opsPerSecond: {
      label: 'operations per second',
      unit: 'ops/s',
      value: between(count(5000), count(400_000)),
      source: 'redis-benchmark and our driver on an idle machine with 2 cores: 68,000 … 154,000',
    },
  },
  require: [
    {
      measure: 'driverLagMs',
      atMost: seconds(0.01),
      because: 'Other programs had the machine',
    },
  ],
  sideBySide: {
    cpuPerOpUs: {
      label: "our engine's CPU time per operation over redis-server's",
      unit: 'ratio',
      value: between(count(0.3), count(2)),
      source:
        'the aim is at most 1.15 in a long run; here V8 still compiles, and our snapshots are made in the same process',
    },
    opsPerSecond: {
      label: "our engine's operations per second over redis-server's",
      unit: 'ratio',
      value: between(count(0.6), count(3)),
      source:
        'the aim is at least 0.9 (always) and 1.0 (otherwise) in a long run on an idle machine; this one is short',
    },
  },
  compare: [
    { measure: 'opsPerSecond', arm: 'everysec', relation: 'not less than', than: 'none', factor: 0.6 },
    { measure: 'opsPerSecond', arm: 'no', relation: 'not less than', than: 'none', factor: 0.6 },
    { measure: 'opsPerSecond', arm: 'always', relation: 'less than', than: 'none' },
  ],
  checks: [],
  advice: [
    'Without persistence {none.opsPerSecond} SETs a second, with everysec {everysec.opsPerSecond}, with always {always.opsPerSecond}.',
    'The slowest operation took {none.maxMs} ms without persistence, {everysec.maxMs} ms with everysec and {always.maxMs} ms with always.',
  ],
})
