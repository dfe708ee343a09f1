/** The connected clients: registry, and the line that CLIENT LIST shows for each. */
import type { Client } from './client.ts'

export class ClientRegistry {
  /** Clients parked by blocking commands or by CLIENT PAUSE. */
  blockedCount = 0
  private nextId = 1
  private readonly byId = new Map<number, Client>()
  private readonly nowMs: () => number

  constructor(nowMs: () => number) {
    this.nowMs = nowMs
  }

  /** Connected clients, replicas included, internal ones not. */
  get count(): number {
    return this.byId.size
  }

  newId(): number {
    return this.nextId++
  }

  add(client: Client): void {
    this.byId.set(client.id, client)
  }

  remove(client: Client): void {
    this.byId.delete(client.id)
  }

  get(id: number): Client | undefined {
    return this.byId.get(id)
  }

  /** In the order in which they connected. Safe against clients that go away meanwhile. */
  [Symbol.iterator](): Iterator<Client> {
    return [...this.byId.values()][Symbol.iterator]()
  }

  /** The line of CLIENT LIST, with the fields of Redis 7.0. Buffer sizes are those of this implementation. */
  describe(client: Client): string {
    const { subscriptions, transaction } = client
    const nowMs = this.nowMs()
    const output = client.outputBytes
    const unsent = client.connection?.bufferedBytes ?? 0
    const fields: [string, string | number][] = [
      ['id', client.id],
      ['addr', client.address],
      ['laddr', client.localAddress],
      ['fd', client.connection === undefined ? -1 : client.id],
      ['name', client.name],
      ['age', Math.max(0, Math.floor((nowMs - client.createdMs) / 1000))],
      ['idle', Math.max(0, Math.floor((nowMs - client.lastCommandMs) / 1000))],
      ['flags', clientFlags(client)],
      ['db', client.databaseIndex],
      ['sub', subscriptions.channels.size],
      ['psub', subscriptions.patterns.size],
      ['ssub', subscriptions.shardChannels.size],
      ['multi', transaction === undefined ? -1 : transaction.commands.length],
      ['qbuf', client.parser.pendingBytes],
      ['qbuf-free', client.parser.queryCapacity - client.parser.pendingBytes],
      ['argv-mem', client.argumentBytes],
      ['multi-mem', transaction?.bytes ?? 0],
      ['rbs', client.replyBufferBytes],
      ['rbp', client.replyBufferBytes],
      ['obl', output - unsent],
      ['oll', unsent === 0 ? 0 : 1],
      ['omem', unsent],
      ['tot-mem', client.memoryBytes],
      ['events', output > 0 ? 'rw' : 'r'],
      ['cmd', client.lastCommandName ?? 'NULL'],
      ['user', client.userName],
      ['redir', client.tracking?.redirect ?? -1],
      ['resp', client.reply.protocol],
    ]
    return fields.map(([name, value]) => `${name}=${value}`).join(' ')
  }
}

/** Letters as in CLIENT LIST, in Redis's order. */
function clientFlags(client: Client): string {
  let flags = ''
  if (client.kind === 'replica') flags += client.monitoring ? 'O' : 'S'
  if (client.monitoring && client.kind !== 'replica') flags += 'O'
  if (client.kind === 'primary') flags += 'M'
  if (client.subscribed) flags += 'P'
  if (client.transaction !== undefined) flags += 'x'
  if (client.blocked) flags += 'b'
  if (client.tracking !== undefined) flags += 't'
  if (client.tracking?.redirectBroken) flags += 'R'
  if (client.tracking?.broadcast) flags += 'B'
  if (client.watchBroken) flags += 'd'
  if (client.connection?.isUnixSocket) flags += 'U'
  if (client.readOnlyMode) flags += 'r'
  if (client.noEvict) flags += 'e'
  return flags === '' ? 'N' : flags
}
