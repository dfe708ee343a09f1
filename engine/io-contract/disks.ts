/**
 * The contract of `Disk` and `File`, as far as one living process can see it. Power cuts are the simulator's own tests.
 */

import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Disk, File } from '../io.ts'
import { IoError } from '../io.ts'
import { Bench, patterned } from './bench.ts'
import type { MakeWorld } from './world.ts'

export function diskContract(makeWorld: MakeWorld): void {
  let bench: Bench
  let disk: Disk
  let directory: string
  beforeEach(async () => {
    bench = new Bench(await makeWorld())
    disk = bench.world.server.disk
    directory = bench.world.directory
  })
  afterEach(() => bench.close())

  const at = (name: string): string => `${directory}/${name}`
  const put = (name: string, text: string): void => {
    const file = disk.open(at(name), 'create')
    file.write(Buffer.from(text))
    file.close()
  }
  const get = (name: string): string => {
    const file = disk.open(at(name), 'read')
    const text = contentOf(file)
    file.close()
    return text
  }

  describe('opening', () => {
    it('to read or update needs a file, and says ENOENT without one', () => {
      expect(codeOf(() => disk.open(at('missing'), 'read'))).toBe('ENOENT')
      expect(codeOf(() => disk.open(at('missing'), 'update'))).toBe('ENOENT')
      expect(codeOf(() => disk.open(at('no/where'), 'create'))).toBe('ENOENT')
      expect(disk.list(directory)).toEqual([])
    })

    it('to create makes the file, or empties it', () => {
      put('a', 'something')
      const file = disk.open(at('a'), 'create')
      expect(file.sizeBytes).toBe(0)
      file.close()
      expect(get('a')).toBe('')
    })

    it('to append makes the file, or goes on at its end', () => {
      for (const text of ['one', 'two']) {
        const file = disk.open(at('log'), 'append')
        expect(file.write(Buffer.from(text))).toBe(3)
        file.close()
      }
      expect(get('log')).toBe('onetwo')
    })

    it('to update keeps the content and writes at a position', () => {
      put('a', 'abcdef')
      const file = disk.open(at('a'), 'update')
      file.write(Buffer.from('XY'), 2)
      file.write(Buffer.from('Z'), 8)
      file.close()
      expect(get('a')).toBe('abXYef\0\0Z')
    })
  })

  describe('a file', () => {
    it('reads back what was written, at any position, through every handle', () => {
      const file = disk.open(at('data'), 'create')
      const bytes = patterned(100_000)
      file.write(bytes.subarray(0, 40_000))
      file.write(bytes.subarray(40_000))
      const other = disk.open(at('data'), 'read')
      const into = Buffer.alloc(1000)
      for (const position of [0, 1, 39_990, 99_000]) {
        expect(other.read(into, position)).toBe(1000)
        expect(into.equals(bytes.subarray(position, position + 1000))).toBe(true)
      }
      expect(other.sizeBytes).toBe(100_000)
      expect(file.read(into, 5)).toBe(1000)
      file.close()
      other.close()
    })

    it('reads fewer bytes near the end, and 0 at and past it', () => {
      put('a', 'abcdef')
      const file = disk.open(at('a'), 'read')
      expect(file.read(Buffer.alloc(10), 4)).toBe(2)
      expect(file.read(Buffer.alloc(10), 6)).toBe(0)
      expect(file.read(Buffer.alloc(10), 600)).toBe(0)
      file.close()
    })

    it('appends at its end also after it was truncated', () => {
      const file = disk.open(at('log'), 'append')
      file.write(Buffer.from('0123456789'))
      file.truncate(4)
      expect(file.sizeBytes).toBe(4)
      file.write(Buffer.from('ab'))
      file.close()
      expect(get('log')).toBe('0123ab')
    })

    it('grows with zeros when truncated to more, also where there was data', () => {
      const file = disk.open(at('a'), 'create')
      file.write(Buffer.from('abcdef'))
      file.truncate(2)
      file.truncate(5)
      file.close()
      expect(get('a')).toBe('ab\0\0\0')
    })

    it('lives on without its name, and under a new one', () => {
      const file = disk.open(at('a'), 'append')
      file.write(Buffer.from('one'))
      disk.rename(at('a'), at('b'))
      file.write(Buffer.from('two'))
      expect(get('b')).toBe('onetwo')
      disk.remove(at('b'))
      file.write(Buffer.from('three'))
      expect(contentOf(file)).toBe('onetwothree')
      file.close()
    })

    it('refuses everything after it is closed, and may be closed twice', () => {
      const file = disk.open(at('a'), 'create')
      file.close()
      file.close()
      expect(codeOf(() => file.write(Buffer.from('x')))).toBe('EBADF')
      expect(codeOf(() => file.read(Buffer.alloc(1), 0))).toBe('EBADF')
      expect(codeOf(() => file.sync())).toBe('EBADF')
      expect(codeOf(() => file.sizeBytes)).toBe('EBADF')
    })

    it('behaves like an array of bytes under any writes and truncations', () => {
      fc.assert(
        fc.property(fc.array(fc.tuple(fc.nat(300), fc.nat(200), fc.boolean()), { maxLength: 20 }), (operations) => {
          put('model', '')
          const file = disk.open(at('model'), 'update')
          let model = Buffer.alloc(0)
          for (const [index, [position, length, isWrite]] of operations.entries()) {
            const size =
              isWrite && length > 0 ? Math.max(model.length, position + length) : isWrite ? model.length : position
            const next = Buffer.alloc(size)
            model.copy(next)
            if (isWrite) {
              patterned(length, index).copy(next, position)
              file.write(patterned(length, index), position)
            } else file.truncate(position)
            model = next
            expect(file.sizeBytes).toBe(model.length)
          }
          expect(contentOf(file)).toBe(model.toString('latin1'))
          file.close()
        }),
        { numRuns: 40 },
      )
    })
  })

  describe('syncing', () => {
    it('returns when it is done', () => {
      const file = disk.open(at('a'), 'create')
      file.write(Buffer.from('x'))
      file.sync()
      file.close()
      disk.syncDirectory(directory)
      expect(codeOf(() => disk.syncDirectory(at('missing')))).toBe('ENOENT')
    })

    it('in the background calls done once, later, also when the file was closed meanwhile', async () => {
      const file = disk.open(at('a'), 'create')
      file.write(Buffer.from('x'))
      const results: unknown[] = []
      file.syncInBackground((error) => results.push(error))
      file.syncInBackground((error) => results.push(error))
      file.close()
      expect(results).toEqual([])
      await bench.world.until(() => results.length === 2)
      await bench.world.settle()
      expect(results).toEqual([undefined, undefined])
    })
  })

  describe('names', () => {
    it('are listed sorted', () => {
      for (const name of ['b', 'a10', 'a9', 'C', 'ä']) put(name, '')
      disk.makeDirectory(at('sub'))
      put('sub/inner', '')
      expect(disk.list(directory)).toEqual(['C', 'a10', 'a9', 'b', 'sub', 'ä'])
      expect(disk.list(at('sub'))).toEqual(['inner'])
      expect(codeOf(() => disk.list(at('missing')))).toBe('ENOENT')
      expect(codeOf(() => disk.list(at('b')))).toBe('ENOTDIR')
    })

    it('move with rename, which replaces what was there', () => {
      put('old', 'new content')
      put('target', 'replaced')
      disk.rename(at('old'), at('target'))
      expect(disk.list(directory)).toEqual(['target'])
      expect(get('target')).toBe('new content')
      expect(codeOf(() => disk.rename(at('old'), at('x')))).toBe('ENOENT')
    })

    it('go with remove; a directory only when it is empty', () => {
      put('a', '')
      disk.makeDirectory(at('sub'))
      put('sub/inner', '')
      disk.remove(at('a'))
      expect(codeOf(() => disk.remove(at('a')))).toBe('ENOENT')
      expect(codeOf(() => disk.remove(at('sub')))).toBe('ENOTEMPTY')
      disk.remove(at('sub/inner'))
      disk.remove(at('sub'))
      expect(disk.list(directory)).toEqual([])
    })

    it('of directories are made once, under an existing one', () => {
      disk.makeDirectory(at('sub'))
      expect(codeOf(() => disk.makeDirectory(at('sub')))).toBe('EEXIST')
      expect(codeOf(() => disk.makeDirectory(at('no/where')))).toBe('ENOENT')
    })

    it('have a status, undefined when nothing is there', () => {
      put('a', 'four')
      const status = disk.status(at('a'))
      expect(status?.sizeBytes).toBe(4)
      expect(status?.isDirectory).toBe(false)
      expect(Math.abs(status!.modifiedMs - bench.world.server.clock.wallMs())).toBeLessThan(60_000)
      expect(disk.status(directory)?.isDirectory).toBe(true)
      expect(disk.status(at('missing'))).toBe(undefined)
      expect(disk.status(at('a/below'))).toBe(undefined)
    })
  })
}

function contentOf(file: File): string {
  const into = Buffer.alloc(file.sizeBytes)
  const count = file.read(into, 0)
  return into.toString('latin1', 0, count)
}

function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    expect(error).toBeInstanceOf(IoError)
    return (error as IoError).code
  }
  return 'none'
}
