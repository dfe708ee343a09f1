/** Whole numbers at the ends of their ranges, wherever a command takes one, compared with redis-server. */
import { expect, test } from 'vitest'
import { type AllowedDifference, againstRedis, usePair, type Words } from '../testing/differential.ts'

const commands = `
  LMPOP 1 l LEFT COUNT N
  LMPOP N l LEFT
  BLMPOP 0.001 1 none LEFT COUNT N
  BLMPOP 0.001 N l LEFT
  ZMPOP 1 z MIN COUNT N
  BZMPOP 0.001 1 none MIN COUNT N
  LPOP l N
  RPOP none N
  ZPOPMIN z N
  SPOP none N
  LPOS l a COUNT N
  LPOS l a RANK N
  LPOS l a MAXLEN N
  LINDEX l N
  LREM l N a
  LTRIM none N N
  LSET l N x
  LRANGE l N N
  LRANGE l 0 N
  LRANGE l N 0
  SRANDMEMBER none N
  HRANDFIELD none N
  ZRANDMEMBER none N
  SINTERCARD 1 s LIMIT N
  SINTERCARD N s
  ZINTERCARD 1 z LIMIT N
  ZUNION N z
  ZREMRANGEBYRANK none N N
  ZRANGE z N N
  ZRANGEBYSCORE z 0 1 LIMIT N N
  ZRANGEBYSCORE z 0 1 LIMIT 0 N
  SORT l ALPHA LIMIT N N
  SORT l ALPHA LIMIT 0 N
  XRANGE x - + COUNT N
  XREAD COUNT N STREAMS x 0
  XTRIM none MAXLEN N
  XPENDING x g - + N
  XINFO STREAM x FULL COUNT N
  GETRANGE k N N
  GETRANGE k 0 N
  SETRANGE k N x
  BITCOUNT k N N
  BITPOS k 1 N N
  GETBIT k N
  BITFIELD k GET u8 N
  INCRBY none N
  DECRBY other N
  HINCRBY h f N
  EXPIRE none N
  GETEX none PX N
  SET t v PX N
  RESTORE r N x
  COPY a b DB N
  EVAL x N
  EVALSHA x N
  FCALL f N
  SELECT N
  SWAPDB N 0
  MOVE none N
  ACL LOG N
  ACL GENPASS N
  SLOWLOG GET N
  CLIENT KILL ID N
  CLIENT UNBLOCK N
  CLIENT LIST ID N
  CLIENT TRACKING ON REDIRECT N
  HELLO N
  MEMORY USAGE l SAMPLES N
  SCAN 0 MATCH none COUNT N
  SCAN N MATCH none
  GEOSEARCH none FROMLONLAT 1 1 BYRADIUS 1 m COUNT N
  OBJECT FREQ N
`
  .trim()
  .split(/\s*\n\s*/)
const numbers = [
  '9223372036854775807',
  '-9223372036854775808',
  '9223372036854775808',
  '9007199254740993',
  '2147483648',
  '-2147483649',
]

/** Bytes of a value are counted by each server; what is in its slow log, it alone knows. */
const own: AllowedDifference = {
  pattern: /^[:*].*$/s,
  replace: '(own)',
  reason: 'MEMORY USAGE and SLOWLOG tell of the server',
}
const isOwn = /^(MEMORY|SLOWLOG) /

againstRedis('whole numbers among the arguments', () => {
  const pair = usePair()

  test('a pause beyond the end of time is over at once', async () => {
    await pair().same([['CLIENT', 'PAUSE', '9223372036854775807'], ['PING']])
  })

  test.each(numbers)('%s', async (number) => {
    const setUp: Words[] = [
      ['SLOWLOG', 'RESET'],
      ['ACL', 'LOG', 'RESET'],
      ['FUNCTION', 'LOAD', 'REPLACE', "#!lua name=f\nredis.register_function('f', function() end)"],
      ['SELECT', '0'],
      ['RPUSH', 'l', 'a', 'b', 'c'],
      ['ZADD', 'z', '1', 'a', '2', 'b'],
      ['SADD', 's', 'a', 'b'],
      ['XADD', 'x', '1-1', 'a', 'b'],
      ['XGROUP', 'CREATE', 'x', 'g', '0'],
      ['HSET', 'h', 'f', '1'],
    ]
    const differing: string[] = []
    for (const line of commands) {
      const words = line.split(' ').map((word) => (word === 'N' ? number : word))
      const after: Words[] = [['CLIENT', 'TRACKING', 'OFF'], ['PING']]
      try {
        await pair().same([...setUp, words, ...after], isOwn.test(line) ? [own] : [])
      } catch (error) {
        differing.push((error as Error).message)
      }
    }
    expect(differing).toEqual([])
    expect(commands.length).toBeGreaterThan(60)
  })
})
