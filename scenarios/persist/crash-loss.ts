/**
 * What a crash really loses, by persistence mode and by kind of crash. A killed process leaves the page cache to the
 * kernel; a power cut takes it. So the promises of `appendfsync` are about power, and the promise of a snapshot is
 * about either.
 */
import {
  at,
  between,
  command,
  count,
  disk,
  kill,
  lossesAreNewest,
  named,
  onlyExplainedLosses,
  powerCut,
  product,
  rate,
  recoversWithin,
  scaled,
  scenario,
  seconds,
  standalone,
  sum,
  uniqueWrites,
} from '../../harness/scenario.ts'

/** When the server dies: off the whole second, since everysec syncs when the second of the clock changes. */
const crashTime = seconds(4.4)
const down = seconds(0.3)
const writes = rate('writing')

/** Acknowledged between the order to die and the death, or on its way to the client. */
const dying = seconds(0, 0.3)

/** Every write that was acknowledged before the crash. */
const everything = named('time since the start', between(seconds(4.2), sum(crashTime, dying)))

/**
 * A save point `seconds changes` starts a snapshot when more than so many whole seconds have passed since the last one,
 * seen by a cron every 0.1 s; the snapshot holds what was there when it began, and counts when it is complete.
 */
const savePoint = seconds(1)
const sinceSnapshot = named('time since the last snapshot began', between(seconds(0), sum(savePoint, seconds(1.6))))

/** An fsync begins when the second of the clock changes, and makes durable what was written before it began. */
const everysecond = named('time since the last fsync', between(seconds(0), sum(seconds(1), seconds(0.35))))

const syncDelay = named('fsync', seconds(1.2))
/**
 * While an fsync runs, Redis postpones the write of the next second up to 2 s. So when the power goes just before an
 * fsync ends, what it covered and what was held in memory meanwhile are lost: two times the fsync.
 */
const slowSync = named('two slow fsyncs', between(seconds(0), sum(scaled(2, syncDelay), seconds(0.6))))
/** A kill takes only what Redis held in memory meanwhile. */
const heldInMemory = named('one slow fsync', between(seconds(0), sum(syncDelay, seconds(0.6))))

const nothing = count(0)

/** Writes and age of the oldest one, lost because of the same span of time. */
function loses(span: typeof nothing, source: string) {
  return {
    lostWrites: {
      label: 'acknowledged writes lost',
      unit: 'writes' as const,
      value: span === nothing ? nothing : product(writes, span),
      source,
    },
    lostWindowMs: {
      label: 'age of the oldest lost write at the crash',
      unit: 'ms' as const,
      value: span,
      source,
    },
  }
}

const killed = [at(crashTime, kill('server'), down)]
const unpowered = [at(crashTime, powerCut('server'), down)]
const slowDisk = at(seconds(0.5), disk('server', { syncDelayMs: 1200 }), seconds(4.05))

const aof = (appendfsync: string): Record<string, string> => ({ appendonly: 'yes', appendfsync })
const rewrite = at(seconds(1.5), command('server', ['BGREWRITEAOF'], { until: 'aof_rewrite_in_progress' }))

const pageCache =
  'the page cache belongs to the kernel; aof.c writes before it replies (flushAppendOnlyFile in beforeSleep)'
const everysecSource = 'aof.c flushAppendOnlyFile: one fsync in each second of the clock, in the background'
const slowSource = 'aof.c flushAppendOnlyFile: a write is postponed up to 2 s while an fsync runs'

