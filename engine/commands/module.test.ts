/** MODULE on a server that has none: every answer of it is compared with redis-server's. */
import { expect, test } from 'vitest'
import { againstRedis, usePair, type Words } from '../testing/differential.ts'

const commands: Words[] = [
  'LIST',
  'LIST x',
  'HELP',
  'HELP x',
  'nosuch',
  'LOAD',
  'LOAD /nosuch.so',
  'LOAD /nosuch.so a b',
  'LOADEX',
  'LOADEX /nosuch.so',
  'LOADEX /nosuch.so CONFIG',
  'LOADEX /nosuch.so CONFIG a',
  'LOADEX /nosuch.so CONFIG a b ARGS c',
  'LOADEX /nosuch.so x',
  'UNLOAD',
  'UNLOAD nosuch',
  'UNLOAD nosuch x',
].map((words) => ['MODULE', ...words.split(' ')])

for (const allowed of ['no', 'yes', 'local']) {
  againstRedis(`MODULE with enable-module-command ${allowed}`, () => {
    const pair = usePair({ settings: { 'enable-module-command': allowed } })

    test('answers as redis-server does', async () => {
      await pair().same(commands)
      await pair().same([
        ['EVAL', "return redis.call('MODULE', 'HELP')", '0'],
        ['EVAL', "return #redis.pcall('MODULE', 'LIST')['err'] > 0", '0'],
        ['MULTI'],
        ...commands,
        ['EXEC'],
      ])
    })
  })
}

againstRedis('the log of a module that is not loaded', () => {
  const pair = usePair({ settings: { 'enable-module-command': 'yes' } })

  test('says why', async () => {
    const lines: string[] = []
    const { log } = pair().engine
    log.warning = (line: string) => lines.push(line)
    log.notice = (line: string) => lines.push(line)
    await pair().replies([commands[6], commands[10], commands[13]] as Words[], '2')
    expect(lines).toEqual([
      'Module /nosuch.so failed to load: native modules are not supported',
      'CONFIG specified without name value pair',
      'Syntax Error from arguments to loadex around x.',
    ])
  })
})
