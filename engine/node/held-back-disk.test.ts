/** The disk that loses on the death of its process what was not synced: it keeps the contract, and a power cut. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Disk } from '../io.ts'
import { patterned } from '../io-contract/bench.ts'
import { diskContract } from '../io-contract/disks.ts'
import type { SyncDelay } from './disk-faults.ts'
import { createHeldBackDisk } from './held-back-disk.ts'
import { createNodeIo } from './io.ts'

const NO_DELAY: SyncDelay = { block: () => {}, later: (callback) => callback() }

let root = ''
let data = ''
let disk: Disk
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'faultline-held-back-'))
  data = join(root, 'data')
  mkdirSync(data)
  disk = boot()
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

/** The machine is switched on: a new process sees what is on the real disk. */
function boot(delay = NO_DELAY): Disk {
  return createHeldBackDisk(createNodeIo().disk, delay, root)
}

const at = (name: string): string => join(data, name)
function write(name: string, text: string, sync = false): void {
  const file = disk.open(at(name), 'append')
  file.write(Buffer.from(text))
  if (sync) file.sync()
  file.close()
}
/** What the next process finds. */
function found(): Record<string, string> {
  const next = boot()
  return Object.fromEntries(next.list(data).map((name) => [name, readFileSync(at(name), 'latin1')]))
}

describe('while the process lives', () => {
  diskContract(async () => {
    const directory = mkdtempSync(join(root, 'contract-'))
    const io = { ...createNodeIo(), disk: createHeldBackDisk(createNodeIo().disk, NO_DELAY, root) }
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
    return {
      client: io,
      server: io,
      serverHost: '127.0.0.1',
      clientHosts: ['127.0.0.1', '127.0.0.2'],
      directory,
      until: async (condition) => {
        while (!condition()) await turn()
      },
      settle: turn,
      turn,
      dispose: async () => {},
    }
  })
})

describe('when the process dies', () => {
  test('a new file needs both its own sync and that of its directory', () => {
    write('unsynced', 'x')
    write('synced', 'x', true)
    expect(found()).toEqual({})
    disk = boot()
    write('unsynced', 'x')
    write('synced', 'x', true)
    disk.syncDirectory(data)
    expect(found()).toEqual({ synced: 'x', unsynced: '' })
  })

  test('any run of appends and syncs leaves exactly what was written by the last sync', () => {
    const step = fc.oneof(fc.integer({ min: 1, max: 3000 }), fc.constant('sync' as const))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        rmSync(at('log'), { force: true })
        disk = boot()
        const file = disk.open(at('log'), 'append')
        disk.syncDirectory(data)
        let written = Buffer.alloc(0)
        let durable = written
        for (const [index, it] of steps.entries()) {
          if (it === 'sync') {
            file.sync()
            durable = written
          } else {
            file.write(patterned(it, index))
            written = Buffer.concat([written, patterned(it, index)])
          }
          const seen = Buffer.alloc(written.length)
          expect(file.read(seen, 0)).toBe(written.length)
          expect(seen.equals(written)).toBe(true)
        }
        file.close()
        expect(Buffer.from(found().log ?? '', 'latin1').equals(durable)).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  test('a truncation and writes in place are lost or kept as a whole with the sync', () => {
    writeFileSync(at('a'), 'abcdef')
    disk = boot()
    const file = disk.open(at('a'), 'update')
    file.truncate(2)
    file.write(Buffer.from('XY'), 3)
    expect(found()).toEqual({ a: 'abcdef' })
    file.sync()
    file.truncate(0)
    file.close()
    expect(found()).toEqual({ a: 'ab\0XY' })
  })

  test('a background sync covers what was written before it, not what came later', async () => {
    let begin = (): void => {}
    disk = boot({
      block: () => {},
      later: (callback) => {
        begin = callback
      },
    })
    const file = disk.open(at('log'), 'append')
    disk.syncDirectory(data)
    file.write(Buffer.from('before'))
    const done = new Promise<unknown>((resolve) => file.syncInBackground(resolve))
    file.write(Buffer.from('after'))
    expect(found()).toEqual({ log: '' })
    file.close()
    begin()
    expect(await done).toBeUndefined()
    expect(found()).toEqual({ log: 'before' })
  })

  test('a file replaced by rename is the old one until its directory is synced, then the new one', () => {
    writeFileSync(at('dump'), 'old')
    disk = boot()
    write('temp', 'new', true)
    disk.rename(at('temp'), at('dump'))
    expect(readFileSync(at('dump'), 'latin1')).toBe('old')
    expect(disk.list(data)).toEqual(['dump'])
    expect(existsSync(at('temp'))).toBe(false)
    disk.syncDirectory(data)
    expect(found()).toEqual({ dump: 'new' })
  })

  test('removals, new directories and names that change places reach the disk with the sync', () => {
    for (const name of ['a', 'b', 'gone']) writeFileSync(at(name), name)
    disk = boot()
    disk.remove(at('gone'))
    disk.rename(at('a'), at('c'))
    disk.rename(at('b'), at('a'))
    disk.rename(at('c'), at('b'))
    disk.makeDirectory(at('sub'))
    write('sub/inner', 'x', true)
    expect(readdirSync(data).sort()).toEqual(['a', 'b', 'gone'])
    disk.syncDirectory(data)
    expect(readdirSync(data).sort()).toEqual(['a', 'b', 'sub'])
    expect([readFileSync(at('a'), 'latin1'), readFileSync(at('b'), 'latin1')]).toEqual(['b', 'a'])
    expect(readdirSync(at('sub'))).toEqual([])
    disk.syncDirectory(at('sub'))
    expect(readFileSync(at('sub/inner'), 'latin1')).toBe('x')
  })

  test('a file that moved to another directory survives the sync of the one it left', () => {
    writeFileSync(at('a'), 'content')
    disk = boot()
    disk.makeDirectory(at('sub'))
    disk.rename(at('a'), at('sub/a'))
    disk.syncDirectory(data)
    disk.syncDirectory(at('sub'))
    expect(readFileSync(at('sub/a'), 'latin1')).toBe('content')
  })

  test('what lay aside is gone at the next start', () => {
    write('unnamed', 'x', true)
    expect(readdirSync(join(root, '.held-back'))).toHaveLength(1)
    boot()
    expect(readdirSync(join(root, '.held-back'))).toEqual([])
  })
})
