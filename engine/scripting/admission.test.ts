/** Scripts while something forbids them to write or to run: the errors, what was done before them, what waits. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { againstRedis, type RawConnection, usePair } from '../testing/differential.ts'
import { infoField, type TestNode, TestNodes, until } from '../testing/nodes.ts'
import { freePort, hasRedisServer, type PlainReply } from '../testing/redis-server.ts'

const nodes = new TestNodes()
afterAll(() => nodes.stopAll())

const bodies = [
  "return redis.call('GET', 'k')",
  "return redis.call('SET', 'k', 'v')",
  "return redis.pcall('SET', 'k', 'v')",
  "redis.call('DEL', 'k') return redis.pcall('SET', 'k', 'v')",
  "return redis.call('PING')",
  "return redis.call('PUBLISH', 'c', 'm')",
]
const firstLines = ['', '#!lua\n', '#!lua flags=no-writes\n', '#!lua flags=allow-stale\n', '#!lua flags=allow-oom\n']
const scripts = firstLines.flatMap((line) => bodies.flatMap((body) => [line + body]))

function plain(reply: PlainReply): unknown {
  return reply instanceof Error ? `error: ${reply.message}` : reply
}

async function plainCommands(node: TestNode): Promise<unknown[]> {
  const replies: unknown[] = []
  for (const words of [['SET', 'k', 'v'], ['GET', 'k'], ['PING'], ['PUBLISH', 'c', 'm'], ['FUNCTION', 'STATS']]) {
    replies.push(plain(await node.send(...words)))
  }
  await node.send('MULTI')
  for (const words of [
    ['GET', 'k'],
    ['SET', 'k', 'v'],
    ['EVAL', 'return 1', '0'],
  ]) {
    replies.push(plain(await node.send(...words)))
  }
  return [...replies, plain(await node.send('EXEC'))]
}

async function answers(node: TestNode): Promise<unknown[]> {
  const replies: unknown[] = []
  for (const command of ['EVAL', 'EVAL_RO']) {
    for (const script of scripts) replies.push([script, plain(await node.send(command, script, '0'))])
  }
  return replies
}

/** The same as functions: `f<flags>_<body>`. */
const flagLists = ['', "'no-writes'", "'allow-stale'", "'allow-oom'", "'allow-oom', 'allow-stale'"]
const functions = flagLists.flatMap((flags, line) => {
  return bodies.map((body, index) => {
    return `redis.register_function{function_name='f${line}_${index}', callback=function() ${body} end, flags={${flags}}}`
  })
})

async function functionAnswers(node: TestNode): Promise<unknown[]> {
  const replies: unknown[] = []
  for (const command of ['FCALL', 'FCALL_RO']) {
    for (const [line] of flagLists.entries()) {
      for (const [index, body] of bodies.entries()) {
        replies.push([command, flagLists[line], body, plain(await node.send(command, `f${line}_${index}`, '0'))])
      }
    }
  }
  return replies
}

/** A disk that is full as far as the append-only file goes. */
function fillLog(directory: string): void {
  const folder = join(directory, 'appendonlydir')
  mkdirSync(folder)
  writeFileSync(join(folder, 'appendonly.aof.manifest'), 'file appendonly.aof.1.incr.aof seq 1 type i\n')
  symlinkSync('/dev/full', join(folder, 'appendonly.aof.1.incr.aof'))
}

