/**
 * Small aggregates are stored in one piece of memory and searched from its beginning; past a threshold they get a hash
 * table, a skiplist or a tree of nodes. Each arm grows one aggregate a step at a time, asks for its encoding after
 * every step, and compares the two sizes on either side of the change.
 */
import {
  type Arm,
  between,
  count,
  growth,
  saturation,
  scenario,
  seconds,
  setting,
  standalone,
  sum,
} from '../../harness/scenario.ts'

/** Steps past a threshold, so that a change that comes late is found too. */
const BEYOND = 100

const source = 'redis.conf 7.0: the encoding holds up to the threshold, itself included'

function changesAfter(threshold: string) {
  return {
    label: 'size at which the encoding changes',
    unit: 'times' as const,
    value: sum(setting(threshold, ''), count(1)),
    source,
  }
}

/** Pointers and buckets for every element in place of a few bytes. */
const memoryGrows = {
  label: 'memory above the threshold over below it',
  unit: 'ratio' as const,
  value: between(count(1.5), count(60)),
  source:
    'an entry of a hash table has a pointer to each of its parts and to the next one: 50 … 100 bytes; in a listpack 2 bytes',
}

/** A read looks at half of all entries or more before it finds the last one. */
const readsFaster = {
  label: 'CPU time of a read below the threshold over above it',
  unit: 'ratio' as const,
  value: between(count(1.05), count(200)),
  source: 'listpack.c lpFind: a search from the beginning; dict.c: one bucket',
}

/** One element after the other, until there are too many. */
function manyElements(
  { threshold, most, title }: { threshold: string; most: number; title: string },
  words: readonly string[],
  read: readonly string[],
  predict: NonNullable<Arm['predict']>,
): Arm {
  return {
    title,
    config: { [threshold]: String(most) },
    afterwards: [growth('server', most + BEYOND, words, read)],
    predict: { changesAt: changesAfter(threshold), memoryRatio: memoryGrows, ...predict },
  }
}

/** One element becomes too long; the others are as before. */
function longElement(threshold: string, title: string, words: readonly string[], read: readonly string[]): Arm {
  return {
    title,
    config: { [threshold]: '64' },
    afterwards: [growth('server', 100, words, read)],
    predict: { changesAt: changesAfter(threshold) },
  }
}

export default scenario({
  name: 'perf/encodings',
  title: 'Compact encodings and their thresholds',
  claim:
    'Small lists, hashes, sets and sorted sets use compact encodings up to list-max-listpack-size, hash-max-listpack-entries and -value, set-max-intset-entries, zset-max-listpack-entries and -value.',
  worlds: ['real'],
  topology: standalone({ config: { save: '' } }),
  arms: {
    'hash-entries': manyElements(
      { threshold: 'hash-max-listpack-entries', most: 512, title: 'Hash, number of fields' },
      ['HSET', '__key__', 'field:__n__', '__n__'],
      ['HGET', '__key__', 'field:__n__'],
      { readRatio: readsFaster },
    ),
    'hash-value': longElement(
      'hash-max-listpack-value',
      'Hash, bytes of a value',
      ['HSET', '__key__', 'field', '__text__'],
      ['HGET', '__key__', 'field'],
    ),
    'set-entries': manyElements(
      { threshold: 'set-max-intset-entries', most: 512, title: 'Set of integers, number of members' },
      ['SADD', '__key__', '__n__'],
      ['SISMEMBER', '__key__', '__n__'],
      {},
    ),
    'zset-entries': manyElements(
      { threshold: 'zset-max-listpack-entries', most: 128, title: 'Sorted set, number of members' },
      ['ZADD', '__key__', '__n__', 'member:__n__'],
      ['ZSCORE', '__key__', 'member:__n__'],
      // 128 members are searched in about the time that a request takes anyway: what a read gains is told, not
      // predicted.
      {},
    ),
    'zset-value': longElement(
      'zset-max-listpack-value',
      'Sorted set, bytes of a member',
      ['ZADD', '__key__', '1', '__text__'],
      ['ZSCORE', '__key__', '__text__'],
    ),
    list: {
      title: 'List, elements of 100 bytes and nodes of 8 kB',
      config: { 'list-max-listpack-size': '-2', 'list-compress-depth': '0' },
      afterwards: [growth('server', 300, ['RPUSH', '__key__', 'x'.repeat(100)], ['LINDEX', '__key__', '-1'])],
      predict: {
        changesAt: {
          label: 'size at which the encoding changes',
          unit: 'times',
          value: count(0),
          source:
            'redis.conf 7.0: the threshold is the size of one node; a list is a quicklist of nodes at every size (one listpack from 7.2 on)',
        },
      },
    },
  },
  // The comparison comes afterwards; this only shows that the server serves, however busy the machine is.
  workload: saturation({
    connections: 4,
    pipeline: 1,
    words: ['PING'],
    keys: 1,
    valueBytes: 1,
    driverMayBeFull: true,
  }),
  timeline: [],
  duration: seconds(0.3),
  settle: seconds(20),
  predict: {},
  compare: [],
  checks: [],
  advice: [
    'The change comes with the step after the threshold: a hash of 512 fields took {hash-entries.belowBytes} bytes, with one more {hash-entries.aboveBytes}; keep many small hashes below it.',
    'What is saved in memory is paid in time: reading the last field took {hash-entries.readBelowUs} µs of CPU below the threshold and {hash-entries.readAboveUs} µs above it.',
    'A list has no such step in 7.0: it is a quicklist at every size, and list-max-listpack-size is the size of its nodes.',
  ],
})
