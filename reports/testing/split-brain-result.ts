/**
 * A plausible result of `cluster/split-brain`, made by a small deterministic model instead of a run: six nodes, three
 * arms, 13 s, a cut from 2 s to 10 s. Tests and eyes need data that look like the real thing without running it.
 */
import type { ArmResult, Campaign, GroupSeries, NodeTimeline, Result } from '../result.ts'

const DURATION_MS = 13_000
const BUCKET_MS = 100
const BUCKETS = DURATION_MS / BUCKET_MS + 1
const CUT_MS = 2000
const HEAL_MS = 10_000
const RATE = 500

/** The same numbers on every machine; the constants are those of Numerical Recipes. */
function sequence(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

interface ArmModel {
  name: string
  title: string
  settings: Record<string, string>
  writableMs: number
  promotionMs: number
  predictedLost: [number, number]
  predictedWritableMs: [number, number]
  formula: string
  derivation: string
}

const models: readonly ArmModel[] = [
  {
    name: 'unprotected',
    title: 'Unprotected',
    settings: { 'min-replicas-to-write': '0' },
    writableMs: 3640,
    promotionMs: 4310,
    predictedLost: [1450, 2450],
    predictedWritableMs: [2900, 4800],
    formula: 'rate(minority) × detection + (rate(minority) + rate(majority)) × 0 … 0.05 s',
    derivation: '500/s × (3 s − 0.1 s … 1.5 × 3 s + 0.3 s) + (500/s + 500/s) × 0 … 0.05 s',
  },
  {
    name: 'max-lag-1',
    title: 'min-replicas, max-lag 1',
    settings: { 'min-replicas-to-write': '1', 'min-replicas-max-lag': '1' },
    writableMs: 1270,
    promotionMs: 4620,
    predictedLost: [0, 1700],
    predictedWritableMs: [0, 3300],
    formula: 'rate(minority) × least(detection, lag window) + (rate(minority) + rate(majority)) × 0 … 0.05 s',
    derivation: '500/s × least(3 s − 0.1 s … 4.8 s, 1 s − 1 s … 1 s + 2.3 s) + (500/s + 500/s) × 0 … 0.05 s',
  },
  {
    name: 'max-lag-default',
    title: 'min-replicas, default max-lag',
    settings: { 'min-replicas-to-write': '1', 'min-replicas-max-lag': '10' },
    writableMs: 3920,
    promotionMs: 4150,
    predictedLost: [1450, 2450],
    predictedWritableMs: [2900, 4800],
    formula: 'rate(minority) × least(detection, lag window) + (rate(minority) + rate(majority)) × 0 … 0.05 s',
    derivation: '500/s × least(3 s − 0.1 s … 4.8 s, 10 s − 1 s … 10 s + 2.3 s) + (500/s + 500/s) × 0 … 0.05 s',
  },
]

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0)

/** Operations of one group; `outcomeAt` says what becomes of an operation begun at a time. */
function groupSeries(
  group: string,
  label: string,
  random: () => number,
  outcomeAt: (atMs: number) => 'ok' | 'fail' | 'unknown',
): GroupSeries {
  const series: GroupSeries = { group, label, ok: [], fail: [], unknown: [], p50Ms: [], p99Ms: [], maxMs: [] }
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const atMs = bucket * BUCKET_MS
    const full = bucket === BUCKETS - 1 ? 0 : Math.round((RATE * BUCKET_MS) / 1000)
    const outcome = outcomeAt(atMs)
    for (const name of ['ok', 'fail', 'unknown'] as const) series[name].push(name === outcome ? full : 0)
    const p50 = 0.35 + random() * 0.2
    const peak = random() < 0.06 ? 12 : 1
    const measured = outcome === 'ok' && full > 0
    series.p50Ms.push(measured ? round(p50) : null)
    series.p99Ms.push(measured ? round(p50 * (2.5 + random() * 2)) : null)
    series.maxMs.push(measured ? round(p50 * (5 + random() * 4) * peak) : null)
  }
  return series
}

const round = (value: number) => Math.round(value * 1000) / 1000

