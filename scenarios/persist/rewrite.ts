/**
 * The append-only file grows with every write and is written anew as the shortest way to the same data: by how much,
 * when by itself, and what clients notice of it.
 */
import {
  at,
  between,
  command,
  count,
  dataSet,
  greatest,
  increment,
  measured,
  named,
  overwrites,
  parameter,
  product,
  rate,
  read,
  sameAnswers,
  scaled,
  scenario,
  seconds,
  setting,
  standalone,
  sum,
} from '../../harness/scenario.ts'

/**
 * `*2 $4 INCR $14 counter:000001`: 4 + 10 + 21 bytes with line ends; `*3 $3 SET $14 counter:000001 $1 6`: 4 + 9 + 21 +
 * 7.
 */
const INCR_BYTES = 35
const SET_BYTES = 41
const counters = parameter('counters')
/** SELECT 0 before the first one: 23 bytes. */
const select = count(0, 23)

const minSize = named('min size', setting('auto-aof-rewrite-min-size', 'bytes'))
const base = named('base', measured('baseBytes', ''))
const grown = product(base, sum(count(1), scaled(0.01, parameter('percentage'))))
/** A SET of a key of at most 20 bytes and a value of 1000. */
const WRITE_BYTES = 1050
/** Written until the cron of 0.1 s looks, and until we look, every 0.1 s too; the machine may be late with either. */
const noticed = product(rate('writing'), count(WRITE_BYTES), seconds(0, 0.6))
const trigger = sum(greatest(minSize, grown), noticed)

const beside = between(seconds(0), sum(seconds(0.06), scaled(3, named('quiet', measured('quietStallMs', 'ms')))))

const rewriteNow = command('server', ['BGREWRITEAOF'], { until: 'aof_rewrite_in_progress', measure: 'rewriteMs' })

/** The percentage counts from a rewrite of the data set on; until then it is 0, which means never. */
const from = (percentage: number) => ({
  parameters: { keys: 4000, counters: 0, percentage },
  before: [
    rewriteNow,
    read('server', { baseBytes: 'aof_base_size' }),
    command('server', ['CONFIG', 'SET', 'auto-aof-rewrite-percentage', String(percentage)]),
  ],
})

const source = 'server.c serverCron: growth since the last rewrite in percent, and a least size'
const triggers = {
  triggerBytes: { label: 'size at which the first rewrite began', unit: 'bytes' as const, value: trigger, source },
  rewrites: { label: 'rewrites by itself', unit: 'times' as const, value: count(1, 8), source },
}

const digest = command('server', ['DEBUG', 'DIGEST'])

export default scenario({
  name: 'persist/rewrite',
  title: 'Rewriting the append-only file',
  claim:
    'A rewrite makes one SET of six INCR; it begins by itself when the file has grown by 100 % since the last one and has more than 64 MB.',
  worlds: ['real'],
  topology: standalone({
    config: {
      save: '',
      appendonly: 'yes',
      appendfsync: 'everysec',
      'auto-aof-rewrite-percentage': '0',
      'auto-aof-rewrite-min-size': '64mb',
      'enable-debug-command': 'yes',
    },
  }),
  data: dataSet({ keys: parameter('keys'), valueBytes: 500 }),
  arms: {
    'six-incr': {
      title: 'Six INCR of every counter',
      config: { 'aof-use-rdb-preamble': 'no' },
      parameters: { keys: 0, counters: 20_000 },
      before: [
        increment('server', counters, 6),
        read('server', { beforeBytes: 'aof_current_size' }),
        digest,
        rewriteNow,
        digest,
        read('server', { afterBytes: 'aof_current_size' }),
      ],
      predict: {
        beforeBytes: {
          label: 'the file before the rewrite',
          unit: 'bytes',
          value: sum(product(counters, count(6 * INCR_BYTES)), select),
          source: 'the protocol: 35 bytes an INCR',
        },
        afterBytes: {
          label: 'the file after the rewrite',
          unit: 'bytes',
          value: sum(product(counters, count(SET_BYTES)), select),
          source: 'the protocol: 41 bytes a SET',
        },
      },
      checks: [sameAnswers(['DEBUG', 'DIGEST'])],
    },
    'percent-100': {
      title: '100 %, from 1 MB',
      config: { 'auto-aof-rewrite-min-size': '1mb' },
      ...from(100),
      predict: triggers,
    },
    'percent-50': {
      title: '50 %, from 1 MB',
      config: { 'auto-aof-rewrite-min-size': '1mb' },
      ...from(50),
      predict: triggers,
    },
    'min-6mb': {
      title: '100 %, from 6 MB',
      config: { 'auto-aof-rewrite-min-size': '6mb' },
      ...from(100),
      predict: triggers,
    },
    defaults: {
      title: 'Defaults: 100 %, from 64 MB',
      config: {},
      ...from(100),
      predict: { rewrites: { ...triggers.rewrites, value: count(0) } },
    },
    large: {
      title: 'A rewrite of 100,000 keys under load',
      config: {},
      parameters: { keys: 100_000, counters: 0 },
      timeline: [at(seconds(1.5), rewriteNow)],
      predict: {
        stallMs: {
          label: 'longest operation during the rewrite',
          unit: 'ms',
          value: beside,
          source: 'aof.c rewriteAppendOnlyFileBackground forks; ours: slices of 1 ms',
        },
      },
    },
  },
  workload: overwrites({
    keys: 500,
    valueBytes: 1000,
    groups: { writing: { label: 'clients that overwrite 500 keys', clients: 4, ratePerSecond: 1500 } },
    timeoutMs: 10_000,
  }),
  timeline: [],
  duration: seconds(5),
  settle: seconds(20),
  predict: {},
  compare: [
    { measure: 'triggerBytes', arm: 'percent-50', relation: 'less than', than: 'percent-100' },
    { measure: 'triggerBytes', arm: 'percent-100', relation: 'less than', than: 'min-6mb' },
  ],
  checks: [],
  advice: [
    'Six INCR of a counter took {six-incr.beforeBytes} bytes in the file and {six-incr.afterBytes} after the rewrite.',
    'From a base of {percent-100.baseBytes} bytes the file was rewritten at {percent-100.triggerBytes} bytes with 100 % and at {percent-50.triggerBytes} with 50 %; with a least size of 6 MB at {min-6mb.triggerBytes}. The file needs up to that much disk, and as much again while it is rewritten.',
    'During a rewrite of 100,000 keys the longest operation took {large.stallMs} ms, at other times {large.quietStallMs} ms.',
  ],
})
