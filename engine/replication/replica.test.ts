/** What a replica says to its primary: a primary played by the test. */
import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { RdbWriter } from '../persist/rdb-writer.ts'
import { encodeRequest } from '../resp/request.ts'
import { type TestNode, TestNodes, until } from '../testing/nodes.ts'

const nodes = new TestNodes()
const ID = 'a'.repeat(40)

/** Answers the handshake; what happens after PSYNC is up to the test. */
class PlayedPrimary {
  readonly requests: string[] = []
  private readonly sockets: Socket[] = []
  private readonly server: Server
  private answer: (request: string, socket: Socket) => void

  constructor(answer: (request: string, socket: Socket) => void) {
    this.answer = answer
    this.server = createServer((socket) => {
      this.sockets.push(socket)
      socket.on('error', () => {})
      socket.on('data', (chunk) => this.take(chunk.toString('latin1'), socket))
    })
  }

  listen(): Promise<number> {
    return new Promise((resolve) => {
      this.server.listen(0, '127.0.0.1', () => {
        const address = this.server.address()
        resolve(typeof address === 'object' && address !== null ? address.port : 0)
      })
    })
  }

  private take(text: string, socket: Socket): void {
    for (const request of text.split(/(?=\*\d+\r\n)/)) {
      const words = request.split('\r\n').filter((_line, index) => index > 0 && index % 2 === 0)
      const line = words.join(' ')
      this.requests.push(line)
      if (line === 'PING') socket.write('+PONG\r\n')
      else if (line.startsWith('REPLCONF ACK')) continue
      else if (line.startsWith('REPLCONF')) socket.write('+OK\r\n')
      else this.answer(line, socket)
    }
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy()
    this.server.close()
  }
}

let played: PlayedPrimary | undefined
afterEach(async () => {
  played?.close()
  await nodes.stopAll()
})

async function replicaOf(answer: (request: string, socket: Socket) => void, settings = {}): Promise<TestNode> {
  played = new PlayedPrimary(answer)
  return nodes.start('ours', { replicaof: `127.0.0.1 ${await played.listen()}`, ...settings })
}

function emptySnapshot(): Buffer {
  const chunks: Buffer[] = []
  const writer = new RdbWriter({ sink: (chunk) => chunks.push(Buffer.from(chunk)), checksum: true, compression: true })
  writer.header({ createdSeconds: 0, usedMemoryBytes: 0, replication: undefined })
  writer.end()
  return Buffer.concat(chunks)
}

function fullResync(offset: number, stream: Buffer): Buffer {
  const snapshot = emptySnapshot()
  return Buffer.concat([
    Buffer.from(`+FULLRESYNC ${ID} ${offset}\r\n`),
    Buffer.from(`\n\n$${snapshot.length}\r\n`),
    snapshot,
    stream,
  ])
}

test('the handshake is the one of Redis', async () => {
  const replica = await replicaOf(() => {}, { 'replica-announce-ip': '10.1.2.3', masterauth: 'word', masteruser: 'me' })
  await until(async () => (played?.requests.length ?? 0) >= 2)
  expect(played?.requests.slice(0, 2)).toEqual(['PING', 'AUTH me word'])
  await nodes.stopAll()
  played?.close()

  await replicaOf(() => {}, { 'replica-announce-ip': '10.1.2.3', 'replica-announce-port': String(replica.port) })
  await until(async () => (played?.requests.length ?? 0) >= 5)
  expect(played?.requests).toEqual([
    'PING',
    `REPLCONF listening-port ${replica.port}`,
    'REPLCONF ip-address 10.1.2.3',
    'REPLCONF capa eof capa psync2',
    'PSYNC ? -1',
  ])
})

const complete = encodeRequest(['SET', 'complete', 'yes'])

test.each([
  ['a command that arrived in part', encodeRequest(['SET', 'partly', 'there']).subarray(0, 25)],
  ['a transaction that was not executed', Buffer.concat([encodeRequest(['MULTI']), encodeRequest(['INCR', 'n'])])],
])('a partial resync goes on after the last whole unit, before %s', async (_what, tail) => {
  const replica = await replicaOf((request, socket) => {
    if (request === 'PSYNC ? -1') socket.end(fullResync(1000, Buffer.concat([complete, tail])))
  })
  const wanted = `PSYNC ${ID} ${1000 + complete.length + 1}`
  await until(
    async () => played?.requests.includes(wanted) ?? false,
    () => `${wanted} was not asked: ${played?.requests.join(', ')}\n${replica.log()}`,
  )
  expect(await replica.send('GET', 'complete')).toBe('yes')
  expect(await replica.send('EXISTS', 'n', 'partly')).toBe(0)
})

