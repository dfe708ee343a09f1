/**
 * Everything that redis-server 7.0.15 says it has, asked of both: commands and subcommands with all that COMMAND and
 * COMMAND DOCS tell of them, configuration parameters with their defaults, fields of INFO in each role.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MapReply, ReplyParser, type ReplyValue, SetReply } from '../resp/reply-parser.ts'
import { expectDifferences, type Reasons } from '../testing/differences.ts'
import { againstRedis, compare, usePair, type Words } from '../testing/differential.ts'
import { type TestNode, TestNodes, until } from '../testing/nodes.ts'
import { freePort, hasRedisServer, type PlainReply } from '../testing/redis-server.ts'

const configDifferences: Reasons = {
  dir: 'each has a directory of its own',
  loglevel: 'the engine is told to be quiet in tests',
  port: 'each has a port of its own',
}

/** Plain data: maps as objects, sets sorted. */
function plain(value: ReplyValue): unknown {
  if (Buffer.isBuffer(value)) return value.toString()
  if (value instanceof SetReply) return value.values.map(plain).sort(byText)
  if (value instanceof MapReply) {
    return Object.fromEntries(value.entries.map(([key, inner]) => [String(key), plain(inner)]))
  }
  return Array.isArray(value) ? value.map(plain) : value
}

function byText(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1
}

function parse(bytes: Buffer | undefined): unknown {
  let result: ReplyValue = null
  new ReplyParser((value) => {
    result = value
  }).feed(bytes ?? Buffer.alloc(0))
  return plain(result)
}

/** Facts of COMMAND by full name; subcommands stand for themselves. */
function infoByName(rows: unknown, into = new Map<string, unknown>()): Map<string, unknown> {
  for (const row of rows as unknown[][]) {
    const facts = row.slice(0, 9)
    into.set(String(row[0]), facts)
    infoByName(row[9] ?? [], into)
  }
  return into
}

/** The same of COMMAND DOCS. */
function docsByName(docs: unknown, into = new Map<string, unknown>()): Map<string, unknown> {
  for (const [name, { subcommands, ...facts }] of Object.entries(docs as Record<string, Record<string, unknown>>)) {
    into.set(name, facts)
    docsByName(subcommands ?? {}, into)
  }
  return into
}

/** What is not on both sides, or not the same. */
function differences(redis: ReadonlyMap<string, unknown>, engine: ReadonlyMap<string, unknown>): string[] {
  const names = new Set([...redis.keys(), ...engine.keys()])
  return [...names].filter((name) => JSON.stringify(redis.get(name)) !== JSON.stringify(engine.get(name))).sort()
}

againstRedis('what redis-server 7.0 has', () => {
  const pair = usePair()

  const ask = async (...words: string[]): Promise<[redis: unknown, engine: unknown]> => {
    const [redis, engine] = await pair().replies([words], '3')
    return [parse(redis[0]), parse(engine[0])]
  }

  test('commands and subcommands are told the same by COMMAND', async () => {
    const [redis, engine] = await ask('COMMAND')
    expect(infoByName(redis).size).toBeGreaterThan(300)
    expectDifferences(differences(infoByName(redis), infoByName(engine)), {})
  })

  test('they are documented the same', async () => {
    const [redis, engine] = await ask('COMMAND', 'DOCS')
    expectDifferences(differences(docsByName(redis), docsByName(engine)), {})
  })

  test('COMMAND LIST and its filters', async () => {
    const categories = (await ask('COMMAND', 'INFO', 'get'))[0] as unknown[][][]
    expect(categories[0]?.[6]).toContain('@read')
    const filters = [
      [],
      ...['keyspace', 'read', 'write', 'set', 'sortedset', 'list', 'hash', 'string', 'bitmap', 'hyperloglog', 'geo'],
      ...[
        'stream',
        'pubsub',
        'admin',
        'fast',
        'slow',
        'blocking',
        'dangerous',
        'connection',
        'transaction',
        'scripting',
      ],
    ].map((category) => (Array.isArray(category) ? [] : ['FILTERBY', 'ACLCAT', category]))
    for (const filter of [...filters, ['FILTERBY', 'PATTERN', '*a|*']]) {
      const both = await ask('COMMAND', 'LIST', ...filter)
      const [redis, engine] = both.map((names) => new Map((names as string[]).map((name) => [name, 1])))
      const found = differences(redis as Map<string, number>, engine as Map<string, number>)
      expect({ filter, found }).toEqual({ filter, found: [] })
    }
  })

  test('keys are found in the same arguments, with the same flags', async () => {
    const [rows] = await ask('COMMAND')
    const words: Words[] = []
    for (const [name, facts] of infoByName(rows)) {
      const arity = Math.abs((facts as number[])[1] as number)
      const parts = name.split('|')
      for (let count = Math.max(arity - 1, parts.length); count <= arity + 4; count++) {
        const rest = Array.from({ length: count - parts.length }, (_, i) => `a${i}`)
        words.push([...parts, ...rest])
        for (const special of ['1', '2', '-1', 'STORE', 'STREAMS', 'KEYS', '']) {
          for (let at = 0; at < rest.length && (special !== '' || at < 4); at++) {
            words.push([...parts, ...rest.slice(0, at), special, ...rest.slice(at + 1)])
          }
        }
      }
    }
    const commands = words.map((one) => ['COMMAND', 'GETKEYSANDFLAGS', ...one])
    const [redis, engine] = await pair().replies(commands, '2')
    compare(commands, redis, engine, 'RESP2', [])
  })

  test('parameters of the configuration have the same defaults', async () => {
    const [redis, engine] = (await ask('CONFIG', 'GET', '*')) as [Record<string, string>, Record<string, string>]
    const both = [redis, engine].map((all) => new Map(Object.entries(all))) as [
      Map<string, string>,
      Map<string, string>,
    ]
    expect(both[0].size).toBeGreaterThan(190)
    expectDifferences(differences(...both), configDifferences)
  })
})

