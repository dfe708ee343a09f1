/**
 * Commands made up from their documentation: for every command of the data types, arguments of the right kinds, of
 * wrong kinds, too few and too many. The table is the grammar, so a new command is covered from the day it has a row.
 *
 * Keys come from a small pool, most of them from the command's own type, so that commands meet each other's data and
 * sometimes the wrong type. Left out is what answers differently by nature (chance, clocks) or would end the test.
 */
import fc from 'fast-check'
import { type ArgumentDoc, docOf } from '../commands/command-docs.ts'
import type { CommandRecord } from '../server/command-table.ts'

export type Words = string[]

const GROUPS = ['string', 'bitmap', 'generic', 'hash', 'list', 'set', 'sorted-set', 'hyperloglog', 'geo', 'stream']

/** Left out, and why. */
const leftOut: Readonly<Record<string, string>> = {
  wait: 'waits for replicas',
  migrate: 'needs another server',
  pfselftest: 'takes seconds',
  pfdebug: 'tells of the inside',
  'restore-asking': 'as RESTORE',
  'xinfo|stream': 'tells times in its full form; compared in the tests of streams',
  zrangebylex: 'unspecified where scores differ; compared in the tests of sorted sets',
  zrevrangebylex: 'likewise',
  zremrangebylex: 'likewise',
  zlexcount: 'likewise',
  'object|idletime': 'depends on the moment',
  'object|refcount': 'a copy made by COPY shares small integers here; compared in the tests of strings',
}

/**
 * Which members come is chance, unless all are asked for (no value here has as many as a hundred), none, or a wrong
 * number: then the answer is certain but for its order.
 */
const drawCounts: Readonly<Record<string, readonly string[]>> = {
  spop: ['100', '100', '9223372036854775807', '0', '-1', 'x'],
  srandmember: ['100', '100', '0', '-9223372036854775808', 'x'],
  hrandfield: ['100', '100', '0', '-9223372036854775808', 'x'],
  zrandmember: ['100', '100', '0', '-9223372036854775808', 'x'],
}

/** Whether the command draws members, so that its answer is to be compared in any order. */
export function draws(name: string): boolean {
  return Object.hasOwn(drawCounts, name)
}

/** The commands and subcommands that are made up. */
export function generatedCommands(records: Iterable<CommandRecord>): CommandRecord[] {
  return [...records].filter(({ command, fullName, subcommands }) => {
    if (!GROUPS.includes(command.group) || subcommands !== undefined) return false
    return !fullName.endsWith('|help') && !Object.hasOwn(leftOut, fullName)
  })
}

/**
 * One command with arguments, of the kinds in `records`.
 * @param home the group whose keys the commands of any type use; undefined: keys of all
 */
export function generatedCommand(records: readonly CommandRecord[], home?: string): fc.Arbitrary<Words> {
  const perCommand = records.map((record) => commandArbitrary(record, home))
  return fc.oneof(
    { weight: 12, arbitrary: fc.oneof(...perCommand) },
    // A word less, and a command may draw by chance.
    {
      weight: 2,
      arbitrary: fc.oneof(...perCommand.filter((_, i) => !draws(records[i]?.fullName ?? ''))).chain(spoiled),
    },
  )
}

/**
 * A sequence: plain commands, some in a transaction, some called by a script, with whatever they may answer there.
 * Half of the sequences stay with one type and its three keys, where commands meet what others have left.
 */
export function generatedSequence(records: readonly CommandRecord[], lengthMax: number): fc.Arbitrary<Words[]> {
  const homes = [...new Set(GROUPS.map(homeOf))].filter((home) => home !== 'generic')
  const ofOneType = homes.map((home) =>
    sequenceOf(
      records.filter(({ command: { group } }) => group === 'generic' || homeOf(group) === home),
      lengthMax,
      home,
    ),
  )
  return fc.oneof(
    { weight: 1, arbitrary: sequenceOf(records, lengthMax) },
    { weight: 1, arbitrary: fc.oneof(...ofOneType) },
  )
}

