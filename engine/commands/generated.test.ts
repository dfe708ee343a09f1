/**
 * Every command of the data types against redis-server, with arguments made up from the documentation: replies over
 * RESP2 and RESP3, errors, encodings, and the digest of the data at the end must be the same.
 *
 * `npm run differential -- --seconds 3600 --seed 7` runs it for as long as told; without that a second or two. A
 * failing sequence is shrunk and printed, with the seed that gives it again.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { againstRedis, compare, usePair, type Words } from '../testing/differential.ts'
import { draws, generatedCommands, generatedSequence, poolKeys } from '../testing/generated-commands.ts'

const seconds = Number(process.env.FUZZ_SECONDS ?? 0)
const isLong = seconds > 0
const LENGTH = 30
/** Where the answer is right in any order, or differs from moment to moment. */
const SORTED = 'nondeterministic_output_order'
const FREE = 'nondeterministic_output'

againstRedis('commands made up from their documentation', () => {
  const pair = usePair()

  test(
    'every sequence gets the same answers and leaves the same data',
    async () => {
      const records = generatedCommands(pair().engine.commands.everyRecord())
      const tips = new Map(records.map(({ fullName, command }) => [fullName, command.tips ?? []]))
      let sequences = 0
      const levelledReply = (words: Words, reply: Buffer): Buffer => levelled(words, tips, reply.toString('latin1'))
      const property = fc.asyncProperty(
        generatedSequence(records, LENGTH),
        fc.constantFrom('2', '3'),
        async (sequence, protocol) => {
          const words = [
            ...sequence,
            ...poolKeys.flatMap((key) => [
              ['OBJECT', 'ENCODING', key],
              ['DUMP', key],
            ]),
          ]
          const commands: Words[] = words.map((one) => one.map((word) => Buffer.from(word, 'latin1')))
          const [redis, engine] = await pair().replies(commands, protocol)
          const level = (replies: Buffer[]) =>
            replies.map((reply, i) =>
              isOrdered(words, replies, i) ? levelledReply(commands[i] as Words, reply) : Buffer.alloc(0),
            )
          compare(commands, level(redis), level(engine), `RESP${protocol}`, [])
          await pair().sameData()
          sequences++
        },
      )
      await fc.assert(property, {
        numRuns: isLong ? Number.MAX_SAFE_INTEGER : 60,
        ...(isLong ? { interruptAfterTimeLimit: seconds * 1000, markInterruptAsFailure: false } : {}),
      })
      if (isLong) console.log(`${sequences} sequences`)
      expect(records.length).toBeGreaterThan(150)
    },
    isLong ? (seconds + 120) * 1000 : 120_000,
  )
})

/**
 * Whether the reply is no image of a value whose order is each server's own (a table), or that has times (a stream).
 */
function isOrdered(words: readonly string[][], replies: readonly Buffer[], index: number): boolean {
  if (words[index]?.[0] !== 'DUMP') return true
  const encoding = replies[index - 1]?.toString() ?? ''
  return words[index - 1]?.[1] !== 'ENCODING' || !/hashtable|stream/.test(encoding)
}

function levelled(words: Words, tips: ReadonlyMap<string, readonly string[]>, reply: string): Buffer {
  const [first = '', second = ''] = words.map((word) => word.toString('latin1').toLowerCase())
  if (draws(first)) return Buffer.from(reply.split('\r\n').sort().join('\r\n'), 'latin1')
  if (first === 'xinfo' && second === 'consumers') {
    return Buffer.from(reply.replace(/idle\r\n:\d+/g, 'idle'), 'latin1')
  }
  // A time to live that was given began at a moment of each server's own; the times given as such are later.
  if (['expiretime', 'pexpiretime', 'eval', 'exec'].includes(first)) {
    return Buffer.from(reply.replaceAll(/:[1-3]\d{9}(\d{3})?\r/g, ':soon\r'), 'latin1')
  }
  const own = tips.get(first) ?? tips.get(`${first}|${second}`) ?? []
  // Which kind of reply it is, and whether there is anything.
  if (own.includes(FREE) && !reply.startsWith('-')) return Buffer.from(/^(?:[$*]-1|.)/.exec(reply)?.[0] ?? '', 'latin1')
  if (own.includes(SORTED)) return Buffer.from(reply.split('\r\n').sort().join('\r\n'), 'latin1')
  return Buffer.from(reply, 'latin1')
}
