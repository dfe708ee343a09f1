import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Io } from '../../../engine/io.ts'
import { IoError } from '../../../engine/io.ts'
import { patterned } from '../../../engine/io-contract/bench.ts'
import type { HostOptions } from './simulation.ts'
import { createSimulation } from './simulation.ts'

function machine(seed: string, disk: HostOptions['disk'] = {}) {
  const simulation = createSimulation({ seed })
  const host = simulation.host('a', { addresses: ['10.0.0.1'], disk })
  host.disk.installDirectory('/data')
  const io: Io = host.start(() => {})
  return { simulation, host, io }
}

function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    return error instanceof IoError ? error.code : String(error)
  }
  return 'none'
}

describe('a power cut', () => {
  it('keeps at least what was synced, and a prefix of what was appended', () => {
    const step = fc.oneof(
      fc.record({ append: fc.integer({ min: 1, max: 5000 }) }),
      fc.constant({ sync: true as const }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), fc.nat(), (steps, seed) => {
        const { host, io } = machine(`append ${seed}`)
        const file = io.disk.open('/data/log', 'append')
        io.disk.syncDirectory('/data')
        let written = Buffer.alloc(0)
        let syncedBytes = 0
        for (const [index, it] of steps.entries()) {
          if ('append' in it) {
            const bytes = patterned(it.append, index)
            file.write(bytes)
            written = Buffer.concat([written, bytes])
          } else {
            file.sync()
            syncedBytes = written.length
          }
        }
        host.powerCut()
        const kept = host.disk.contentOf('/data/log')!
        expect(kept.length).toBeGreaterThanOrEqual(syncedBytes)
        expect(kept.equals(written.subarray(0, kept.length))).toBe(true)
      }),
    )
  })

  it('leaves any file in a state that its changes passed through, the last write possibly in part', () => {
    const change = fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 30 }), fc.constantFrom('write', 'truncate', 'sync'))
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), fc.nat(), (changes, seed) => {
        const { host, io } = machine(`states ${seed}`)
        host.disk.install('/data/file', patterned(20))
        const file = io.disk.open('/data/file', 'update')
        const states = new Set([host.disk.contentOf('/data/file')!.toString('hex')])
        for (const [index, [position, length, kind]] of changes.entries()) {
          if (kind === 'sync') {
            file.sync()
            states.clear()
          } else if (kind === 'truncate') file.truncate(position)
          else {
            const bytes = patterned(length, index)
            const before = host.disk.contentOf('/data/file')!
            for (let part = 0; part < length; part++) {
              const torn = Buffer.alloc(Math.max(before.length, position + part))
              before.copy(torn)
              bytes.copy(torn, position, 0, part)
              states.add(torn.toString('hex'))
            }
            file.write(bytes, position)
          }
          states.add(host.disk.contentOf('/data/file')!.toString('hex'))
        }
        host.powerCut()
        expect(states).toContain(host.disk.contentOf('/data/file')!.toString('hex'))
      }),
    )
  })

  it('loses, tears and keeps unsynced writes and names, each for some seed', () => {
    const outcomes = new Set<string>()
    for (let seed = 0; seed < 200; seed++) {
      const { host, io } = machine(`outcome ${seed}`)
      host.disk.install('/data/old', Buffer.from('old'))
      const file = io.disk.open('/data/new', 'create')
      file.write(Buffer.from('content'))
      io.disk.rename('/data/new', '/data/old')
      host.powerCut()
      const renamed = host.disk.contentOf('/data/new') === undefined
      const content = host.disk.contentOf('/data/old')!.toString()
      if (content === 'old') outcomes.add(renamed ? 'file lost' : 'rename lost')
      else outcomes.add(content === 'content' ? 'kept' : content === '' ? 'renamed, empty' : 'renamed, torn')
    }
    expect([...outcomes].sort()).toEqual(['file lost', 'kept', 'rename lost', 'renamed, empty', 'renamed, torn'])
  })

  it('does not undo a synced file under a synced name', () => {
    for (let seed = 0; seed < 50; seed++) {
      const { host, io } = machine(`safe ${seed}`)
      host.disk.install('/data/old', Buffer.from('old'))
      const file = io.disk.open('/data/new', 'create')
      file.write(Buffer.from('content'))
      file.sync()
      io.disk.rename('/data/new', '/data/old')
      io.disk.syncDirectory('/data')
      host.powerCut()
      expect(host.disk.contentOf('/data/old')!.toString()).toBe('content')
      expect(host.disk.contentOf('/data/new')).toBe(undefined)
    }
  })

  it('finds written back what is older than half a minute', async () => {
    const { simulation, host, io } = machine('write-back')
    const file = io.disk.open('/data/log', 'append')
    io.disk.syncDirectory('/data')
    file.write(Buffer.from('old'))
    await simulation.run(31_000)
    file.write(Buffer.from('new'))
    host.powerCut()
    expect(host.disk.contentOf('/data/log')!.toString().startsWith('old')).toBe(true)
  })
})

