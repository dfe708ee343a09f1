/**
 * What reading and claiming in a consumer group look like to replicas and the append-only file: not the command, which
 * depends on times and on who else reads, but what came of it, an XCLAIM for each entry and the group's new position.
 */
import type { Consumer, PendingEntry, StreamGroup } from '../data/stream-group.ts'
import type { Context } from './context.ts'

type Words = readonly (string | Buffer)[]

/** Makes a consumer, with its keyspace event. */
export function addConsumer(context: Context, key: Buffer, group: StreamGroup, name: Buffer): Consumer {
  const consumer = group.addConsumer(Buffer.from(name), context.nowMs)
  context.notify('stream', 'xgroup-createconsumer', key)
  context.dirty(1)
  return consumer
}

/** Gathers what the running command did to groups. `end` puts it in place of the command itself. */
export class GroupChanges {
  private readonly context: Context
  private readonly words: Words[] = []
  /** Nothing was noted so far. */
  isEmpty = true

  constructor(context: Context) {
    this.context = context
  }

  claimed(key: Buffer, group: StreamGroup, entry: PendingEntry, idAsSaid?: Buffer): void {
    this.isEmpty = false
    if (!this.context.isPropagated) return
    this.words.push([
      'XCLAIM',
      key,
      group.name,
      entry.consumer.name,
      '0',
      idAsSaid ?? entry.id.toString(),
      'TIME',
      String(entry.deliveredMs),
      'RETRYCOUNT',
      String(entry.deliveries),
      'FORCE',
      'JUSTID',
      'LASTID',
      group.lastId.toString(),
    ])
  }

  /** The group has come further in the stream. */
  moved(key: Buffer, group: StreamGroup): void {
    this.isEmpty = false
    const { lastId, entriesRead } = group
    this.words.push(['XGROUP', 'SETID', key, group.name, lastId.toString(), 'ENTRIESREAD', String(entriesRead)])
  }

  consumerMade(key: Buffer, group: StreamGroup, consumer: Consumer): void {
    this.isEmpty = false
    this.words.push(['XGROUP', 'CREATECONSUMER', key, group.name, consumer.name])
  }

  end(): void {
    const { context } = this
    const [first, ...others] = this.words
    if (first === undefined) {
      context.preventPropagation()
      return
    }
    context.forcePropagation('everywhere')
    context.propagateAs(first)
    for (const words of others) context.alsoPropagate(words)
  }
}