export default scenario({
  name: 'persist/crash-loss',
  title: 'What a crash really loses',
  claim:
    'RDB loses everything since the last snapshot, appendfsync everysec about one second, always nothing; and a killed process loses less than a power cut.',
  topology: standalone({ config: { save: '' } }),
  arms: {
    'none-kill': {
      title: 'No persistence, killed',
      config: {},
      timeline: killed,
      predict: loses(everything, 'nothing is ever written'),
    },
    'rdb-kill': {
      title: 'RDB save points, killed',
      config: { save: '1 1' },
      timeline: killed,
      predict: loses(sinceSnapshot, 'server.c serverCron: save points'),
    },
    'rdb-power': {
      title: 'RDB save points, power cut',
      config: { save: '1 1' },
      timeline: unpowered,
      predict: loses(sinceSnapshot, 'rdb.c rdbSave: fsync, rename, fsync of the directory'),
    },
    'no-kill': {
      title: 'AOF no, killed',
      config: aof('no'),
      timeline: killed,
      predict: loses(nothing, pageCache),
    },
    'no-power': {
      title: 'AOF no, power cut',
      config: aof('no'),
      timeline: unpowered,
      predict: loses(between(seconds(0), everything), 'the kernel writes back after 30 s (dirty_expire_centisecs)'),
    },
    'everysec-kill': {
      title: 'AOF everysec, killed',
      config: aof('everysec'),
      timeline: killed,
      predict: loses(nothing, pageCache),
    },
    'everysec-power': {
      title: 'AOF everysec, power cut',
      config: aof('everysec'),
      timeline: unpowered,
      predict: loses(everysecond, everysecSource),
    },
    'everysec-slow-kill': {
      title: 'AOF everysec on a slow disk, killed',
      config: aof('everysec'),
      timeline: [slowDisk, ...killed],
      predict: loses(heldInMemory, slowSource),
    },
    'everysec-slow-power': {
      title: 'AOF everysec on a slow disk, power cut',
      config: aof('everysec'),
      timeline: [slowDisk, ...unpowered],
      predict: loses(slowSync, slowSource),
    },
    'always-kill': {
      title: 'AOF always, killed',
      config: aof('always'),
      timeline: killed,
      predict: loses(nothing, 'aof.c: fsync before the reply'),
    },
    'always-power': {
      title: 'AOF always, power cut',
      config: aof('always'),
      timeline: unpowered,
      predict: loses(nothing, 'aof.c: fsync before the reply'),
    },
    'mixed-kill': {
      title: 'Mixed (RDB preamble, everysec), killed',
      config: { ...aof('everysec'), 'aof-use-rdb-preamble': 'yes' },
      timeline: [rewrite, ...killed],
      predict: loses(nothing, pageCache),
    },
    'mixed-power': {
      title: 'Mixed (RDB preamble, everysec), power cut',
      config: { ...aof('everysec'), 'aof-use-rdb-preamble': 'yes' },
      timeline: [rewrite, ...unpowered],
      predict: loses(everysecond, everysecSource),
    },
  },
  workload: uniqueWrites({
    groups: { writing: { label: 'all clients', clients: 4, ratePerSecond: 500 } },
    timeoutMs: 500,
  }),
  timeline: [],
  duration: seconds(5.5),
  settle: seconds(20),
  predict: {},
  compare: [{ measure: 'lostWrites', arm: 'rdb-kill', relation: 'less than', than: 'none-kill' }],
  checks: [onlyExplainedLosses(['crash']), lossesAreNewest(), recoversWithin(3000, 'writing')],
  advice: [
    'A killed or crashed process lost {everysec-kill.lostWrites} acknowledged writes with everysec and {no-kill.lostWrites} with appendfsync no: for a crash of the server alone every AOF mode is enough.',
    'A power cut took {no-power.lostWrites} writes with appendfsync no, {everysec-power.lostWrites} with everysec (the oldest {everysec-power.lostWindowMs} ms old) and {always-power.lostWrites} with always: expect your own write rate × 1 s with everysec.',
    'On a disk whose fsync takes 1.2 s everysec lost writes that were up to {everysec-slow-power.lostWindowMs} ms old in the power cut, and up to {everysec-slow-kill.lostWindowMs} ms when only the process was killed: watch aof_delayed_fsync.',
    'Save points lost {rdb-kill.lostWrites} writes: everything since the last snapshot began, whatever died.',
  ],
})