function nodes(model: ArmModel, version: string): NodeTimeline[] {
  const cutMs = CUT_MS
  const promotedMs = cutMs + model.promotionMs
  const failedMs = cutMs + 3640
  const steady = (name: string, address: string, role: 'primary' | 'replica', epoch: number): NodeTimeline => ({
    name,
    address,
    version,
    spans: [{ fromMs: 0, toMs: DURATION_MS, role, epoch, clusterState: 'ok' }],
  })
  return [
    {
      ...steady('primary-1', '127.0.2.1:7001', 'primary', 1),
      spans: [
        { fromMs: 0, toMs: failedMs, role: 'primary', epoch: 1, clusterState: 'ok' },
        { fromMs: failedMs, toMs: HEAL_MS + 180, role: 'primary', epoch: 1, clusterState: 'fail' },
        { fromMs: HEAL_MS + 180, toMs: HEAL_MS + 520, role: 'replica', epoch: 7, clusterState: 'fail' },
        { fromMs: HEAL_MS + 520, toMs: DURATION_MS, role: 'replica', epoch: 7, clusterState: 'ok' },
      ],
    },
    steady('primary-2', '127.0.2.2:7002', 'primary', 2),
    steady('primary-3', '127.0.2.3:7003', 'primary', 3),
    {
      ...steady('replica-1', '127.0.2.4:7004', 'replica', 1),
      spans: [
        { fromMs: 0, toMs: cutMs + 3300, role: 'replica', epoch: 1, clusterState: 'ok' },
        { fromMs: cutMs + 3300, toMs: promotedMs, role: 'replica', epoch: 1, clusterState: 'fail' },
        { fromMs: promotedMs, toMs: DURATION_MS, role: 'primary', epoch: 7, clusterState: 'ok' },
      ],
    },
    steady('replica-2', '127.0.2.5:7005', 'replica', 2),
    {
      ...steady('replica-3', '127.0.2.6:7006', 'replica', 3),
      spans: [
        { fromMs: 0, toMs: 7900, role: 'replica', epoch: 3, clusterState: 'ok' },
        { fromMs: 7900, toMs: 9100, role: 'down', epoch: null, clusterState: '' },
        { fromMs: 9100, toMs: DURATION_MS, role: 'replica', epoch: 3, clusterState: 'ok' },
      ],
    },
  ]
}

function replicationGap(model: ArmModel, random: () => number): ArmResult['timeline']['replicationGap'] {
  const timesMs: number[] = []
  for (let timeMs = 200; timeMs <= DURATION_MS; timeMs += 200) timesMs.push(timeMs)
  const small = () => Math.round(random() * 400)
  const cutOff = (atMs: number): number | null => {
    if (atMs > CUT_MS + model.promotionMs) return null
    return atMs <= CUT_MS ? small() : Math.round(Math.min(atMs - CUT_MS, model.writableMs) * RATE * 0.07)
  }
  return {
    timesMs,
    series: [
      { node: 'primary-1', bytes: timesMs.map((atMs) => (atMs > HEAL_MS + 520 ? small() : null)) },
      { node: 'replica-1', bytes: timesMs.map(cutOff) },
      { node: 'replica-2', bytes: timesMs.map(small) },
      { node: 'replica-3', bytes: timesMs.map(small) },
    ],
  }
}

function lostWrites(model: ArmModel): ArmResult['timeline']['lostWrites'] {
  const minority = new Array<number>(BUCKETS).fill(0)
  const asynchronous = new Array<number>(BUCKETS).fill(0)
  const last = Math.floor((CUT_MS + model.writableMs) / BUCKET_MS)
  for (let bucket = CUT_MS / BUCKET_MS; bucket < last; bucket++) minority[bucket] = (RATE * BUCKET_MS) / 1000
  minority[last] = Math.round(((model.writableMs % BUCKET_MS) / 1000) * RATE)
  asynchronous[CUT_MS / BUCKET_MS - 1] = 3
  return [
    { cause: 'minority-side', label: 'acknowledged by the cut-off primary during the partition', perBucket: minority },
    { cause: 'async-window', label: 'acknowledged just before the cut, not yet replicated', perBucket: asynchronous },
    { cause: 'other', label: 'no known cause', perBucket: new Array<number>(BUCKETS).fill(0) },
  ]
}

function events(model: ArmModel): ArmResult['timeline']['events'] {
  const lastMs = CUT_MS + model.writableMs
  const refusal =
    model.name === 'max-lag-1' ? 'NOREPLICAS Not enough good replicas to write.' : 'CLUSTERDOWN The cluster is down'
  return [
    { atMs: lastMs, node: 'primary-1', text: 'last write acknowledged while cut off' },
    { atMs: lastMs + 4, node: 'primary-1', text: `first refusal: ${refusal}` },
    { atMs: CUT_MS + 3300, node: 'replica-1', text: 'cluster state fail' },
    { atMs: CUT_MS + 3640, node: 'primary-1', text: 'cluster state fail' },
    { atMs: CUT_MS + model.promotionMs, node: 'replica-1', text: 'becomes primary (epoch 7)' },
    { atMs: CUT_MS + model.promotionMs, node: 'replica-1', text: 'cluster state ok' },
    { atMs: 7900, node: 'replica-3', text: 'does not answer' },
    { atMs: 9100, node: 'replica-3', text: 'becomes replica (epoch 3)' },
    { atMs: HEAL_MS + 180, node: 'primary-1', text: 'becomes replica (epoch 7)' },
    { atMs: HEAL_MS + 520, node: 'primary-1', text: 'cluster state ok' },
  ].sort((a, b) => a.atMs - b.atMs)
}

