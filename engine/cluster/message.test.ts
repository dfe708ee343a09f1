import { readFileSync } from 'node:fs'
import { inflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeMessage,
  encodeBare,
  encodeFail,
  encodePing,
  encodePublish,
  encodeUpdate,
  type Gossip,
  type Header,
  type Message,
  MessageFlag,
  MessageFramer,
  MessageType,
  messageTypeName,
  typeOf,
} from './message.ts'

/** Messages as redis-server 7.0.15 sent them, one of each kind seen while a cluster formed and failed over. */
const captured: Record<string, string> = JSON.parse(
  readFileSync(new URL('./fixtures/bus-messages.json', import.meta.url), 'utf8'),
)
const fixtures = Object.entries(captured).map(
  ([name, text]) => [name, inflateRawSync(Buffer.from(text, 'base64'))] as const,
)

function decoded(bytes: Buffer): Message {
  const message = decodeMessage(bytes)
  if (message === undefined || typeof message === 'string') throw new Error(`not decoded: ${message}`)
  return message
}

function encode({ header, body }: Message): Buffer {
  if ('gossip' in body) {
    const messageFlags = header.messageFlags & ~MessageFlag.extensions
    return encodePing({ ...header, messageFlags }, body.type, body.gossip, body.hostname)
  }
  if ('unknown' in body) throw new Error('cannot be encoded')
  switch (body.type) {
    case MessageType.fail:
      return encodeFail(header, body.about)
    case MessageType.publish:
    case MessageType.publishShard:
      return encodePublish(header, body.type, body.channel, body.message)
    case MessageType.update:
      return encodeUpdate(header, body.about, body.configEpoch, body.slots)
    case MessageType.module:
      throw new Error('never sent')
    default:
      return encodeBare(header, body.type)
  }
}

const nameArbitrary = fc.stringMatching(/^[0-9a-f]{40}$/)
const port = fc.nat(65535)
const ip = fc.oneof(
  fc.constant(''),
  fc.ipV4(),
  fc.ipV6().map((text) => text.slice(0, 45)),
)
const header: fc.Arbitrary<Header> = fc.record({
  port,
  currentEpoch: fc.maxSafeNat(),
  configEpoch: fc.maxSafeNat(),
  offset: fc.maxSafeNat(),
  sender: nameArbitrary,
  slots: fc.uint8Array({ minLength: 2048, maxLength: 2048 }).map((bytes) => Buffer.from(bytes)),
  primary: fc.oneof(fc.constant(''), nameArbitrary),
  ip,
  plainPort: port,
  busPort: port,
  flags: port,
  state: fc.constantFrom(0, 1),
  messageFlags: fc.nat(3),
})
const gossip: fc.Arbitrary<Gossip> = fc.record({
  name: nameArbitrary,
  pingSentSeconds: fc.nat(0xffffffff),
  pongReceivedSeconds: fc.nat(0xffffffff),
  ip,
  port,
  busPort: port,
  flags: port,
  plainPort: port,
})
const text = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes))
const ping = fc.constantFrom(MessageType.ping, MessageType.pong, MessageType.meet)
const bare = fc.constantFrom(MessageType.authRequest, MessageType.authAck, MessageType.failoverStart)
const encoded: fc.Arbitrary<Buffer> = fc.oneof(
  fc
    .tuple(header, ping, fc.array(gossip, { maxLength: 6 }), fc.stringMatching(/^[a-z0-9.-]{0,60}$/))
    .map(([head, type, entries, hostname]) => encodePing(head, type, entries, hostname)),
  fc.tuple(header, nameArbitrary).map(([head, about]) => encodeFail(head, about)),
  fc
    .tuple(header, fc.constantFrom(MessageType.publish, MessageType.publishShard), text, text)
    .map(([head, type, channel, message]) => encodePublish(head, type, channel, message)),
  fc
    .tuple(header, nameArbitrary, fc.maxSafeNat())
    .map(([head, about, epoch]) => encodeUpdate(head, about, epoch, head.slots)),
  fc.tuple(header, bare).map(([head, type]) => encodeBare(head, type)),
)

