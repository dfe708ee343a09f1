/**
 * A data set as the shortest sequence of commands that makes it: the base of the append-only file with
 * `aof-use-rdb-preamble no`. The commands are those of Redis's rewrite: at most 64 elements in each, so that no reader
 * ever meets a huge one.
 */
import { Arguments } from '../commands/arguments.ts'
import type { HashValue } from '../store/hash-value.ts'
import { NO_FIELD } from '../store/hash-value.ts'
import { type Aggregate, ValueType } from '../store/keyspace-port.ts'
import type { ListValue } from '../store/list-value.ts'
import type { SetValue } from '../store/set-value.ts'
import type { SortedSetValue } from '../store/sorted-set-value.ts'
import type { StreamValue } from '../store/stream-value.ts'
import { AofBuffer } from './aof-buffer.ts'
import { emitStream } from './aof-stream.ts'
import type { SnapshotWriter } from './snapshot.ts'

/** Redis's AOF_REWRITE_ITEMS_PER_CMD. */
const ELEMENTS_MAX = 64
const CHUNK_BYTES = 64 * 1024

type Emit = (words: readonly (string | Buffer)[]) => void

/** Yields the words of each element after another: a member, a field and its value. */
type Elements = Iterable<readonly (string | Buffer)[]>

const rewriters: Partial<Record<ValueType, { command: string; elements(value: Aggregate): Elements }>> = {
  [ValueType.list]: { command: 'RPUSH', elements: (value) => listElements(value as ListValue) },
  [ValueType.set]: { command: 'SADD', elements: (value) => setElements(value as SetValue) },
  [ValueType.sortedSet]: { command: 'ZADD', elements: (value) => sortedSetElements(value as SortedSetValue) },
  [ValueType.hash]: { command: 'HMSET', elements: (value) => hashElements(value as HashValue) },
}

function* listElements({ list }: ListValue): Elements {
  for (
    let place = list.end(true), more = place !== undefined;
    place !== undefined && more;
    more = list.advance(place)
  ) {
    const { memory, start, end } = list.read(place)
    yield [Buffer.from(memory.subarray(start, end))]
  }
}

function* setElements(value: SetValue): Elements {
  for (const member of value) yield [Buffer.from(member, 'latin1')]
}

function* sortedSetElements(value: SortedSetValue): Elements {
  for (const { member, score } of value.range()) yield [value.scoreText(score), Buffer.from(member, 'latin1')]
}

function* hashElements(value: HashValue): Elements {
  for (let place = value.first(); place !== NO_FIELD; place = value.next(place)) {
    yield [Buffer.from(value.field(place), 'latin1'), Buffer.from(value.value(place), 'latin1')]
  }
}

function emitAggregate(key: Buffer, value: Aggregate, emit: Emit): void {
  if (value.type === ValueType.stream) {
    emitStream(key, value as StreamValue, emit)
    return
  }
  const rewriter = rewriters[value.type]
  if (rewriter === undefined) throw new Error(`no AOF rewriter for values of type ${value.type}`)
  let words: (string | Buffer)[] = [rewriter.command, key]
  let elements = 0
  for (const element of rewriter.elements(value)) {
    words.push(...element)
    if (++elements < ELEMENTS_MAX) continue
    emit(words)
    words = [rewriter.command, key]
    elements = 0
  }
  if (elements > 0) emit(words)
}

export class AofCommandWriter implements SnapshotWriter {
  private readonly buffer = new AofBuffer()
  private readonly sink: (chunk: Buffer) => void
  private passedBytes = 0

  /** `stampSeconds`: the time for the annotation at the beginning, when there is to be one. */
  constructor(sink: (chunk: Buffer) => void, stampSeconds: number | undefined) {
    this.sink = sink
    if (stampSeconds !== undefined) this.buffer.annotate(`TS:${stampSeconds}`)
  }

  get bytesWritten(): number {
    return this.passedBytes + this.buffer.length
  }

  header(): void {}

  functionLibrary(source: Buffer): void {
    this.emit(['FUNCTION', 'LOAD', source])
  }

  selectDatabase(index: number): void {
    this.buffer.select(index)
  }

  resizeDatabase(): void {}

  entry(key: Buffer, text: Buffer | undefined, aggregate: Aggregate | undefined, expireAtMs: number): void {
    const emit: Emit = (words) => this.emit(words)
    if (text !== undefined) emit(['SET', key, text])
    else emitAggregate(key, aggregate as Aggregate, emit)
    if (expireAtMs >= 0) emit(['PEXPIREAT', key, String(expireAtMs)])
  }

  end(): void {
    this.flush()
  }

  private emit(words: readonly (string | Buffer)[]): void {
    this.buffer.command(Arguments.of(words))
    if (this.buffer.length >= CHUNK_BYTES) this.flush()
  }

  private flush(): void {
    const { length } = this.buffer
    this.passedBytes += length
    if (length > 0) this.sink(this.buffer.bytes())
    this.buffer.drop(length)
  }
}
