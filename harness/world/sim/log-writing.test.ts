/**
 * When the append-only log is written and synced, on disks that are slow, full or broken: in virtual time, so exact.
 */
import { describe, expect, test } from 'vitest'
import { ReplyError } from '../../../engine/resp/reply-parser.ts'
import type { DiskFault } from './disk.ts'
import { CrashWorld } from './testing/crash.ts'

const incrementPath = '/data/appendonlydir/appendonly.aof.1.incr.aof'

class Logging extends CrashWorld {
  static async start(settings: Record<string, string>): Promise<Logging> {
    const world = new Logging('logging', { appendonly: 'yes', ...settings })
    await world.untilReady()
    return world
  }

  logText(): string {
    return this.host.disk.contentOf(incrementPath)?.toString('latin1') ?? ''
  }

  info(field: string): string | undefined {
    return new RegExp(`^${field}:(.*)\r$`, 'm').exec(this.server?.info.render(['persistence']) ?? '')?.[1]
  }

  async set(value: string): Promise<string> {
    const [answer] = await this.ask(['SET', 'key', value])
    return answer instanceof ReplyError ? answer.message : String(answer)
  }

  impair(fault: DiskFault): () => void {
    return this.host.disk.impair(fault)
  }
}

describe('appendfsync everysec', () => {
  test('a write waits for a running fsync, its reply does not; after two seconds it is made all the same', async () => {
    const world = await Logging.start({ appendfsync: 'everysec' })
    await world.simulation.run(1500)
    const heal = world.impair({ syncDelayUs: 10_000_000 })
    await world.set('starts the fsync')
    expect(world.logText()).toContain('starts the fsync')
    await world.simulation.run(1200)
    expect(world.info('aof_pending_bio_fsync')).toBe('1')
    expect(await world.set('postponed')).toBe('OK')
    expect(world.logText()).not.toContain('postponed')
    expect(Number(world.info('aof_buffer_length'))).toBeGreaterThan(0)
    await world.simulation.run(800)
    expect(world.logText()).not.toContain('postponed')
    await world.simulation.run(2300)
    expect(world.logText()).toContain('postponed')
    expect(world.info('aof_delayed_fsync')).toBe('1')
    expect(world.log).toContain('Asynchronous AOF fsync is taking too long (disk is busy?).')
    heal()
    await world.simulation.run(10_000)
    expect(world.info('aof_pending_bio_fsync')).toBe('0')
  })

  test('what is postponed is written as soon as the fsync has ended', async () => {
    const world = await Logging.start({ appendfsync: 'everysec' })
    await world.simulation.run(1500)
    const heal = world.impair({ syncDelayUs: 1_000_000 })
    await world.set('first')
    await world.set('second')
    heal()
    await world.simulation.run(1300)
    expect(world.logText()).toContain('second')
    expect(world.info('aof_delayed_fsync')).toBe('0')
  })

  test('the last writes before a pause are synced too: a power cut two seconds later loses nothing', async () => {
    const world = await Logging.start({ appendfsync: 'everysec' })
    await world.set('last')
    await world.simulation.run(2500)
    world.die('power cut')
    await world.restart()
    expect(await world.ask(['GET', 'key'])).toEqual([Buffer.from('last')])
  })

  test('a failed fsync refuses writes until one succeeds', async () => {
    const world = await Logging.start({ appendfsync: 'everysec' })
    const heal = world.impair({ failing: ['sync'] })
    await world.set('unsynced')
    await world.simulation.run(2500)
    expect(world.info('aof_last_write_status')).toBe('err')
    expect(world.log).toContain('Fail to fsync the AOF file: Input/output error')
    expect(await world.set('refused')).toBe('MISCONF Errors writing to the AOF file: Input/output error')
    heal()
    await world.simulation.run(2500)
    expect(await world.set('accepted')).toBe('OK')
  })
})

describe.each(['everysec', 'no'])('a full disk with appendfsync %s', (appendfsync) => {
  test('refuses writes, keeps what was written before, and goes on when there is room', async () => {
    const world = await Logging.start({ appendfsync })
    await world.set('before')
    const heal = world.impair({ full: true })
    // Answered before the write fails, as by Redis: the command stays in the buffer.
    await world.set('while full')
    await world.simulation.run(50)
    expect(await world.set('refused')).toBe('MISCONF Errors writing to the AOF file: No space left on device')
    expect(await world.ask(['PING'])).toEqual([
      expect.objectContaining({ message: expect.stringContaining('MISCONF') }),
    ])
    expect(world.log).toContain('Error writing to the AOF file: No space left on device')
    heal()
    await world.simulation.run(1500)
    expect(world.log).toContain('AOF write error looks solved, Redis can write again.')
    expect(await world.set('after')).toBe('OK')
    const digest = await world.digest()
    await world.simulation.run(1200)
    world.die('kill')
    await world.restart()
    expect(await world.digest()).toBe(digest)
  })

  test('takes no part of a command: what did not fit is undone', async () => {
    const world = new Logging('short', { appendonly: 'yes', appendfsync })
    await world.untilReady()
    const used = world.host.disk.usedBytes()
    Object.assign(world.host.disk, {
      settings: { capacityBytes: used + 100, syncLatencyUs: 10, writeBytesPerUs: 2000 },
    })
    await world.set('x'.repeat(500))
    await world.simulation.run(20)
    expect(world.log).toContain('Short write while writing to the AOF file: (nwritten=100,')
    expect(world.logText()).toBe('')
    world.die('kill')
    await world.restart()
    expect(world.failure, world.log).toBe(undefined)
  })
})

describe('appendfsync always', () => {
  test.each<[string, DiskFault, string]>([
    ['full', { full: true }, "Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting..."],
    [
      'that cannot sync',
      { failing: ['sync'] },
      "Can't persist AOF for fsync error when the AOF fsync policy is 'always'",
    ],
  ])('on a disk %s ends the server before it has answered', async (_, fault, message) => {
    const world = await Logging.start({ appendfsync: 'always' })
    await world.set('kept')
    world.impair(fault)
    const answers = await world.ask(['SET', 'key', 'lost'])
    expect(answers).toEqual([])
    expect(world.host.process).toBe(undefined)
    expect(world.host.exitStatus).toBe(1)
    expect(world.log).toContain(message)
  })

  test('answers only what is on the disk, and syncs once for all commands that came together', async () => {
    const world = await Logging.start({ appendfsync: 'always' })
    let changes = 0
    world.host.disk.afterChange = () => changes++
    await world.ask(...Array.from({ length: 50 }, (_, i) => ['SET', `key:${i}`, 'value']))
    // One write and one fsync, unless the network cut the requests in two.
    expect(changes).toBeGreaterThanOrEqual(2)
    expect(changes).toBeLessThanOrEqual(6)
    world.die('power cut')
    await world.restart()
    expect(await world.ask(['DBSIZE'])).toEqual([50])
  })
})