function configuration(model: ArmModel): ArmResult['configuration'] {
  const names = ['primary-1', 'primary-2', 'primary-3', 'replica-1', 'replica-2', 'replica-3']
  return Object.fromEntries(
    names.map((name, position) => [
      name,
      {
        port: String(7001 + position),
        bind: `127.0.1.${position + 1}`,
        'bind-source-addr': `127.0.1.${position + 1}`,
        'cluster-announce-ip': `127.0.2.${position + 1}`,
        'cluster-enabled': 'yes',
        'cluster-node-timeout': '3000',
        'min-replicas-to-write': model.settings['min-replicas-to-write'] ?? '0',
        'min-replicas-max-lag': model.settings['min-replicas-max-lag'] ?? '10',
        requirepass: '(secret)',
        masterauth: '(secret)',
        appendonly: 'no',
        save: '',
        'protected-mode': 'no',
      },
    ]),
  )
}

function excerpt(model: ArmModel): string[] {
  const lastMs = CUT_MS + model.writableMs
  const lines = [
    {
      type: 'fault',
      name: 'partition',
      state: 'start',
      atMs: CUT_MS,
      minority: ['primary-1', 'minority-1', 'minority-2'],
    },
    { type: 'invoke', id: 998, atMs: 1998.211, client: 'minority-2', group: 'minority', key: '{p1}:998', value: '998' },
    { type: 'complete', id: 998, atMs: 1998.634, outcome: 'ok', node: 'primary-1' },
    {
      type: 'invoke',
      id: 3401,
      atMs: lastMs - 0.5,
      client: 'minority-1',
      group: 'minority',
      key: '{p1}:3401',
      value: '3401',
    },
    { type: 'complete', id: 3401, atMs: lastMs, outcome: 'ok', node: 'primary-1' },
    {
      type: 'complete',
      id: 3403,
      atMs: lastMs + 4,
      outcome: 'fail',
      node: 'primary-1',
      error: 'CLUSTERDOWN The cluster is down',
    },
    {
      type: 'fault',
      name: 'partition',
      state: 'end',
      atMs: HEAL_MS,
      tookHold: '41 connections held, 182,340 bytes undelivered',
    },
  ]
  return lines.map((line) => JSON.stringify(line))
}

function outages(model: ArmModel): ArmResult['outages'] {
  const of = (group: string, startMs: number, endMs: number, failedOperations: number) =>
    [1, 2, 3, 4].map((client) => ({
      client: `${group}-${client}`,
      group,
      startMs: startMs + client * 2,
      endMs: endMs + client * 11,
      failedOperations: failedOperations + client,
    }))
  const writableUntilMs = CUT_MS + model.writableMs
  return [
    ...of('majority', CUT_MS, CUT_MS + model.promotionMs + 350, 540),
    ...of('minority', writableUntilMs, HEAL_MS + 240, Math.round(((HEAL_MS - writableUntilMs) / 1000) * 125)),
  ]
}

function checks(lost: number): ArmResult['checks'] {
  return [
    {
      name: 'only explained losses',
      verdict: 'pass',
      sentence: `${lost} acknowledged writes were lost, each with a known cause.`,
      evidence: [
        { atMs: 1998.634, text: 'key {p1}:998 acknowledged by primary-1, absent afterwards (async-window)' },
        { atMs: 2000.912, text: 'key {p1}:1000 acknowledged by primary-1, absent afterwards (minority-side)' },
      ],
    },
    {
      name: 'never two primaries in one epoch',
      verdict: 'pass',
      sentence: 'No slot had two primaries in one epoch, over 738 observations.',
      evidence: [],
    },
    {
      name: 'replicas converge',
      verdict: 'pass',
      sentence: '3 replicas hold the same data as their primaries.',
      evidence: [],
    },
    {
      name: 'recovers within 3 s',
      verdict: 'pass',
      sentence: 'The last client of majority succeeded again 0.04 s after the heal; 3 s are allowed.',
      evidence: [],
    },
  ]
}