function sequenceOf(records: readonly CommandRecord[], lengthMax: number, home?: string): fc.Arbitrary<Words[]> {
  const one = generatedCommand(records, home)
  // What comes in any order is compared sorted, which one reply inside another does not allow.
  const steady = generatedCommand(
    records.filter(({ command }) => !(command.tips ?? []).some((tip) => tip.startsWith('nondeterministic'))),
    home,
  )
  const block = fc.oneof(
    { weight: 20, arbitrary: one.map((words) => [words]) },
    {
      weight: 1,
      arbitrary: fc.array(steady, { minLength: 1, maxLength: 4 }).map((all) => [['MULTI'], ...all, ['EXEC']]),
    },
    { weight: 2, arbitrary: steady.map((words) => [['EVAL', 'return redis.pcall(unpack(ARGV))', '0', ...words]]) },
  )
  return fc.array(block, { minLength: 1, maxLength: lengthMax }).map((blocks) => blocks.flat())
}

/** An argument left out, doubled, replaced or added. */
function spoiled(words: Words): fc.Arbitrary<Words> {
  const at = fc.nat({ max: Math.max(0, words.length - 1) })
  return fc.tuple(at, fc.constantFrom('drop', 'double', 'replace', 'add'), odd).map(([i, how, word]) => {
    const copy = [...words]
    const place = Math.max(1, i)
    if (how === 'drop') copy.splice(place, 1)
    else if (how === 'double') copy.splice(place, 0, copy[place] ?? word)
    else if (how === 'replace') copy[place] = word
    else copy.push(word)
    return copy.filter((one) => one !== undefined)
  })
}

function commandArbitrary({ command, fullName }: CommandRecord, home?: string): fc.Arbitrary<Words> {
  const name = fullName.split('|')
  const { group } = command
  const key = keyOf(home ?? group)
  const counts = drawCounts[fullName]
  if (counts !== undefined) {
    const option = fullName === 'hrandfield' ? ['WITHVALUES'] : fullName === 'zrandmember' ? ['WITHSCORES'] : []
    return fc
      .tuple(key, fc.constantFrom(...counts), fc.constantFrom([], option))
      .map(([name, count, more]) => [fullName, name, count, ...more])
  }
  const list = docOf(group, fullName)?.arguments ?? []
  return fc.tuple(...list.map((doc) => argument(doc, group, key))).map((parts) => [...name, ...parts.flat()])
}

function argument(doc: ArgumentDoc, group: string, key: fc.Arbitrary<string>): fc.Arbitrary<Words> {
  // The order of equal weights, and of a set's members without any, is unspecified; compared in the tests of SORT.
  if (doc.token === 'BY') return fc.constant([])
  const single = withToken(doc, group, key)
  const repeated = doc.flags.includes('multiple')
    ? fc.array(single, { minLength: 1, maxLength: 4 }).map((all) => {
        // The token stands once, unless the documentation says that it is repeated with each.
        if (doc.token === undefined || doc.flags.includes('multiple_token')) return all.flat()
        return all.flatMap((words, i) => (i === 0 ? words : words.slice(1)))
      })
    : single
  if (!doc.flags.includes('optional')) return repeated
  return fc.oneof({ weight: 2, arbitrary: fc.constant<Words>([]) }, { weight: 1, arbitrary: repeated })
}

function withToken(doc: ArgumentDoc, group: string, key: fc.Arbitrary<string>): fc.Arbitrary<Words> {
  const value = valueArbitrary(doc, group, key)
  if (doc.token === undefined || doc.type === 'pure-token') return value
  const { token } = doc
  return value.map((words) => (token === '""' ? words : [token, ...words]))
}

function valueArbitrary(doc: ArgumentDoc, group: string, key: fc.Arbitrary<string>): fc.Arbitrary<Words> {
  switch (doc.type) {
    case 'pure-token':
      return fc.constant([doc.token === '*' ? '7-*' : (doc.token ?? doc.name)])
    case 'oneof':
      // By text is unspecified where scores differ, as for ZRANGEBYLEX.
      return fc.oneof(...doc.arguments.filter(({ token }) => token !== 'BYLEX').map((one) => argument(one, group, key)))
    case 'block':
      return fc.tuple(...doc.arguments.map((one) => argument(one, group, key))).map((parts) => parts.flat())
    case 'key':
      return key.map((name) => [name])
    case 'integer':
      return integerNamed(doc.name, group).map((word) => [word])
    case 'double':
      return doubleNamed(doc.name).map((word) => [word])
    case 'unix-time':
      // Far in the future: what is past already goes at a moment of each server's choice.
      return fc
        .constantFrom(doc.name.includes('milli') ? '4102444800000' : '4102444800', '0', '-1', 'x')
        .map((word) => [word])
    case 'pattern':
      return fc.constantFrom('*', 'k*', '[a-c]?', '', '\\*', 'nosuch', 'w_*', 'w_*->a', '#').map((word) => [word])
    default:
      return stringNamed(doc.name, group).map((word) => [word])
  }
}

