/**
 * A stream as commands, for the append-only file: its entries, its history, its groups with their consumers and what is
 * pending for each. The commands are those of Redis's rewrite (`rewriteStreamObject` in aof.c).
 */
import type { StreamValue } from '../store/stream-value.ts'

type Words = readonly (string | Buffer)[]

/** Stops behind each command. */
export function* emitStream(key: Buffer, value: StreamValue, emit: (words: Words) => void): Generator<void, void> {
  const { stream } = value
  const cursor = stream.all()
  while (cursor.next()) {
    const words: (string | Buffer)[] = ['XADD', key, cursor.id.toString()]
    cursor.sendTexts({ bulk: (bytes, start, end) => words.push(Buffer.from(bytes.subarray(start, end))) })
    emit(words)
    yield
  }
  if (stream.length === 0) {
    // An entry that is trimmed at once leaves an empty stream.
    emit(['XADD', key, 'MAXLEN', '0', stream.lastId.isZero ? '0-1' : stream.lastId.toString(), 'x', 'y'])
  }
  const { lastId, entriesAdded, maxDeletedId } = stream
  const added = ['ENTRIESADDED', String(entriesAdded)]
  emit(['XSETID', key, lastId.toString(), ...added, 'MAXDELETEDID', maxDeletedId.toString()])
  for (const { name, lastId: delivered, entriesRead, consumers } of value.groups) {
    emit(['XGROUP', 'CREATE', key, name, delivered.toString(), 'ENTRIESREAD', String(entriesRead)])
    for (const consumer of consumers) {
      if (consumer.pending.size === 0) emit(['XGROUP', 'CREATECONSUMER', key, name, consumer.name])
      for (const { id, deliveredMs, deliveries } of consumer.pending) {
        const times = ['TIME', String(deliveredMs), 'RETRYCOUNT', String(deliveries)]
        emit(['XCLAIM', key, name, consumer.name, '0', id.toString(), ...times, 'JUSTID', 'FORCE'])
        yield
      }
    }
  }
}
