/**
 * What a hostile or broken client may send: from a seed, so that a finding can be repeated. Frames that are cut short,
 * changed or nested, lengths beyond all reason, quotes that do not end, bytes that mean nothing.
 */
import type { Random } from '../../io.ts'
import { encodeRequest } from '../../resp/request.ts'

/** Commands with the same answer on every server that has had the same input. */
const commands: readonly (readonly string[])[] = [
  ['PING'],
  ['ECHO', 'text'],
  ['SET', 'a', 'value'],
  ['GET', 'a'],
  ['APPEND', 'a', 'x'],
  ['SETRANGE', 'a', '5', 'y'],
  ['LPUSH', 'l', '1', '2', '3'],
  ['LRANGE', 'l', '0', '2'],
  ['HSET', 'h', 'f', 'v'],
  ['ZADD', 'z', '1', 'm'],
  ['DEL', 'a', 'l', 'h', 'z'],
  ['MULTI'],
  ['EXEC'],
  ['DISCARD'],
  ['SELECT', '1'],
  ['GET'],
  ['NOSUCH', 'word'],
]

const lengths = [
  '-2147483649',
  '-1',
  '-0',
  '0',
  '00',
  '+1',
  '1048576',
  '1048577',
  '536870912',
  '536870913',
  '2147483647',
  '2147483648',
  '9223372036854775807',
  '99999999999999999999',
  'abc',
  '1e3',
  '',
]

const words = ['PING', 'ECHO', '"', "'", '"a b"', '\\x4', '\\', 'GET', 'SET', ' ', '\t', 'a', '\r', '\n', '\r\n', '\0']

function pick<Item>(random: Random, items: readonly Item[]): Item {
  return items[random.below(items.length)] as Item
}

function randomBytes(random: Random, lengthMax: number): Buffer {
  const bytes = Buffer.alloc(random.below(lengthMax + 1))
  random.fill(bytes)
  return bytes
}

function frames(random: Random): Buffer {
  return Buffer.concat(Array.from({ length: 1 + random.below(6) }, () => encodeRequest(pick(random, commands))))
}

function cut(random: Random): Buffer {
  const bytes = frames(random)
  return bytes.subarray(0, random.below(bytes.length))
}

/** Some bytes changed, taken out or put in. */
function damaged(random: Random): Buffer {
  const bytes = [...frames(random)]
  for (let i = random.below(5); i >= 0; i--) {
    const at = random.below(bytes.length)
    const byte = random.below(2) === 0 ? random.below(256) : pick(random, [...Buffer.from('*$-:\r\n0129')])
    bytes.splice(at, random.below(2), ...(random.below(3) === 0 ? [] : [byte]))
    if (bytes.length === 0) bytes.push(byte)
  }
  return Buffer.from(bytes)
}

function unreasonableLength(random: Random): Buffer {
  const header = random.below(2) === 0 ? `*${pick(random, lengths)}` : `*2\r\n$4\r\nECHO\r\n$${pick(random, lengths)}`
  return Buffer.concat([Buffer.from(`${header}\r\n`), randomBytes(random, 64), frames(random)])
}

/**
 * Answers stay below 64 kB: redis-server writes so much at once, and forgets the rest when it sees the end of the
 * input.
 */
function nested(random: Random): Buffer {
  const opening = pick(random, ['*1\r\n', '*2\r\n$1\r\na\r\n', '%1\r\n', '~1\r\n', '>1\r\n', '$1\r\n'])
  return Buffer.concat([Buffer.from(opening.repeat(1 + random.below(600))), frames(random)])
}

function inline(random: Random): Buffer {
  const parts = Array.from({ length: random.below(20) }, () => pick(random, words))
  return Buffer.from(`${parts.join(pick(random, ['', ' ']))}\r\n`, 'latin1')
}

function endless(random: Random): Buffer {
  const beginning = pick(random, ['', '*', '$', '*1\r\n$', 'ECHO ', '"'])
  return Buffer.from(beginning + pick(random, ['x', '1', ' ', '\0']).repeat(60_000 + random.below(20_000)), 'latin1')
}

const kinds: readonly ((random: Random) => Buffer)[] = [
  frames,
  cut,
  damaged,
  damaged,
  unreasonableLength,
  nested,
  inline,
  endless,
  (random) => randomBytes(random, 400),
]

export function hostileBytes(random: Random): Buffer {
  return pick(random, kinds)(random)
}
