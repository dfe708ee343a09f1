/**
 * LCS: the longest common subsequence of two strings by dynamic programming, in O(n × m) time and memory like Redis.
 *
 * `lengths[i][j]` is the length for the first i bytes of a and the first j of b. Walking back from the far corner
 * yields the subsequence from its end, and the ranges in which both strings run on in step.
 */
import { NO_ENTRY, ValueType } from '../store/keyspace-port.ts'
import type { Arguments } from './arguments.ts'
import type { Context } from './context.ts'
import { errors } from './errors.ts'
import { numberArgument } from './number-argument.ts'

interface LcsOptions {
  length: boolean
  ranges: boolean
  rangeLengths: boolean
  minRangeLength: number
}

/** First and last position in a and in b. */
type Range = readonly [aFirst: number, aLast: number, bFirst: number, bLast: number]

const EMPTY = Buffer.alloc(0)

export function longestCommonSubsequence(context: Context, args: Arguments): void {
  const a = readText(context, 1)
  const b = readText(context, 2)
  if (a === undefined || b === undefined) {
    context.reply.error('ERR The specified keys must contain string values')
    return
  }
  const options = readOptions(context, args)
  if (options === undefined) return
  if ((a.length + 1) * (b.length + 1) * 4 > context.server.config.values['proto-max-bulk-len']) {
    context.reply.error('ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len')
    return
  }
  const lengths = lengthTable(a, b)
  const length = lengths[lengths.length - 1] as number
  if (options.length) context.reply.integer(length)
  else if (options.ranges) sendRanges(context, commonRanges(a, b, lengths), length, options)
  else context.reply.bulk(commonBytes(a, b, lengths, length))
}

/** Copies, because the second look-up may move the first value. */
function readText(context: Context, keyIndex: number): Buffer | undefined {
  const entry = context.lookupRead(keyIndex)
  if (entry === NO_ENTRY) return EMPTY
  return context.db.type(entry) === ValueType.string ? context.db.text(entry) : undefined
}

function readOptions(context: Context, args: Arguments): LcsOptions | undefined {
  const options: LcsOptions = { length: false, ranges: false, rangeLengths: false, minRangeLength: 0 }
  for (let i = 3; i < args.count; i++) {
    if (args.is(i, 'idx')) options.ranges = true
    else if (args.is(i, 'len')) options.length = true
    else if (args.is(i, 'withmatchlen')) options.rangeLengths = true
    else if (args.is(i, 'minmatchlen') && i + 1 < args.count) {
      const length = numberArgument(context, args, ++i)
      if (Number.isNaN(length)) return undefined
      options.minRangeLength = length
    } else {
      context.reply.error(errors.syntax)
      return undefined
    }
  }
  if (options.length && options.ranges) {
    context.reply.error('ERR If you want both the length and indexes, please just use IDX.')
    return undefined
  }
  return options
}

function lengthTable(a: Buffer, b: Buffer): Uint32Array {
  const width = b.length + 1
  const lengths = new Uint32Array((a.length + 1) * width)
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const here = i * width + j
      const above = lengths[here - width] as number
      const left = lengths[here - 1] as number
      if (a[i - 1] === b[j - 1]) lengths[here] = (lengths[here - width - 1] as number) + 1
      else lengths[here] = above > left ? above : left
    }
  }
  return lengths
}

/** The positions of a and b that match, last first. */
function walkBack(a: Buffer, b: Buffer, lengths: Uint32Array, visit: (i: number, j: number) => void): void {
  const width = b.length + 1
  let i = a.length
  let j = b.length
  while (i > 0 && j > 0) {
    const here = i * width + j
    if (a[i - 1] === b[j - 1]) visit(--i, --j)
    else if ((lengths[here - width] as number) > (lengths[here - 1] as number)) i--
    else j--
  }
}

function commonBytes(a: Buffer, b: Buffer, lengths: Uint32Array, length: number): Buffer {
  const common = Buffer.alloc(length)
  let position = length
  walkBack(a, b, lengths, (i) => {
    common[--position] = a[i] as number
  })
  return common
}

/** Ranges that run on in both strings, the last one first. */
function commonRanges(a: Buffer, b: Buffer, lengths: Uint32Array): Range[] {
  const ranges: Range[] = []
  walkBack(a, b, lengths, (i, j) => {
    const range = ranges[ranges.length - 1]
    if (range !== undefined && range[0] === i + 1 && range[2] === j + 1) {
      ranges[ranges.length - 1] = [i, range[1], j, range[3]]
    } else {
      ranges.push([i, i, j, j])
    }
  })
  return ranges
}

function sendRanges(context: Context, ranges: Range[], length: number, options: LcsOptions): void {
  const { reply } = context
  const wanted = ranges.filter(([first, last]) => last - first + 1 >= options.minRangeLength)
  reply.map(2)
  reply.text('matches')
  reply.array(wanted.length)
  for (const [aFirst, aLast, bFirst, bLast] of wanted) {
    reply.array(options.rangeLengths ? 3 : 2)
    reply.array(2)
    reply.integer(aFirst)
    reply.integer(aLast)
    reply.array(2)
    reply.integer(bFirst)
    reply.integer(bLast)
    if (options.rangeLengths) reply.integer(aLast - aFirst + 1)
  }
  reply.text('len')
  reply.integer(length)
}
