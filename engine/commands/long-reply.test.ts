import { expect, test } from 'vitest'
import { encodeRequest } from '../resp/request.ts'
import { againstRedis, RawConnection, usePair, type Words } from '../testing/differential.ts'

againstRedis('answers that are longer than memory', () => {
  const pair = usePair()
  const fill: Words[] = [
    ['SADD', 's', 'only'],
    ['HSET', 'h', 'f', 'v'],
    ['ZADD', 'z', '1.5', 'm'],
  ]
  const draws = (count: string): Words[] => [
    ['SRANDMEMBER', 's', count],
    ['HRANDFIELD', 'h', count],
    ['HRANDFIELD', 'h', count, 'WITHVALUES'],
    ['ZRANDMEMBER', 'z', count],
    ['ZRANDMEMBER', 'z', count, 'WITHSCORES'],
  ]

  test('are the same where they can be compared, at once or in portions', async () => {
    await pair().same([...fill, ...['-1', '-5', '-500'].flatMap((count) => [...draws(count), ['PING']])])
    const inPortions: Words[] = [['SRANDMEMBER', 's', '-66000'], ['PING']]
    await pair().same([...fill, ...inPortions])
  })

  test('limits are the same', async () => {
    await pair().same([
      ...['-9223372036854775808', '9223372036854775808', '9223372036854775807'].flatMap(draws),
      ...fill,
      ...['-9223372036854775808', '9223372036854775808', '9223372036854775807', 'x'].flatMap(draws),
      ['HRANDFIELD', 'h', '-4611686018427387904', 'WITHVALUES'],
      ['ZRANDMEMBER', 'z', '-4611686018427387904', 'WITHSCORES'],
      ['HRANDFIELD', 'h', '4611686018427387903', 'WITHVALUES'],
    ])
  })

  test('come as they are read, and end with the client', async () => {
    const { enginePort, engine } = pair()
    for (const words of draws('-9223372036854775807').filter((draw) => draw.length === 3)) {
      const client = await RawConnection.open(enginePort)
      const other = await RawConnection.open(enginePort)
      const id = (await client.send('CLIENT', 'ID')).slice(1, -2)
      for (const one of fill) await other.send(...(one as string[]))
      client.write(encodeRequest(words))
      while (!(await other.send('CLIENT', 'LIST', 'ID', id)).includes('flags=b'));
      // Others are served meanwhile, also those who change the value.
      await other.send('FLUSHALL')
      expect(await other.send('CLIENT', 'UNBLOCK', id)).toBe(':0\r\n')
      expect(process.memoryUsage().external).toBeLessThan(2 ** 30)
      client.close()
      while ((await other.send('CLIENT', 'LIST', 'ID', id)).includes(`id=${id}`));
      expect(engine.port).toBe(enginePort)
      other.close()
    }
  })

  test('are refused where they cannot be parted', async () => {
    const client = await RawConnection.open(pair().enginePort)
    try {
      for (const words of fill) await client.send(...(words as string[]))
      await client.send('MULTI')
      await client.send('SRANDMEMBER', 's', '-9223372036854775807')
      await client.send('SRANDMEMBER', 's', '-2')
      expect(await client.send('EXEC')).toBe('*2\r\n-ERR value is out of range\r\n*2\r\n$4\r\nonly\r\n$4\r\nonly\r\n')
    } finally {
      client.close()
    }
  })
})
