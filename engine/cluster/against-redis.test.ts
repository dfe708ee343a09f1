/** What a lone node answers to CLUSTER and about keys, compared with redis-server byte by byte. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeRequest } from '../resp/request.ts'
import { RawConnection, type Words } from '../testing/differential.ts'
import { freePort, hasRedisServer, type RunningRedis, startEngine, startRedis } from '../testing/redis-server.ts'

const pause = () => new Promise((resolve) => setTimeout(resolve, 20))
const ABSENT = 'f'.repeat(40)

/** Names, ports, addresses and times differ rightly. */
function levelled(reply: Buffer, server: RunningRedis): string {
  return reply
    .toString('latin1')
    .replaceAll(/[0-9a-f]{40}(?<!f{40})/g, '<id>')
    .replaceAll(new RegExp(`\\b${server.port}\\b`, 'g'), '<port>')
    .replaceAll(/@\d{4,5}\b/g, '@<bus>')
    .replaceAll(/\b1[78]\d{11}\b/g, '<ms>')
}

async function replies(server: RunningRedis, protocol: string, commands: readonly Words[]): Promise<string[]> {
  const connection = await RawConnection.open(server.port)
  try {
    connection.write(Buffer.concat([['HELLO', protocol], ...commands].map((words) => encodeRequest(words))))
    const [, ...answers] = await connection.read(commands.length + 1)
    return answers.map((answer, index) => `${commands[index]?.join(' ')} → ${levelled(answer, server)}`)
  } finally {
    connection.close()
  }
}

/** Runs the commands on both, in RESP2 and then RESP3; what they change is the same on both. */
async function expectSame(redis: RunningRedis, engine: RunningRedis, commands: readonly Words[]): Promise<void> {
  for (const protocol of ['2', '3']) {
    const wanted = await replies(redis, protocol, commands)
    expect(await replies(engine, protocol, commands)).toEqual(wanted)
  }
}