const limits: Record<string, (node: TestNode) => Promise<void>> = {
  MISCONF: async (node) => {
    await node.send('CONFIG', 'SET', 'save', '3600 1000')
    rmSync(node.directory, { recursive: true })
    await node.send('SET', 'k', 'v')
    await node.send('BGSAVE')
    await until(async () => (await infoField(node, 'persistence', 'rdb_last_bgsave_status')) === 'err')
    await until(async () => (await infoField(node, 'persistence', 'rdb_bgsave_in_progress')) === '0')
  },
  'MISCONF of the log': async (node) => {
    await node.send('SET', 'k', 'v')
    await until(async () => (await infoField(node, 'persistence', 'aof_last_write_status')) === 'err')
  },
  NOREPLICAS: async (node) => {
    await node.send('CONFIG', 'SET', 'min-replicas-to-write', '1')
  },
  OOM: async (node) => {
    await node.send('SET', 'k', 'v')
    await node.send('CONFIG', 'SET', 'maxmemory', '1')
  },
  READONLY: async (node) => {
    await node.send('REPLICAOF', '127.0.0.1', String(await freePort()))
  },
  MASTERDOWN: async (node) => {
    await node.send('CONFIG', 'SET', 'replica-serve-stale-data', 'no')
    await node.send('REPLICAOF', '127.0.0.1', String(await freePort()))
  },
}

// Without redis-server there is nothing to compare with.
describe.skipIf(!hasRedisServer)('a script that is not allowed', () => {
  test.each(Object.keys(limits))('%s: as in redis-server', async (name) => {
    const results: unknown[] = []
    for (const kind of ['redis', 'ours'] as const) {
      const log = name.endsWith('log')
      const directory = nodes.makeDirectory()
      if (log) fillLog(directory)
      const node = await nodes.start(kind, { dir: directory, appendonly: log ? 'yes' : 'no' })
      await node.send('FUNCTION', 'LOAD', `#!lua name=library\n${functions.join('\n')}`)
      await limits[name]?.(node)
      results.push([await answers(node), await functionAnswers(node), await plainCommands(node)])
    }
    expect(JSON.stringify(results[0])).toContain(name.split(' ')[0])
    expect(results[1]).toEqual(results[0])
  })
})

