/** The protocol's edges, over a real socket, against redis-server. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { againstRedis, RawConnection, startEngine, usePair } from '../testing/differential.ts'

againstRedis('protocol errors are those of redis-server 7.0', () => {
  const pair = usePair()

  test.each([
    '*abc\r\nPING\r\n',
    '*2147483648\r\n',
    '*-5\r\nPING\r\n',
    '*1\r\n$-1\r\n',
    '*1\r\n$536870913\r\n',
    '*1\r\n!3\r\nfoo\r\n',
    '*1\r\n$03\r\nfoo\r\n',
    '*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n',
    'ECHO "a\\x41\\n" \r\n',
    "ECHO 'a\\'b'\r\n",
    'ECHO "a"b\r\n',
    'ECHO "a\r\n',
    '  PING  \r\n\r\n\n PING\n',
    'PING\r\nQUIT\r\nPING\r\n',
    `ECHO ${'x'.repeat(70_000)}\r\nPING\r\n`,
    'x'.repeat(70_000),
    `*${'1'.repeat(70_000)}`,
    `*1\r\n$${'1'.repeat(70_000)}`,
  ])('%.40j', async (text) => {
    await pair().sameBytes(Buffer.from(text))
  })

  test('whatever is sent', async () => {
    const piece = fc.constantFrom(
      '*1\r\n',
      '*2\r\n',
      '*0\r\n',
      '$4\r\n',
      'PING',
      '\r\n',
      '$',
      '*',
      '"',
      "'",
      ' ',
      '-1',
      'echo',
      'a',
    )
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        await pair().sameBytes(Buffer.from(pieces.join('')))
      }),
      { numRuns: 150 },
    )
  })
})

describe('the server', () => {
  test('survives random bytes and goes on serving', async () => {
    const server = await startEngine()
    try {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
          const connection = await RawConnection.open(server.port)
          connection.write(bytes)
          connection.close()
        }),
        { numRuns: 100 },
      )
      const connection = await RawConnection.open(server.port)
      expect(await connection.send('PING')).toBe('+PONG\r\n')
      connection.close()
    } finally {
      server.stop()
    }
  })
})