test('a new name of the stream is taken over, the old one stays good up to here', async () => {
  const renamed = 'b'.repeat(40)
  const replica = await replicaOf((request, socket) => {
    if (request === 'PSYNC ? -1') socket.end(fullResync(500, complete))
    else if (request.startsWith(`PSYNC ${ID}`)) socket.write(`+CONTINUE ${renamed}\r\n`)
  })
  await until(async () => replica.log().includes(`Master replication ID changed to ${renamed}`))
  const info = String(await replica.send('INFO', 'replication'))
  expect(info).toContain(`master_replid:${renamed}`)
  expect(info).toContain(`master_replid2:${ID}`)
  expect(info).toContain(`second_repl_offset:${500 + complete.length + 1}`)
})

test('a primary that goes away during the transfer costs nothing: the old data stay', async () => {
  let syncs = 0
  const replica = await replicaOf((request, socket) => {
    if (!request.startsWith('PSYNC')) return
    syncs++
    if (syncs === 1) socket.end(fullResync(10, complete))
    else socket.end(fullResync(10, Buffer.alloc(0)).subarray(0, -20))
  })
  await until(async () => syncs >= 3)
  expect(await replica.send('GET', 'complete')).toBe('yes')
  expect(replica.log()).toContain('I/O error trying to sync with MASTER: connection lost')
})

test('a damaged snapshot is refused with its offset, and another is asked for', async () => {
  let syncs = 0
  const replica = await replicaOf((request, socket) => {
    if (!request.startsWith('PSYNC')) return
    syncs++
    const answer = fullResync(10, Buffer.alloc(0))
    if (syncs === 1) answer[answer.length - 3] = (answer[answer.length - 3] as number) ^ 1
    socket.write(answer)
  })
  await until(async () => syncs >= 2 && replica.log().includes('Finished with success'))
  expect(replica.log()).toMatch(
    /Failed trying to load the MASTER synchronization DB from disk: Wrong RDB checksum .* at offset \d+/,
  )
})

test('an expired key is hidden, and stays until the primary removes it', async () => {
  let link: Socket | undefined
  const replica = await replicaOf((request, socket) => {
    if (!request.startsWith('PSYNC')) return
    link = socket
    socket.write(fullResync(0, encodeRequest(['SET', 'key', 'value', 'PXAT', '1000'])))
  })
  await until(async () => (await replica.send('DBSIZE')) === 1)
  expect(await replica.send('GET', 'key')).toBe(null)
  expect(await replica.send('DBSIZE')).toBe(1)
  link?.write(encodeRequest(['DEL', 'key']))
  await until(async () => (await replica.send('DBSIZE')) === 0)
})

test('without its primary it answers with what it has, or refuses when told to', async () => {
  const replica = await replicaOf(() => {})
  expect(await replica.send('GET', 'key')).toBe(null)
  await replica.send('CONFIG', 'SET', 'replica-serve-stale-data', 'no')
  expect(String(await replica.send('GET', 'key'))).toContain(
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
  )
  expect(String(await replica.send('INFO', 'replication'))).toContain('master_link_status:down')
})

test('while a snapshot is being loaded as it arrives, commands are answered with LOADING', async () => {
  let link: Socket | undefined
  const replica = await replicaOf(
    (request, socket) => {
      if (!request.startsWith('PSYNC')) return
      link = socket
      socket.write(fullResync(0, complete).subarray(0, 120))
    },
    { 'repl-diskless-load': 'on-empty-db' },
  )
  await until(async () => String(await replica.send('GET', 'complete')).includes('LOADING'))
  expect(String(await replica.send('INFO', 'replication'))).toContain('master_sync_in_progress:1')
  link?.write(fullResync(0, complete).subarray(120))
  await until(async () => (await replica.send('GET', 'complete')) === 'yes')
})
