/** What becomes of a replica whose disk fails while its primary goes on writing: the same as of redis-server. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { TestNodes, until } from '../testing/nodes.ts'
import { hasRedisServer, type RunningRedis, startEngine, startRedis } from '../testing/redis-server.ts'

const nodes = new TestNodes()
const replicas: RunningRedis[] = []
afterEach(async () => {
  for (const replica of replicas.splice(0)) await replica.stop()
  await nodes.stopAll()
})

const APPLIED = 'Replica is applying a command even though it is unable to write to disk.'

describe.each([
  ['the engine', startEngine],
  ['redis-server', startRedis],
] as const)('%s as a replica that cannot save', (name, start) => {
  // Without redis-server its half is left out; CI must have it.
  const check = test.skipIf(name === 'redis-server' && !hasRedisServer)

  /** In step with a primary, and its last background save has failed. */
  async function failing(...options: string[]) {
    const primary = await nodes.start('ours')
    const replicaof = ['--replicaof', `127.0.0.1 ${primary.port}`]
    const replica = await start(['--save', '10000 10000', ...replicaof, ...options])
    replicas.push(replica)
    const ask = (...words: string[]) => replica.connection.send(...words)
    await until(async () => String(await ask('INFO', 'replication')).includes('master_link_status:up'))
    // A directory of that name cannot be replaced by a file.
    rmSync(join(replica.directory, 'dump.rdb'), { force: true })
    mkdirSync(join(replica.directory, 'dump.rdb', 'full'), { recursive: true })
    await ask('BGSAVE')
    await until(async () => String(await ask('INFO', 'persistence')).includes('rdb_last_bgsave_status:err'))
    return { primary, replica, ask }
  }

  check('dies of the first write', async () => {
    const { primary, replica } = await failing()
    await primary.send('SET', 'key', 'value')
    const { signal, output } = await replica.program.finished
    // redis-server may fault a second time while it reports the first.
    expect(name === 'redis-server' ? ['SIGABRT', 'SIGSEGV'] : ['SIGABRT']).toContain(signal)
    expect(output).toContain('=== REDIS BUG REPORT START: Cut & paste starting from here ===')
    expect(output).toMatch(/Guru Meditation: Replica was unable to write command to disk\./)
  })

  check('dies with a status where that is asked for', async () => {
    const { primary, replica } = await failing('--use-exit-on-panic', 'yes')
    await primary.send('MULTI')
    await primary.send('INCR', 'key')
    await primary.send('EXEC')
    expect(await replica.program.finished).toMatchObject({ status: 1, signal: null })
  })

  check('goes on where it is to, and says so once', async () => {
    const { primary, replica, ask } = await failing('--replica-ignore-disk-write-errors', 'yes')
    for (let i = 0; i < 3; i++) await primary.send('INCR', 'key')
    await until(async () => (await ask('GET', 'key')) === '3')
    expect(replica.program.output.split(APPLIED).length - 1).toBe(1)
  })

  check('bears the PINGs of its primary', async () => {
    const { primary, replica, ask } = await failing()
    await primary.send('CONFIG', 'SET', 'repl-ping-replica-period', '1')
    await until(async () => replica.program.output.includes(APPLIED))
    expect(String(await ask('INFO', 'replication'))).toContain('master_link_status:up')
  })
})
