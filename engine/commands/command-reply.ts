/** How COMMAND INFO and COMMAND DOCS render a row of the command table. */
import type { Reply } from '../resp/reply.ts'
import type { CommandRecord } from '../server/command-table.ts'
import { aclCategories } from './categories.ts'
import type { Command, KeySpec } from './command.ts'
import { type ArgumentDoc, docOf } from './command-docs.ts'

type Pair = readonly [name: string, write: () => void]

export function replyCommandInfo(reply: Reply, { command, fullName, subcommands }: CommandRecord): void {
  const { first, last, step } = legacyRange(command)
  const categories = aclCategories(command)
  reply.array(10)
  reply.text(fullName)
  reply.integer(command.arity)
  reply.set(command.flags.length)
  for (const flag of command.flags) reply.simple(flag)
  reply.integer(first)
  reply.integer(last)
  reply.integer(step)
  reply.set(categories.length)
  for (const category of categories) reply.simple(`@${category}`)
  const tips = command.tips ?? []
  reply.set(tips.length)
  for (const tip of tips) reply.text(tip)
  const specs = command.keySpecs ?? []
  reply.set(specs.length)
  for (const spec of specs) replyKeySpec(reply, spec)
  // Redis says a set where there are none, and an array where there are some.
  if (subcommands === undefined) reply.set(0)
  else reply.array(subcommands.size)
  for (const sub of subcommands?.values() ?? []) replyCommandInfo(reply, sub)
}

/** First key, last key, step, as COMMAND said before there were key specs. Redis's `populateCommandLegacyRangeSpec`. */
function legacyRange({ keySpecs = [] }: Command): { first: number; last: number; step: number } {
  const ranges = keySpecs.flatMap(({ begin, find }) =>
    typeof begin === 'object' && 'index' in begin && typeof find === 'object' && 'lastKey' in find
      ? [{ begin: begin.index, ...find }]
      : [],
  )
  const only = ranges[0]
  if (only === undefined) return { first: 0, last: 0, step: 0 }
  if (keySpecs.length === 1) {
    return { first: only.begin, last: only.lastKey < 0 ? only.lastKey : only.begin + only.lastKey, step: only.step }
  }
  let first = Number.POSITIVE_INFINITY
  let last = 0
  for (const { begin, lastKey, step } of ranges) {
    if (step !== 1) continue
    first = Math.min(first, begin)
    const absolute = lastKey < 0 ? lastKey : begin + lastKey
    last = last < 0 || absolute < 0 ? Math.min(last, absolute) : Math.max(last, absolute)
  }
  return Number.isFinite(first) ? { first, last, step: 1 } : { first: 0, last: 0, step: 0 }
}

function replyPairs(reply: Reply, pairs: readonly Pair[]): void {
  reply.map(pairs.length)
  for (const [name, write] of pairs) {
    reply.text(name)
    write()
  }
}

function replyKeySpec(reply: Reply, { flags, notes, begin, find }: KeySpec): void {
  const [beginType, beginSpec] = describeBegin(begin)
  const [findType, findSpec] = describeFind(find)
  const part = (type: string, spec: readonly (readonly [string, string | number])[]) => () =>
    replyPairs(reply, [
      ['type', () => reply.text(type)],
      [
        'spec',
        () =>
          replyPairs(
            reply,
            spec.map(([name, value]) => [
              name,
              () => (typeof value === 'number' ? reply.integer(value) : reply.text(value)),
            ]),
          ),
      ],
    ])
  const pairs: Pair[] = notes === undefined ? [] : [['notes', () => reply.text(notes)]]
  pairs.push(
    [
      'flags',
      () => {
        reply.set(flags.length)
        for (const flag of flags) reply.simple(flag)
      },
    ],
    ['begin_search', part(beginType, beginSpec)],
    ['find_keys', part(findType, findSpec)],
  )
  replyPairs(reply, pairs)
}

type Described = readonly [type: string, spec: readonly (readonly [string, string | number])[]]

function describeBegin(begin: KeySpec['begin']): Described {
  if (begin === 'unknown') return ['unknown', []]
  if ('index' in begin) return ['index', [['index', begin.index]]]
  return [
    'keyword',
    [
      ['keyword', begin.keyword],
      ['startfrom', begin.startFrom],
    ],
  ]
}

function describeFind(find: KeySpec['find']): Described {
  if (find === 'unknown') return ['unknown', []]
  if ('lastKey' in find) {
    return [
      'range',
      [
        ['lastkey', find.lastKey],
        ['keystep', find.step],
        ['limit', find.limit],
      ],
    ]
  }
  return [
    'keynum',
    [
      ['keynumidx', find.keyNumberIndex],
      ['firstkey', find.firstKey],
      ['keystep', find.step],
    ],
  ]
}

/** Name and documentation: a pair of a map. */
export function replyCommandDocs(reply: Reply, { command, fullName, subcommands }: CommandRecord): void {
  const text = (value: string) => () => reply.text(value)
  const doc = docOf(command.group, fullName)
  if (doc === undefined) throw new Error(`there is no documentation of ${fullName}`)
  const { history, arguments: args } = doc
  const pairs: Pair[] = [
    ['summary', text(doc.summary)],
    ['since', text(doc.since)],
    ['group', text(command.group)],
  ]
  if (doc.complexity !== undefined) pairs.push(['complexity', text(doc.complexity)])
  if (doc.flags.length > 0) pairs.push(['doc_flags', flagSet(reply, doc.flags)])
  if (doc.deprecatedSince !== undefined) pairs.push(['deprecated_since', text(doc.deprecatedSince)])
  if (doc.replacedBy !== undefined) pairs.push(['replaced_by', text(doc.replacedBy)])
  if (history.length > 0) pairs.push(['history', () => replyHistory(reply, history)])
  if (args !== undefined) pairs.push(['arguments', () => replyArguments(reply, args)])
  if (subcommands !== undefined) {
    pairs.push([
      'subcommands',
      () => {
        reply.map(subcommands.size)
        for (const sub of subcommands.values()) replyCommandDocs(reply, sub)
      },
    ])
  }
  reply.text(fullName)
  replyPairs(reply, pairs)
}

function flagSet(reply: Reply, flags: readonly string[]): () => void {
  return () => {
    reply.set(flags.length)
    for (const flag of flags) reply.simple(flag)
  }
}

function replyHistory(reply: Reply, history: readonly (readonly [since: string, change: string])[]): void {
  reply.set(history.length)
  for (const [since, change] of history) {
    reply.array(2)
    reply.text(since)
    reply.text(change)
  }
}

function replyArguments(reply: Reply, args: readonly ArgumentDoc[]): void {
  const text = (value: string) => () => reply.text(value)
  reply.array(args.length)
  for (const argument of args) {
    const pairs: Pair[] = [
      ['name', text(argument.name)],
      ['type', text(argument.type)],
    ]
    const { keySpecIndex } = argument
    if (keySpecIndex !== undefined) pairs.push(['key_spec_index', () => reply.integer(keySpecIndex)])
    if (argument.token !== undefined) pairs.push(['token', text(argument.token)])
    if (argument.since !== undefined) pairs.push(['since', text(argument.since)])
    if (argument.deprecatedSince !== undefined) pairs.push(['deprecated_since', text(argument.deprecatedSince)])
    if (argument.flags.length > 0) pairs.push(['flags', flagSet(reply, argument.flags)])
    const inner = argument.arguments
    if (inner.length > 0) pairs.push(['arguments', () => replyArguments(reply, inner)])
    replyPairs(reply, pairs)
  }
}
