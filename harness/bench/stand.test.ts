import { expect, test } from 'vitest'
import { engineProgram } from '../world/programs.ts'
import { Stand } from './stand.ts'

const program = engineProgram()

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

    await stand.stopAll()
    const next = await stand.start('engine', {})
    expect(String(await next.command('CONFIG', 'GET', 'appendonly'))).toBe('appendonly,no')
    expect(await next.command('DBSIZE')).toBe(0)
  } finally {
    await stand.close()
  }
})