function arm(model: ArmModel, seed: number, version: string): ArmResult {
  const random = sequence(seed)
  const writableUntilMs = CUT_MS + model.writableMs
  const servedAgainMs = CUT_MS + model.promotionMs + 350
  const groups = [
    groupSeries('minority', 'clients cut off with the primary', random, (atMs) =>
      atMs < writableUntilMs || atMs >= HEAL_MS + 240 ? 'ok' : 'fail',
    ),
    groupSeries('majority', 'clients on the other side', random, (atMs) =>
      atMs < CUT_MS || atMs >= servedAgainMs ? 'ok' : 'unknown',
    ),
  ]
  const lost = lostWrites(model)
  const lostWritesByCause = Object.fromEntries(lost.map(({ cause, perBucket }) => [cause, sumOf(perBucket)]))
  const total = sumOf(Object.values(lostWritesByCause))
  const totalOf = (outcome: 'ok' | 'fail' | 'unknown') => sumOf(groups.map((group) => sumOf(group[outcome])))
  const source = 'cluster.c (ping every T/2, PFAIL after T), replication.c (lag in whole seconds)'
  const [lostLow, lostHigh] = model.predictedLost
  const [writableLow, writableHigh] = model.predictedWritableMs
  return {
    name: model.name,
    target: 'engine',
    title: model.title,
    settings: model.settings,
    verdict: 'pass',
    sentence: 'All measures lie inside their predictions and all checks hold.',
    predicted: {
      lostWrites: {
        label: 'acknowledged writes lost',
        unit: 'writes',
        low: lostLow,
        high: lostHigh,
        formula: model.formula,
        derivation: model.derivation,
        source,
      },
      minorityWritableMs: {
        label: 'cut-off primary keeps acknowledging',
        unit: 'ms',
        low: writableLow,
        high: writableHigh,
        formula: model.name === 'unprotected' ? 'detection' : 'least(detection, lag window)',
        derivation: '3 s − 0.1 s … 1.5 × 3 s + 0.3 s',
        source,
      },
      promotionMs: {
        label: 'cut until the replica is promoted',
        unit: 'ms',
        low: 3400,
        high: 7600,
        formula: 'T + 0.4 s … 2 × T + 1.6 s',
        derivation: '3 s + 0.4 s … 2 × 3 s + 1.6 s',
        source: 'Redis cluster specification: election delay 500 + rand(500) + rank × 1000 ms',
      },
      outageMs: {
        label: 'longest outage of a client on the other side',
        unit: 'ms',
        low: 3400,
        high: 9200,
        formula: 'T + 0.4 s … 2 × T + 3.2 s',
        derivation: '3 s + 0.4 s … 2 × 3 s + 3.2 s',
        source: 'promotion, then the client finds the new primary within its refresh interval and time-out',
      },
    },
    measured: {
      acknowledged: totalOf('ok'),
      refused: totalOf('fail'),
      unknown: totalOf('unknown'),
      lostWrites: total,
      lostWritesByCause,
      outageMs: model.promotionMs + 394,
      minorityWritableMs: model.writableMs,
      promotionMs: model.promotionMs,
    },
    checks: checks(total),
    faults: [
      {
        name: 'partition',
        description: 'primary-1 and clients minority-1 … minority-4 against all others, both directions, every plane',
        startMs: CUT_MS,
        endMs: HEAL_MS,
        tookHold: '41 connections held, 182,340 bytes undelivered',
      },
    ],
    timeline: {
      durationMs: DURATION_MS,
      bucketMs: BUCKET_MS,
      groups,
      nodes: nodes(model, version),
      replicationGap: replicationGap(model, random),
      lostWrites: lost,
      samples: [],
      events: events(model),
    },
    outages: outages(model),
    excerpt: excerpt(model),
    configuration: configuration(model),
    historyFile: `history/${model.name}.jsonl`,
    traceHash: null,
  }
}

