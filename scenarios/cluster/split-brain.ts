/**
 * A partition leaves one primary of a cluster alone with half of its clients. It keeps acknowledging writes until it
 * notices; the other side promotes its replica; when the partition heals, the old primary follows the new one and what
 * it acknowledged alone is gone. How long it keeps on is what the arms differ in.
 */
import {
  at,
  between,
  clients,
  cluster,
  least,
  less,
  named,
  node,
  noTwoPrimariesInOneEpoch,
  onlyExplainedLosses,
  partition,
  product,
  rate,
  recoversWithin,
  replicasConverge,
  scaled,
  scenario,
  seconds,
  setting,
  sum,
  uniqueWrites,
  when,
} from '../../harness/scenario.ts'

const T = named('T', setting('cluster-node-timeout', 'ms'))
const maxLag = named('max-lag', setting('min-replicas-max-lag', 's'))

/**
 * The cut-off primary pings each node at least every T/2 and gives it up T after an unanswered ping; it refuses writes
 * once it has given up a majority. Cron turns and the cut itself take a moment.
 */
const detection = named('detection', between(less(T, seconds(0.1)), sum(scaled(1.5, T), seconds(0.5))))

/**
 * Replicas acknowledge once a second, the primary counts good replicas once a second, and both use whole seconds of the
 * clock: the replica is too old max-lag + 1 s after the second of its last acknowledgement, ± 1 s for each phase.
 */
const lag = named('lag window', between(less(maxLag, seconds(1)), sum(maxLag, seconds(2.3))))

const writable = when('min-replicas-to-write', 1, least(detection, lag), detection)

/** Acknowledged and not yet sent on when the cut came: one turn of the event loop and the way to the replica. */
const asyncWindow = product(sum(rate('minority'), rate('majority')), seconds(0, 0.05))

/** PFAIL by a majority, its gossip within T/2, then the election delay of 500 + rand(500) ms and the votes. */
const promotion = between(sum(T, seconds(0.4)), sum(scaled(2, T), seconds(1.6)))

/** Long enough for the other side to promote its replica, whatever it draws. */
const partitionLasts = named('partition', sum(scaled(2, T), seconds(2)))

/**
 * Without min-replicas: promotion, then the client finds the new primary within its refresh interval and time-out.
 * With it the new primary has no replica to count, since its only one is cut off: it refuses writes until the partition
 * heals and the old primary has resynchronised (reconnect, full resync, three turns of 1 s crons).
 */
const outage = when(
  'min-replicas-to-write',
  1,
  between(partitionLasts, sum(partitionLasts, seconds(5))),
  between(sum(T, seconds(0.4)), sum(scaled(2, T), seconds(3.2))),
)

export default scenario({
  name: 'cluster/split-brain',
  title: 'Split brain in a cluster',
  claim:
    'A partition makes two primaries for the same slots, and writes to the cut-off one are lost on healing; min-replicas-to-write limits the loss, but not fully.',
  topology: cluster({
    primaries: 3,
    replicasPerPrimary: 1,
    config: {
      'cluster-node-timeout': '3000',
      'min-replicas-to-write': '0',
      'min-replicas-max-lag': '10',
      // Redis waits 5 s for more replicas before it sends a snapshot; here that only makes every arm longer.
      'repl-diskless-sync-delay': '0',
    },
  }),
  arms: {
    unprotected: { title: 'Unprotected', config: { 'min-replicas-to-write': '0' } },
    'max-lag-1': {
      title: 'min-replicas, max-lag 1',
      config: { 'min-replicas-to-write': '1', 'min-replicas-max-lag': '1' },
    },
    'max-lag-default': {
      title: 'min-replicas, default max-lag',
      config: { 'min-replicas-to-write': '1', 'min-replicas-max-lag': '10' },
    },
  },
  workload: uniqueWrites({
    shardOf: 'primary-1',
    groups: {
      minority: { label: 'clients cut off with the primary', clients: 4, ratePerSecond: 200 },
      majority: { label: 'clients on the other side', clients: 4, ratePerSecond: 80 },
    },
    timeoutMs: 1000,
  }),
  timeline: [at(seconds(1), partition({ minority: [node('primary-1'), clients('minority')] }), partitionLasts)],
  duration: sum(partitionLasts, seconds(6.5)),
  settle: seconds(30),
  predict: {
    lostWrites: {
      label: 'acknowledged writes lost',
      unit: 'writes',
      value: sum(product(rate('minority'), writable), asyncWindow),
      source: 'cluster.c (ping every T/2, PFAIL after T), replication.c (lag in whole seconds)',
    },
    minorityWritableMs: {
      label: 'cut-off primary keeps acknowledging',
      unit: 'ms',
      value: writable,
      source: 'cluster.c clusterCron and clusterUpdateState; replication.c refreshGoodSlavesCount',
    },
    promotionMs: {
      label: 'cut until the replica is promoted',
      unit: 'ms',
      value: promotion,
      source: 'Redis cluster specification: election delay 500 + rand(500) + rank × 1000 ms',
    },
    outageMs: {
      label: 'longest outage of a client on the other side',
      unit: 'ms',
      value: outage,
      source: 'cluster.c; replication.c: a promoted primary counts its good replicas too',
    },
  },
  compare: [
    { measure: 'lostWrites', arm: 'max-lag-1', relation: 'less than', than: 'unprotected' },
    { measure: 'lostWrites', arm: 'max-lag-default', relation: 'not less than', than: 'unprotected', tolerance: 0.4 },
  ],
  checks: [
    onlyExplainedLosses(['minority-side', 'async-window']),
    noTwoPrimariesInOneEpoch(),
    replicasConverge(),
    recoversWithin(5000, 'majority'),
  ],
  advice: [
    'With cluster-node-timeout {cluster-node-timeout} ms the cut-off primary went on for {unprotected.minorityWritableMs} ms and lost {unprotected.lostWrites} acknowledged writes: expect your own write rate × 1 … 1.5 × the timeout.',
    'min-replicas-to-write 1 helps only with a min-replicas-max-lag below the timeout: max-lag 1 lost {max-lag-1.lostWrites} writes, the default of 10 s lost {max-lag-default.lostWrites}, no better than no protection.',
    'It has a price: with one replica per primary the promoted node has none of its own, so it refuses writes until the partition heals: {max-lag-1.outageMs} ms without writes instead of {unprotected.outageMs} ms. Give each primary a second replica before you set it.',
    'Even then the loss is bounded, never zero; WAIT or an idempotent client that verifies after a failover is needed for the rest.',
  ],
})