it('a killed process leaves on disk what it had written, synced or not', () => {
  const { host, io } = machine('kill')
  io.disk.open('/data/log', 'append').write(Buffer.from('unsynced'))
  host.kill()
  expect(host.disk.contentOf('/data/log')!.toString()).toBe('unsynced')
})

it('a background sync makes durable what was written before it, once it is done', async () => {
  for (let seed = 0; seed < 30; seed++) {
    const { simulation, host, io } = machine(`background ${seed}`)
    const file = io.disk.open('/data/log', 'append')
    io.disk.syncDirectory('/data')
    file.write(Buffer.from('before'))
    let done = false
    file.syncInBackground(() => {
      done = true
    })
    file.write(Buffer.from('after'))
    await simulation.run(10)
    expect(done).toBe(true)
    host.powerCut()
    expect(host.disk.contentOf('/data/log')!.toString().startsWith('before')).toBe(true)
  }
})

describe('a disk in trouble', () => {
  it('when full takes what fits, then refuses with ENOSPC until there is room', () => {
    const { host, io } = machine('full', { capacityBytes: 10 })
    const file = io.disk.open('/data/log', 'append')
    expect(file.write(Buffer.alloc(8))).toBe(8)
    expect(file.write(Buffer.alloc(8))).toBe(2)
    expect(codeOf(() => file.write(Buffer.alloc(1)))).toBe('ENOSPC')
    file.truncate(5)
    expect(file.write(Buffer.alloc(8))).toBe(5)
    file.truncate(0)
    const mend = host.disk.impair({ full: true })
    expect(codeOf(() => file.write(Buffer.alloc(1)))).toBe('ENOSPC')
    mend()
    expect(file.write(Buffer.alloc(1))).toBe(1)
  })

  it('when failing says EIO for what fails, and recovers', async () => {
    const { simulation, host, io } = machine('eio')
    const file = io.disk.open('/data/log', 'append')
    const mend = host.disk.impair({ failing: ['write', 'sync'] })
    expect(codeOf(() => file.write(Buffer.alloc(1)))).toBe('EIO')
    expect(codeOf(() => file.sync())).toBe('EIO')
    expect(codeOf(() => file.read(Buffer.alloc(1), 0))).toBe('none')
    const results: (string | undefined)[] = []
    file.syncInBackground((error) => results.push(error?.code))
    await simulation.run(10)
    mend()
    expect(results).toEqual(['EIO'])
    expect(file.write(Buffer.alloc(1))).toBe(1)
    file.sync()
  })

  it('when slow keeps a process that syncs busy, and a background sync away for longer', async () => {
    const { simulation, host, io } = machine('slow', { syncLatencyUs: 1000 })
    const file = io.disk.open('/data/log', 'append')
    host.disk.impair({ slowdown: 100 })
    let syncedUs = 0
    io.timers.after(1, () => {
      file.sync()
      syncedUs = io.clock.monotonicUs()
    })
    let timerUs = 0
    io.timers.after(20, () => {
      timerUs = simulation.nowUs
    })
    const startUs = io.clock.monotonicUs()
    await simulation.run(1000)
    expect(syncedUs - startUs).toBeGreaterThan(100_000)
    expect(timerUs).toBeGreaterThan(100_000)
  })
})
