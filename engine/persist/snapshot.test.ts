import { afterEach, expect, test } from 'vitest'
import { RawConnection, startEngine } from '../testing/differential.ts'
import { TestNodes } from '../testing/nodes.ts'

const nodes = new TestNodes()
afterEach(() => nodes.stopAll())

test.each([
  ['allkeys-lru', 'IDLETIME', '1000'],
  ['volatile-lfu', 'FREQ', '77'],
])('under %s the use of keys is saved and loaded', async (policy, option, value) => {
  const settings = { dir: nodes.makeDirectory(), save: '', 'maxmemory-policy': policy, 'lfu-decay-time': '0' }
  const writer = await startEngine(settings)
  const connection = await RawConnection.open(writer.port)
  await connection.send('SET', 'a', 'x')
  const reply = await connection.send('DUMP', 'a')
  const payload = Buffer.from(reply.slice(reply.indexOf('\r\n') + 2, -2), 'latin1')
  expect(await connection.send('RESTORE', 'b', '0', payload, option, value)).toBe('+OK\r\n')
  expect(await connection.send('SAVE')).toBe('+OK\r\n')
  connection.close()
  writer.stop()
  const reader = await startEngine(settings)
  const second = await RawConnection.open(reader.port)
  // Idle time goes on.
  const read = Number((await second.send('OBJECT', option, 'b')).slice(1))
  expect(read).toBeGreaterThanOrEqual(Number(value))
  expect(read).toBeLessThan(Number(value) + (option === 'FREQ' ? 1 : 60))
  second.close()
  reader.stop()
})