describe('messages of redis-server', () => {
  it.each(fixtures)('%s is read completely and written back byte for byte', (name, bytes) => {
    const message = decoded(bytes)
    expect(messageTypeName(message.body.type)).toBe(name.split('/')[0])
    expect(encode(message).equals(bytes)).toBe(true)
  })

  it('covers every type but those of modules', () => {
    const types = new Set(fixtures.map(([, bytes]) => typeOf(bytes)))
    expect([...types].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 10])
  })

  it('tells ports, epochs, flags, slots, host name and gossip', () => {
    const { header, body } = decoded(fixtures.find(([name]) => name === 'ping/gossip-3/extensions-1/flags-4')![1])
    expect(header).toMatchObject({ ip: '127.0.0.1', port: 7460, busPort: 17480, plainPort: 0, primary: '', state: 1 })
    expect(header.sender).toMatch(/^[0-9a-f]{40}$/)
    expect(body).toMatchObject({ hostname: 'host-0.example.com', unknownExtensions: [] })
    const entries = 'gossip' in body ? body.gossip : []
    expect(entries.map((entry) => entry.ip)).toEqual(['127.0.0.1', '127.0.0.1', '127.0.0.1'])
    expect(entries.every((entry) => entry.busPort === entry.port + 10020)).toBe(true)
  })
})

describe('any message', () => {
  it('comes back as it was sent', () => {
    fc.assert(
      fc.property(encoded, (bytes) => encode(decoded(bytes)).equals(bytes)),
      { numRuns: 60 },
    )
  })

  it('is found in a stream however the stream is cut', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(fc.array(encoded, { minLength: 1, maxLength: 5 }), sizes, (messages, cuts) => {
        const framer = new MessageFramer()
        const seen: Buffer[] = []
        const stream = Buffer.concat(messages)
        for (let start = 0, i = 0; start < stream.length; i++) {
          const end = start + (cuts[i % cuts.length] as number)
          const ok = framer.push(stream.subarray(start, end), (bytes) => seen.push(Buffer.from(bytes)) > 0)
          expect(ok).toBe(true)
          start = end
        }
        expect(framer.pendingBytes).toBe(0)
        expect(Buffer.concat(seen).equals(stream)).toBe(true)
        expect(seen.length).toBe(messages.length)
      }),
      { numRuns: 40 },
    )
  })
})

describe('what is not a message', () => {
  const whole = fixtures.find(([name]) => name === 'ping/gossip-3/extensions-1/flags-4')![1]
  const changed = (change: (bytes: Buffer) => void) => {
    const bytes = Buffer.from(whole)
    change(bytes)
    return bytes
  }

  it('ends the stream when signature or length cannot be', () => {
    const framer = () => new MessageFramer()
    expect(framer().push(Buffer.from('GET / HTTP/1.1\r\n'), () => true)).toBe(false)
    expect(
      framer().push(
        changed((bytes) => bytes.writeUInt32BE(2255, 4)),
        () => true,
      ),
    ).toBe(false)
  })

  it('is ignored in silence when of another protocol version', () => {
    expect(decodeMessage(changed((bytes) => bytes.writeUInt16BE(2, 8)))).toBeUndefined()
  })

  it('is complained about in the words of Redis', () => {
    expect(decodeMessage(changed((bytes) => bytes.writeUInt16BE(60000, 14)))).toBe(
      `Received invalid ping packet with gossip count 60000 that exceeds total packet length (${whole.length})`,
    )
    expect(decodeMessage(changed((bytes) => bytes.writeUInt16BE(2, 14)))).toMatch(/^Received /)
    expect(decodeMessage(changed((bytes) => bytes.writeUInt16BE(2, 2214)))).toBe(
      `Received invalid ping packet with extension data that exceeds total packet length (${whole.length})`,
    )
    expect(decodeMessage(changed((bytes) => bytes.writeUInt16BE(MessageType.fail, 12)))).toBe(
      `Received invalid fail packet of length ${whole.length} but expected length 2296`,
    )
  })

  it('never throws, whatever the bytes after a correct length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 2256, maxLength: 2600 }), (noise) => {
        const bytes = Buffer.from(noise)
        bytes.writeUInt16BE(1, 8)
        bytes.writeUInt16BE((bytes[13] as number) % 12, 12)
        decodeMessage(bytes)
      }),
      { numRuns: 200 },
    )
  })
})