/** Section and name of every field, those that depend on what was run apart. */
function fieldsOf(info: PlainReply): Map<string, unknown> {
  const fields = new Map<string, unknown>()
  let section = ''
  for (const line of String(info).split('\r\n')) {
    if (line.startsWith('# ')) section = line.slice(2)
    const name = line.split(':')[0] as string
    if (line.includes(':') && !/^(cmdstat|errorstat|latency_percentiles_usec)_/.test(name)) {
      fields.set(`${section} ${name}`, 1)
    } else if (line.startsWith('# ')) fields.set(section, 1)
  }
  return fields
}

// Without redis-server there is nothing to compare with; CI must have it.
describe.skipIf(!hasRedisServer)('fields of INFO', () => {
  const nodes = new TestNodes()
  let primary: TestNode
  beforeAll(async () => {
    primary = await nodes.start('redis')
  })
  afterAll(() => nodes.stopAll())

  const roles: Record<string, () => Promise<Record<string, string>>> = {
    'a server alone': async () => ({}),
    'a server with an append-only file': async () => ({ appendonly: 'yes' }),
    'a replica': async () => ({ replicaof: `127.0.0.1 ${primary.port}` }),
    'a replica without its primary': async () => ({ replicaof: `127.0.0.1 ${await freePort()}` }),
    'a node of a cluster': async () => ({ 'cluster-enabled': 'yes', 'cluster-port': String(await freePort()) }),
  }

  test.each(Object.keys(roles))('of %s', async (name) => {
    const fields: Map<string, unknown>[] = []
    for (const kind of ['redis', 'ours'] as const) {
      const settings = (await roles[name]?.()) ?? {}
      const replicaof = settings.replicaof?.split(' ')
      const { replicaof: _, ...others } = settings
      const node = await nodes.start(kind, others)
      if (replicaof !== undefined) await node.send('REPLICAOF', ...replicaof)
      if (name === 'a replica') {
        await until(async () => String(await node.send('INFO', 'replication')).includes('master_link_status:up'))
      }
      fields.push(fieldsOf(await node.send('INFO', 'everything')))
    }
    const [redis, engine] = fields as [Map<string, unknown>, Map<string, unknown>]
    expect(redis.size).toBeGreaterThan(100)
    expectDifferences(differences(redis, engine), {})
  })

  test('of a server with a replica', async () => {
    const fields: Map<string, unknown>[] = []
    for (const kind of ['redis', 'ours'] as const) {
      const [first, second] = [await nodes.start(kind), await nodes.start('redis')]
      await second.send('REPLICAOF', '127.0.0.1', String(first.port))
      await until(async () => String(await first.send('INFO', 'replication')).includes('state=online'))
      fields.push(fieldsOf(await first.send('INFO', 'everything')))
    }
    const [redis, engine] = fields as [Map<string, unknown>, Map<string, unknown>]
    expectDifferences(differences(redis, engine), {})
  })
})
