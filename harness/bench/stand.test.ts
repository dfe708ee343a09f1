import { beforeAll, expect, test } from 'vitest'
import { ensureBundle } from '../../bin/bundle.js'
import { engineProgram } from '../world/programs.ts'
import { Stand } from './stand.ts'

const program = engineProgram()
beforeAll(() => ensureBundle(), 60_000)

test('a server that starts anew keeps its configuration and data; the next ones begin with nothing', async () => {
  const stand = await Stand.open({
    programs: { engine: program, redis: program },
    signal: new AbortController().signal,
  })
  try {
    const first = await stand.start('engine', { appendonly: 'yes', appendfsync: 'always' })
    await first.command('SET', 'key', 'value')
    const again = await stand.startAnew('engine')
    expect(String(await again.command('CONFIG', 'GET', 'appendonly'))).toBe('appendonly,yes')
    expect(String(await again.command('GET', 'key'))).toBe('value')

    await again.command('CONFIG', 'SET', 'maxmemory', '1gb')
    await again.command('CONFIG', 'REWRITE')
    const rewritten = await stand.startAnew('engine')
    expect(String(await rewritten.command('CONFIG', 'GET', 'maxmemory'))).toBe('maxmemory,1073741824')

    await stand.stopAll()
    const next = await stand.start('engine', {})
    expect(String(await next.command('CONFIG', 'GET', 'appendonly'))).toBe('appendonly,no')
    expect(await next.command('DBSIZE')).toBe(0)
  } finally {
    await stand.close()
  }
})

test('a configuration that would change nothing is refused: a server starts once, then anew', async () => {
  const stand = await Stand.open({
    programs: { engine: program, redis: program },
    signal: new AbortController().signal,
  })
  try {
    const first = await stand.start('engine', {})
    await expect(stand.start('engine', { appendonly: 'yes' })).rejects.toThrow('has been started')
    expect(stand.server('engine').pid).toBe(first.pid)
  } finally {
    await stand.close()
  }
})
