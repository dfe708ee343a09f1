/**
 * A data set as the shortest sequence of commands that makes it: the base of the append-only file with
 * `aof-use-rdb-preamble no`. The commands are those of Redis's rewrite: at most 64 elements in each, so that no reader
 * ever meets a huge one.
 */
import { Arguments } from '../commands/arguments.ts'
import type { HashValue } from '../store/hash-value.ts'
import { NO_FIELD } from '../store/hash-value.ts'
import { type Aggregate, type SnapshotPart, ValueType } from '../store/keyspace-port.ts'
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
/** Entries of fewer commands are written at once. */
const COMMANDS_AT_ONCE = 8

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

/** Stops behind each command. */
function* emitAggregate(key: Buffer, value: Aggregate, emit: Emit): Generator<void, void> {
  if (value.type === ValueType.stream) {
    yield* emitStream(key, value as StreamValue, emit)
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
    yield
    words = [rewriter.command, key]
    elements = 0
  }
  if (elements > 0) emit(words)
}

function* emitEntry(
  key: Buffer,
  text: Buffer | undefined,
  aggregate: Aggregate | undefined,
  expireAtMs: number,
  emit: Emit,
): Generator<void, void> {
  if (text !== undefined) emit(['SET', key, text])
  else yield* emitAggregate(key, aggregate as Aggregate, emit)
  if (expireAtMs >= 0) emit(['PEXPIREAT', key, String(expireAtMs)])
}

export class AofCommandWriter implements SnapshotWriter {
  private readonly file = new AofBuffer()
  /** The file; while an aggregate is being written to it in parts, memory for what belongs behind that. */
  private buffer = this.file
  private readonly sink: (chunk: Buffer) => void
  private passedBytes = 0

  /** `stampSeconds`: the time for the annotation at the beginning, when there is to be one. */
  constructor(sink: (chunk: Buffer) => void, stampSeconds: number | undefined) {
    this.sink = sink
    if (stampSeconds !== undefined) this.buffer.annotate(`TS:${stampSeconds}`)
  }

  get bytesWritten(): number {
    return this.passedBytes + this.file.length + (this.buffer === this.file ? 0 : this.buffer.length)
  }

  header(): void {}

  functionLibrary(source: Buffer): void {
    this.emit(this.file, ['FUNCTION', 'LOAD', source])
  }

  selectDatabase(index: number): void {
    this.buffer.select(index)
  }

  resizeDatabase(): void {}

  entry(
    key: Buffer,
    text: Buffer | undefined,
    aggregate: Aggregate | undefined,
    expireAtMs: number,
  ): SnapshotPart | undefined {
    const { buffer } = this
    const emit: Emit = (words) => this.emit(buffer, words)
    const parts = emitEntry(Buffer.from(key), text, aggregate, expireAtMs, emit)
    for (let i = 0; i < COMMANDS_AT_ONCE; i++) if (parts.next().done) return undefined
    return this.inParts(buffer, parts)
  }

  /** Commands for other keys, and databases, must not come between those of one key. */
  private inParts(outer: AofBuffer, parts: Iterator<void, void>): SnapshotPart {
    const inner = new AofBuffer()
    this.buffer = inner
    return () => {
      if (!parts.next().done) return false
      outer.append(inner.bytes())
      this.buffer = outer
      return true
    }
  }

  end(): void {
    this.flush()
  }

  private emit(buffer: AofBuffer, words: readonly (string | Buffer)[]): void {
    buffer.command(Arguments.of(words))
    if (this.file.length >= CHUNK_BYTES) this.flush()
  }

  private flush(): void {
    const { length } = this.file
    this.passedBytes += length
    if (length > 0) this.sink(this.file.bytes())
    this.file.drop(length)
  }
}