// Without redis-server there is nothing to compare with.
describe.skipIf(!hasRedisServer)('scripts in a cluster', () => {
  let both: TestNode[] = []
  beforeAll(async () => {
    for (const kind of ['redis', 'ours'] as const) {
      const node = await nodes.start(kind, { 'cluster-enabled': 'yes', 'cluster-port': String(await freePort()) })
      await node.send('CLUSTER', 'ADDSLOTSRANGE', '0', '12000')
      await node.send('CONFIG', 'SET', 'cluster-require-full-coverage', 'no')
      while (!String(await node.send('CLUSTER', 'INFO')).includes('cluster_state:ok')) {
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      both = [...both, node]
    }
  })

  // a: 15495 (nobody's), b: 3300, c: 7365, {b}x: as b.
  const touching = ['a', 'b', 'c', '{b}x'].flatMap((key) => [
    `return redis.pcall('SET', '${key}', '1')`,
    `redis.call('SET', 'b', '1') return redis.pcall('GET', '${key}')`,
    `return redis.call('GET', '${key}')`,
  ])
  const declared = [[], ['b'], ['c'], ['b', '{b}x'], ['b', 'c'], ['a']]

  test.each([
    '',
    '#!lua\n',
    '#!lua flags=allow-cross-slot-keys\n',
    '#!lua flags=no-cluster\n',
    '#!lua flags=no-writes\n',
  ])('with the first line %j touch keys, declared or not, as on redis-server', async (line) => {
    const results: unknown[][] = []
    for (const node of both) {
      const replies: unknown[] = []
      for (const body of touching) {
        for (const keys of declared) {
          const reply = await node.send('EVAL', line + body, String(keys.length), ...keys)
          replies.push([body, keys, plain(reply)])
        }
      }
      results.push(replies)
    }
    expect(results[1]).toEqual(results[0])
  })
})

againstRedis('scripts among other clients', () => {
  const pair = usePair()

  /** The same steps with three clients of each server. */
  async function both(run: (clients: RawConnection[]) => Promise<unknown>): Promise<void> {
    const sessions = [await pair().session(), await pair().session(), await pair().session()]
    try {
      const redis = await run(sessions.map((session) => session.redis))
      const engine = await run(sessions.map((session) => session.engine))
      expect(engine).toEqual(redis)
    } finally {
      for (const session of sessions) {
        session.redis.close()
        session.engine.close()
      }
    }
  }

  test('CLIENT PAUSE WRITE holds writing scripts back and lets read-only ones run', async () => {
    const write = "redis.call('SET', 'p', '1') return 'written'"
    await both(async ([admin, first, second]) => {
      const replies: string[] = [await admin!.send('DEL', 'p'), await admin!.send('CLIENT', 'PAUSE', '100000', 'WRITE')]
      replies.push(await first!.send('EVAL_RO', "return redis.call('GET', 'p')", '0'))
      replies.push(await first!.send('EVAL', '#!lua flags=no-writes\nreturn 1', '0'))
      const waiting = [first!.send('EVAL', write, '0'), second!.send('EVAL', '#!lua\nreturn 2', '0')]
      while (!(await admin!.send('INFO', 'clients')).includes('blocked_clients:2'));
      replies.push(await admin!.send('EXISTS', 'p'), await admin!.send('CLIENT', 'UNPAUSE'))
      return [...replies, ...(await Promise.all(waiting)), await admin!.send('GET', 'p')]
    })
  })

  test('keyspace events of a script come in the order of its commands', async () => {
    await both(async ([admin, listener]) => {
      await admin!.send('CONFIG', 'SET', 'notify-keyspace-events', 'KEA')
      await listener!.send('PSUBSCRIBE', '__key*__:*')
      await admin!.send('EVAL', "redis.call('SET','e','1') redis.call('EXPIRE','e','100') redis.call('DEL','e')", '0')
      const events = (await listener!.read(6)).map(String)
      await admin!.send('CONFIG', 'SET', 'notify-keyspace-events', '')
      return events
    })
  })

  test('WATCH sees what a script writes, not what it reads', async () => {
    await both(async ([admin, other]) => {
      const replies: string[] = []
      for (const script of ["redis.call('GET', 'w')", "redis.call('INCR', 'w')", "redis.call('DEL', 'none')"]) {
        await admin!.send('WATCH', 'w', 'none')
        await other!.send('EVAL', script, '0')
        await admin!.send('MULTI')
        await admin!.send('PING')
        replies.push(await admin!.send('EXEC'))
      }
      return replies
    })
  })

  test('MONITOR shows the script, then its commands', async () => {
    await both(async ([admin, watcher]) => {
      await watcher!.send('MONITOR')
      await admin!.send(
        'EVAL',
        "redis.call('SET', KEYS[1], 'v') redis.pcall('nosuch') redis.call('GET', 'm')",
        '1',
        'm',
      )
      await admin!.send('MULTI')
      await admin!.send('EVAL', "redis.call('DEL', 'm')", '0')
      await admin!.send('EXEC')
      await admin!.send('PING', 'end')
      return (await watcher!.read(8)).map((line) =>
        line
          .toString('latin1')
          .replace(/^\+\d+\.\d{6} \[(\d+) (?:lua|127[^\]]*)\]/, (all) => (all.includes('lua') ? 'lua' : 'client')),
      )
    })
  })

  test('INFO counts scripts, functions and libraries', async () => {
    await both(async ([admin]) => {
      await admin!.send('SCRIPT', 'FLUSH')
      await admin!.send('FUNCTION', 'FLUSH')
      const counts = async () =>
        (await admin!.send('INFO', 'memory')).match(/number_of_\w+:\d+|used_memory_scripts_eval:0\b/g)
      const before = await counts()
      for (let i = 0; i < 3; i++) await admin!.send('EVAL', `return ${i}`, '0')
      const library =
        "#!lua name=one\nredis.register_function('f', function() end) redis.register_function('g', function() end)"
      await admin!.send('FUNCTION', 'LOAD', library)
      return [before, await counts()]
    })
  })
})
