/**
 * The options that XADD and XTRIM share: `MAXLEN|MINID [=|~] threshold [LIMIT count]`, and for XADD NOMKSTREAM and the
 * id.
 */
import type { Stream, Trim } from '../data/stream.ts'
import { type ParsedId, parseStreamId, type StreamId } from '../data/stream-id.ts'
import type { Arguments } from './arguments.ts'
import type { Context } from './context.ts'
import { errors } from './errors.ts'
import { numberArgument } from './number-argument.ts'
import { INVALID_ID, readId } from './stream-lookup.ts'

export interface StreamOptions {
  /** XADD: `undefined` is `*`. */
  id: ParsedId | undefined
  /** XADD: index of the id. */
  idIndex: number
  noMakeStream: boolean
  trim: Trim | undefined
  /** Index of the threshold. */
  thresholdIndex: number
}

const TWO_STRATEGIES = 'ERR syntax error, MAXLEN and MINID options at the same time are not compatible'
const LIMIT_ALONE = 'ERR syntax error, LIMIT cannot be used without specifying a trimming strategy'
const LIMIT_EXACT = 'ERR syntax error, LIMIT cannot be used without the special ~ option'
const NO_STRATEGY = 'ERR syntax error, XTRIM must be called with a trimming strategy'

/** Nodes that an approximate trim looks at when no LIMIT is given. */
const LIMIT_NODES = 100
const LIMIT_MAX = 1_000_000
const LIMIT_WITHOUT_NODES = 10_000

/** Reads the options from argument 2 on. Undefined after an error was answered. */
export function readStreamOptions(context: Context, args: Arguments, isAdd: boolean): StreamOptions | undefined {
  const options = new OptionReader(context, args, isAdd)
  return options.read() ? options.result() : undefined
}

class OptionReader {
  private readonly context: Context
  private readonly args: Arguments
  private readonly isAdd: boolean
  private at = 2
  private id: ParsedId | undefined
  private noMakeStream = false
  private threshold: { maxLength: number } | { minId: StreamId } | undefined
  private thresholdIndex = 0
  private approximate = false
  private limit: number | undefined

  constructor(context: Context, args: Arguments, isAdd: boolean) {
    this.context = context
    this.args = args
    this.isAdd = isAdd
  }

  /** False after an error was answered. */
  read(): boolean {
    const { args, isAdd } = this
    for (; this.at < args.count; this.at++) {
      const { at } = this
      const more = at + 1 < args.count
      if (isAdd && args.is(at, '*')) break
      if (more && args.is(at, 'maxlen')) {
        if (!this.readThreshold(false)) return false
      } else if (more && args.is(at, 'minid')) {
        if (!this.readThreshold(true)) return false
      } else if (more && args.is(at, 'limit')) {
        if (!this.readLimit()) return false
      } else if (isAdd && args.is(at, 'nomkstream')) {
        this.noMakeStream = true
      } else if (isAdd) {
        this.id = parseStreamId(args.latin1(at), 0n, true, true)
        if (this.id === undefined) return this.refuse(INVALID_ID)
        break
      } else return this.refuse(errors.syntax)
    }
    return this.isConsistent()
  }

  private readThreshold(isId: boolean): boolean {
    const { args, context } = this
    if (this.threshold !== undefined) return this.refuse(TWO_STRATEGIES)
    this.approximate = false
    if (this.at + 2 < args.count && (args.is(this.at + 1, '~') || args.is(this.at + 1, '='))) {
      this.approximate = args.is(this.at + 1, '~')
      this.at++
    }
    this.at++
    this.thresholdIndex = this.at
    if (isId) {
      const minId = readId(context, args, this.at)
      if (minId === undefined) return false
      this.threshold = { minId }
      return true
    }
    const maxLength = numberArgument(context, args, this.at)
    if (Number.isNaN(maxLength)) return false
    if (maxLength < 0) return this.refuse('ERR The MAXLEN argument must be >= 0.')
    this.threshold = { maxLength }
    return true
  }

  private readLimit(): boolean {
    const limit = numberArgument(this.context, this.args, ++this.at)
    if (Number.isNaN(limit)) return false
    if (limit < 0) return this.refuse('ERR The LIMIT argument must be >= 0.')
    this.limit = limit
    return true
  }

  private isConsistent(): boolean {
    if (this.threshold === undefined) {
      if ((this.limit ?? 0) > 0) return this.refuse(LIMIT_ALONE)
      if (!this.isAdd) return this.refuse(NO_STRATEGY)
    }
    if (this.limit !== undefined && !this.approximate && !mustObey(this.context)) return this.refuse(LIMIT_EXACT)
    return true
  }

  private refuse(message: string): false {
    this.context.reply.error(message)
    return false
  }

  result(): StreamOptions {
    const { id, at: idIndex, noMakeStream, threshold, thresholdIndex, approximate } = this
    const trim = threshold === undefined ? undefined : this.trimOf(threshold, approximate)
    return { id, idIndex, noMakeStream, trim, thresholdIndex }
  }

  private trimOf(threshold: { maxLength: number } | { minId: StreamId }, approximate: boolean): Trim {
    const limit = this.effectiveLimit()
    return 'maxLength' in threshold
      ? { maxLength: threshold.maxLength, approximate, limit }
      : { minId: threshold.minId, approximate, limit }
  }

  private effectiveLimit(): number {
    if (mustObey(this.context) || !this.approximate) return 0
    if (this.limit !== undefined) return this.limit
    const limit = LIMIT_NODES * this.context.server.aggregateSettings.limits['stream-node-max-entries']
    return limit <= 0 ? LIMIT_WITHOUT_NODES : Math.min(limit, LIMIT_MAX)
  }
}

/** The command comes from a primary or an append-only file, where the limit has been applied already. */
function mustObey(context: Context): boolean {
  return context.client.kind === 'primary' || context.server.loading
}

/**
 * The words of the running command with what an approximate trim has come to in place of what was asked: the exact
 * length or first id. So replicas trim the same entries, whatever their nodes are like.
 */
export function exactWords(
  args: Arguments,
  stream: Stream,
  { trim, thresholdIndex }: StreamOptions,
): (string | Buffer)[] {
  const words: (string | Buffer)[] = []
  for (let i = 0; i < args.count; i++) words.push(args.copy(i))
  if (trim?.approximate !== true) return words
  words[thresholdIndex - 1] = '='
  words[thresholdIndex] = 'maxLength' in trim ? String(stream.length) : stream.firstEntryId(true).toString()
  return words
}
