/** Faults on the disk of a real process come and go while it runs. */
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Disk, IoError } from '../io.ts'
import { diskFromEnvironment } from './disk-faults.ts'
import { createNodeIo } from './io.ts'

let directory = ''
let disk: Disk
const io = createNodeIo()
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'faultline-faulty-'))
  disk = diskFromEnvironment(io.disk, io.timers, { FAULTLINE_DISK: 'plain', FAULTLINE_DISK_FAULTS: at('faults') })
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const at = (name: string): string => join(directory, name)
function inject(faults: object): void {
  writeFileSync(at('faults.new'), JSON.stringify(faults))
  renameSync(at('faults.new'), at('faults'))
}
function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    return error instanceof IoError ? error.code : String(error)
  }
  return 'none'
}

test('without the environment variable the disk is the plain one', () => {
  expect(diskFromEnvironment(io.disk, io.timers, {})).toBe(io.disk)
})

test('a full disk takes what does not grow the file, says ENOSPC to the rest, and recovers', () => {
  const file = disk.open(at('a'), 'append')
  expect(file.write(Buffer.from('abcd'))).toBe(4)
  inject({ full: true })
  expect(codeOf(() => file.write(Buffer.from('e')))).toBe('ENOSPC')
  const inPlace = disk.open(at('a'), 'update')
  expect(inPlace.write(Buffer.from('WXYZ!'), 1)).toBe(3)
  inPlace.close()
  rmSync(at('faults'))
  expect(file.write(Buffer.from('e'))).toBe(1)
  file.close()
  expect(readFileSync(at('a'), 'latin1')).toBe('aWXYe')
})

test('failing operations say EIO, in the background too; the others go on', async () => {
  const file = disk.open(at('a'), 'append')
  inject({ failing: ['sync'] })
  expect(file.write(Buffer.from('x'))).toBe(1)
  expect(codeOf(() => file.sync())).toBe('EIO')
  expect(codeOf(() => disk.syncDirectory(directory))).toBe('EIO')
  const outcome = await new Promise<unknown>((resolve) => file.syncInBackground(resolve))
  expect((outcome as IoError).code).toBe('EIO')
  inject({ failing: ['write', 'read'] })
  expect(codeOf(() => file.write(Buffer.from('x')))).toBe('EIO')
  expect(codeOf(() => file.read(Buffer.alloc(1), 0))).toBe('EIO')
  expect(codeOf(() => file.sync())).toBe('none')
  file.close()
})

test('a slow sync lasts at least its delay: it blocks, or calls back later', async () => {
  const file = disk.open(at('a'), 'append')
  inject({ syncDelayMs: 60 })
  const startedMs = performance.now()
  file.sync()
  expect(performance.now() - startedMs).toBeGreaterThanOrEqual(59)
  let isDone = false
  const done = new Promise<void>((resolve) =>
    file.syncInBackground(() => {
      isDone = true
      resolve()
    }),
  )
  const askedMs = performance.now()
  await new Promise((resolve) => setImmediate(resolve))
  expect(isDone).toBe(false)
  await done
  expect(performance.now() - askedMs).toBeGreaterThanOrEqual(55)
  file.close()
})