const keys = (group: string) => [1, 2, 3].map((i) => `${group}:${i}`)

/** Every key that may come to be. */
export const poolKeys = GROUPS.flatMap(keys)

/** The group of the type that a group's commands work on. */
function homeOf(group: string): string {
  return group === 'geo' ? 'sorted-set' : group === 'bitmap' || group === 'hyperloglog' ? 'string' : group
}

function keyOf(group: string): fc.Arbitrary<string> {
  const any = fc.constantFrom(...poolKeys, 'gone')
  if (group === 'generic') return any
  return fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...keys(homeOf(group))) }, { weight: 1, arbitrary: any })
}

/** Whole numbers, small ones most often; what is not one; and the ends of the range. */
const integers = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('0', '1', '2', '3', '5', '-1', '-2', '-3', '7', '10') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ...[
        '100',
        '9223372036854775807',
        '-9223372036854775808',
        '9223372036854775808',
        '1.5',
        'abc',
        '',
        '+1',
        ' 1',
        '01',
      ],
    ),
  },
)

/** Times that do not end while the test runs, and counts that do not fill the memory. */
function integerNamed(name: string, group: string): fc.Arbitrary<string> {
  if (name === 'milliseconds' && group === 'stream') return fc.constantFrom('1', '-1', 'x')
  if (name === 'seconds') return fc.constantFrom('1000', '5000', '0', '-1', 'x', '9223372036854775807')
  if (name === 'milliseconds' || name === 'ttl') return fc.constantFrom('1000000', '0', '-1', 'x')
  if (name === 'timeout') return fc.constantFrom('-1', 'x')
  if (name === 'numkeys') return fc.constantFrom('1', '1', '1', '2', '0', '-1', 'x')
  return integers
}

const doubles = fc.constantFrom(
  ...[
    '0',
    '1',
    '2',
    '-1',
    '1.5',
    '-0.25',
    '3.0',
    '10',
    'inf',
    '-inf',
    '+inf',
    'nan',
    '1e5',
    '1e-5',
    '1e308',
    'abc',
    '',
    '(1',
  ],
)

function doubleNamed(name: string): fc.Arbitrary<string> {
  if (name === 'timeout') return fc.constantFrom('0.001', '-1', 'x')
  if (name === 'longitude' || name === 'latitude') {
    return fc.constantFrom('13.361389', '38.115556', '15.087269', '37.502669', '0', '-77', '200', 'x')
  }
  return doubles
}

const odd = fc.constantFrom(
  ...[
    '',
    'a',
    'b',
    'c',
    'd',
    'foo',
    '1',
    '-5',
    '3.5',
    'x y',
    '\u00ff\u0000',
    '(1',
    '[a',
    '(c',
    '+',
    '-',
    '1-1',
    '$',
    '>',
  ],
  'abcdefgh'.repeat(10),
)

const texts: Readonly<Record<string, readonly string[]>> = {
  id: ['1-1', '2-1', '2-2', '3', '5-1', '0', '0-0', '-', '+', '(1-1', '9-9', 'x'],
  start: ['-', '0', '1-1', '(1-1', '2', '5-1', '[a', '(b', 'x'],
  end: ['+', '9', '2-2', '(5-1', '1-1', '-', '(c', '[b', 'x'],
  min: ['-inf', '0', '(1', '1', '-', '[a', '(b', 'x'],
  max: ['+inf', '3', '(2', '10', '+', '[c', '(b', 'x'],
  group: ['g', 'h'],
  consumer: ['alice', 'bob'],
  encoding: ['u8', 'i5', 'i64', 'u63', 'u64', 'x'],
  threshold: ['1', '2', '0', '2-1', 'x'],
  lastid: ['1-1', '9-9', 'x'],
  'last-id': ['1-1', '9-9', '0', 'x'],
  'min-idle-time': ['0', '100000000', 'x'],
  'serialized-value': ['', 'x', '\u0000\u0003\u0061\u0062\u0063\u000a\u0000'],
}

function stringNamed(name: string, group: string): fc.Arbitrary<string> {
  const known = group === 'stream' || name === 'min' || name === 'max' || name === 'encoding' ? texts[name] : undefined
  if (known !== undefined) return fc.constantFrom(...known)
  return odd
}