/** Real world, real engine, everything as predicted. */
export function splitBrainResult(): Result {
  const arms = models.map((model, position) => arm(model, position + 1, '7.0.15'))
  const lostOf = (position: number) => (arms[position]?.measured.lostWrites ?? 0).toLocaleString('en-US')
  return {
    version: 2,
    scenario: {
      name: 'cluster/split-brain',
      title: 'Split brain in a cluster',
      claim:
        'A partition makes two primaries for the same slots, and writes to the cut-off one are lost on healing; min-replicas-to-write limits the loss, but not fully.',
    },
    verdict: 'pass',
    sentence: '3 of 3 arms behaved as predicted, and every invariant held.',
    advice: [
      `With cluster-node-timeout 3000 ms the cut-off primary went on for 3640 ms and lost ${lostOf(0)} acknowledged writes: expect your own write rate × 1 … 1.5 × the timeout.`,
      `min-replicas-to-write 1 helps only with a min-replicas-max-lag below the timeout: max-lag 1 lost ${lostOf(1)} writes, the default of 10 s lost ${lostOf(2)}, no better than no protection.`,
      'Even then the loss is bounded, never zero; WAIT or an idempotent client that verifies after a failover is needed for the rest.',
    ],
    world: 'real',
    target: { kind: 'engine', version: '7.0.15' },
    seed: 4_211_907_331,
    settings: { 'cluster-node-timeout': '3000' },
    startedAt: '2026-11-22T16:55:52.311Z',
    elapsedMs: 78_412,
    host: { platform: 'linux x64', node: '20.20.0', cpus: 2, faultline: '0.1.0' },
    command: 'npm run scenario split-brain -- --seed 4211907331',
    arms,
    notRun: [],
    measures: {},
    curves: [],
    campaign: null,
    traceHash: null,
  }
}

/**
 * The same scenario in the simulator, with a campaign of `runs` seeds, one arm outside its prediction and a check that
 * failed.
 */
export function failingCampaignResult(runs = 500): Result {
  const result = splitBrainResult()
  result.world = 'sim'
  result.traceHash = '9f2c61d0b7a34e58c0f1d2e3a4b5c6d7'
  result.verdict = 'fail'
  result.sentence =
    'min-replicas, max-lag 1: acknowledged writes lost: 1,903 writes, predicted 0 … 1,700. 2 of 3 arms behaved as predicted.'
  const random = sequence(99)
  const [, broken, unsure] = result.arms
  if (broken !== undefined) {
    broken.verdict = 'fail'
    broken.sentence =
      'Slots 0-5460 had two primaries in epoch 7. acknowledged writes lost: 1903 writes, predicted 0 … 1700'
    broken.measured.lostWrites = 1903
    broken.measured.lostWritesByCause = { ...broken.measured.lostWritesByCause, 'minority-side': 1900 }
    const check = broken.checks[1]
    if (check !== undefined) {
      check.verdict = 'fail'
      check.sentence = 'Slots 0-5460 had two primaries in epoch 7.'
      check.evidence = [
        { atMs: 6620, text: 'replica-1 says: primary of 0-5460 in epoch 7' },
        { atMs: 6704, text: 'primary-1 says: primary of 0-5460 in epoch 7' },
      ]
    }
  }
  if (unsure !== undefined) {
    unsure.verdict = 'unknown'
    unsure.sentence = "The fault 'partition' never took hold."
    for (const fault of unsure.faults) fault.tookHold = ''
    for (const outage of unsure.outages.slice(0, 1)) outage.endMs = null
  }
  const spread = (low: number, high: number) =>
    Array.from({ length: runs }, () => Math.round(low + ((random() + random() + random()) / 3) * (high - low))).sort(
      (a, b) => a - b,
    )
  result.campaign = {
    runs,
    firstSeed: 1,
    arms: models.map((model, position): Campaign['arms'][number] => ({
      arm: model.name,
      pass: position === 1 ? runs - 2 : runs,
      fail: position === 1 ? 2 : 0,
      unknown: 0,
      measures: [
        {
          measure: 'lostWrites',
          label: 'acknowledged writes lost',
          unit: 'writes',
          values: spread(model.predictedLost[0] * 1.02, model.predictedLost[1] * (position === 1 ? 1.1 : 0.98)),
          predictedLow: model.predictedLost[0],
          predictedHigh: model.predictedLost[1],
        },
        {
          measure: 'promotionMs',
          label: 'cut until the replica is promoted',
          unit: 'ms',
          values: spread(3600, 5200),
          predictedLow: 3400,
          predictedHigh: 7600,
        },
        {
          measure: 'outageMs',
          label: 'longest outage of a client on the other side',
          unit: 'ms',
          values: spread(3900, 6100),
          predictedLow: null,
          predictedHigh: null,
        },
      ],
      failures:
        position === 1
          ? [17, 312].map((seed) => ({
              seed,
              sentence: 'acknowledged writes lost: 1,811 writes, predicted 0 … 1,700',
              command: `npm run scenario split-brain -- --world sim --seed ${seed} --arm ${model.name}`,
            }))
          : [],
    })),
  }
  return result
}