// Without redis-server there is nothing to compare with; CI must have it.
describe.skipIf(!hasRedisServer)('a node of its own', () => {
  let redis: RunningRedis
  let engine: RunningRedis
  const options = async () => [
    ...['--cluster-enabled', 'yes', '--save', '', '--cluster-port', `${await freePort()}`],
    // A short timeout shortens the time that a node waits after it was in a minority.
    ...['--cluster-node-timeout', '500'],
  ]
  beforeAll(async () => {
    redis = await startRedis(await options())
    engine = await startEngine(await options())
    // In its first two seconds a primary does not judge the cluster, and its size is still 1.
    for (const { connection } of [redis, engine]) {
      while (!`${await connection.send('CLUSTER', 'INFO')}`.includes('cluster_size:0')) await pause()
    }
  })
  afterAll(async () => {
    await redis?.stop()
    await engine?.stop()
  })
  const same = (...commands: Words[]) => expectSame(redis, engine, commands)
  const cluster = (...words: string[]): Words => ['CLUSTER', ...words]

  it('describes itself', () =>
    same(
      cluster('MYID'),
      cluster('NODES'),
      cluster('INFO'),
      cluster('SLOTS'),
      cluster('SHARDS'),
      cluster('LINKS'),
      cluster('HELP'),
    ))

  it('refuses wrong numbers of arguments and unknown subcommands', () =>
    same(
      cluster(),
      cluster('MEET', 'a'),
      cluster('MEET', '1.2.3.4', '1', '2', '3'),
      cluster('INFO', 'x'),
      cluster('FAILOVER', 'a', 'b'),
      cluster('RESET', 'a', 'b'),
      cluster('ADDSLOTSRANGE', '1', '2', '3'),
      cluster('NOSUCH'),
      cluster('KEYSLOT'),
    ))

  it('refuses addresses that are none', () =>
    same(
      cluster('MEET', 'localhost', '7000'),
      cluster('MEET', '1.2.3', '7000'),
      cluster('MEET', '1.2.3.4', 'x'),
      cluster('MEET', '1.2.3.4', '7000', 'x'),
      cluster('MEET', '1.2.3.4', '0'),
      cluster('MEET', '1.2.3.4', '60000'),
      cluster('MEET', '1.2.3.04', '7000'),
      cluster('MEET', ':::1', '7000'),
    ))

  it('assigns and takes away slots', () =>
    same(
      cluster('ADDSLOTS', '1', '2', '16384'),
      cluster('ADDSLOTS', '1', 'x'),
      cluster('ADDSLOTS', '7', '7'),
      cluster('ADDSLOTS', '1', '2', '5'),
      cluster('ADDSLOTS', '2'),
      cluster('ADDSLOTSRANGE', '10', '20', '30', '40'),
      cluster('ADDSLOTSRANGE', '15', '16'),
      cluster('ADDSLOTSRANGE', '60', '50'),
      cluster('ADDSLOTSRANGE', '60', '70', '65', '66'),
      cluster('SLOTS'),
      cluster('SHARDS'),
      cluster('NODES'),
      cluster('INFO'),
      cluster('DELSLOTS', '3'),
      cluster('DELSLOTS', '5', '5'),
      cluster('DELSLOTS', '5'),
      cluster('DELSLOTSRANGE', '12', '14'),
      cluster('DELSLOTSRANGE', '12', '14'),
      cluster('NODES'),
      cluster('FLUSHSLOTS'),
      cluster('NODES'),
    ))

  it('moves slots only between nodes that it knows', () =>
    same(
      cluster('SETSLOT', '1', 'FOO'),
      cluster('SETSLOT', '16384', 'STABLE'),
      cluster('SETSLOT', '1', 'MIGRATING', ABSENT),
      cluster('SETSLOT', '1', 'IMPORTING', ABSENT),
      cluster('SETSLOT', '1', 'NODE', ABSENT),
      cluster('SETSLOT', '1', 'NODE'),
      cluster('ADDSLOTS', '1'),
      cluster('SETSLOT', '1', 'MIGRATING', ABSENT),
      cluster('SETSLOT', '1', 'IMPORTING', ABSENT),
      cluster('SETSLOT', '1', 'STABLE'),
      cluster('DELSLOTS', '1'),
    ))

  it('refuses what concerns unknown nodes, itself and its role', () =>
    same(
      cluster('FORGET', ABSENT),
      cluster('FORGET', 'short'),
      cluster('REPLICATE', ABSENT),
      cluster('REPLICAS', ABSENT),
      cluster('SLAVES', ABSENT),
      cluster('COUNT-FAILURE-REPORTS', ABSENT),
      cluster('FAILOVER'),
      cluster('FAILOVER', 'FORCE'),
      cluster('FAILOVER', 'SOON'),
      cluster('RESET', 'GENTLY'),
    ))

  it('says the same about itself by name', async () => {
    for (const [server, other] of [
      [redis, engine],
      [engine, redis],
    ] as const) {
      const id = await server.connection.send('CLUSTER', 'MYID')
      const absent = await other.connection.send('CLUSTER', 'MYID')
      expect(id).not.toBe(absent)
    }
    const about = async (server: RunningRedis) => {
      const id = `${await server.connection.send('CLUSTER', 'MYID')}`
      return replies(server, '2', [
        cluster('FORGET', id),
        cluster('REPLICATE', id),
        cluster('REPLICAS', id),
        cluster('COUNT-FAILURE-REPORTS', id),
      ]).then((all) => all.map((text) => text.replaceAll(/[0-9a-f]{40}/g, '<id>')))
    }
    expect(await about(engine)).toEqual(await about(redis))
  })

  it('keeps epochs', async () => {
    await same(cluster('SET-CONFIG-EPOCH', 'x'), cluster('SET-CONFIG-EPOCH', '-1'))
    await same(cluster('RESET', 'HARD'), cluster('SET-CONFIG-EPOCH', '5'), cluster('SET-CONFIG-EPOCH', '6'))
    await same(cluster('BUMPEPOCH'), cluster('INFO'), cluster('SAVECONFIG'), cluster('RESET', 'SOFT'), cluster('INFO'))
    await same(cluster('RESET', 'HARD'), cluster('BUMPEPOCH'), cluster('BUMPEPOCH'))
  })

  it('hashes keys', () =>
    same(
      ...['', 'foo', '{foo}bar', '{}foo', 'foo{bar', '}{foo}', 'a{b}{c}', 'ключ'].map((key) => cluster('KEYSLOT', key)),
      cluster('COUNTKEYSINSLOT', '0'),
      cluster('COUNTKEYSINSLOT', '16384'),
      cluster('COUNTKEYSINSLOT', 'x'),
      cluster('GETKEYSINSLOT', '0', '10'),
      cluster('GETKEYSINSLOT', '0', '-1'),
      cluster('GETKEYSINSLOT', 'x', '1'),
    ))

  it('refuses keys while it is down, and what a cluster does not allow', () =>
    same(
      ['SET', 'a', '1'],
      ['MGET', 'a', 'b'],
      ['SELECT', '1'],
      ['SELECT', '0'],
      ['ASKING'],
      ['READONLY'],
      ['READWRITE'],
      ['ASKING', 'x'],
      cluster('ADDSLOTSRANGE', '0', '16382'),
      ['GET', 'a'],
      ['GET', 'Qi'],
      cluster('RESET'),
    ))

  it('serves when all slots are its own', async () => {
    for (const server of [redis, engine]) {
      await server.connection.send('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
      while (!`${await server.connection.send('CLUSTER', 'INFO')}`.includes('cluster_state:ok')) {
        await pause()
      }
    }
    for (const fullCoverage of ['no', 'yes']) {
      const heard: string[] = []
      for (const server of [redis, engine]) {
        const { connection, port } = server
        await connection.send('CONFIG', 'SET', 'cluster-require-full-coverage', fullCoverage)
        const waiting = await RawConnection.open(port)
        waiting.write(encodeRequest(['BLPOP', 'nothing', '0']))
        while (!`${await connection.send('INFO', 'clients')}`.includes('blocked_clients:1')) await pause()
        const slot = `${await connection.send('CLUSTER', 'KEYSLOT', 'nothing')}`
        await connection.send('CLUSTER', 'DELSLOTS', slot)
        heard.push(`${(await waiting.read(1))[0]}`)
        waiting.close()
        await connection.send('CLUSTER', 'ADDSLOTS', slot)
        while (!`${await connection.send('CLUSTER', 'INFO')}`.includes('cluster_state:ok')) await pause()
      }
      expect(heard[1]).toBe(heard[0])
      expect(heard[1]).toMatch(/^-CLUSTERDOWN/)
    }
    await same(
      cluster('SAVECONFIG'),
      ['SET', 'a', '1'],
      ['GET', 'a'],
      ['MSET', 'a', '1', 'b', '2'],
      ['MSET', '{a}1', '1', '{a}2', '2'],
      cluster('COUNTKEYSINSLOT', '15495'),
      ['DEL', '{a}1', '{a}2'],
      cluster('GETKEYSINSLOT', '15495', '10'),
      cluster('FLUSHSLOTS'),
      cluster('RESET'),
      cluster('INFO'),
    )
  })
})
