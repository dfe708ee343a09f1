/**
 * The messages of the cluster bus, byte for byte those of Redis 7.0 (`clusterMsg`, protocol version 1).
 *
 * All numbers are big-endian. Every message begins with the same header of 2256 bytes; what follows depends on the
 * type:
 *
 *     0 "RCmb"        4 totlen u32   8 version u16   10 port u16     12 type u16     14 gossip count u16
 *    16 currentEpoch u64            24 configEpoch u64               32 replication offset u64
 *    40 sender 40 bytes             80 slot bitmap 2048 bytes (slot n is bit n & 7 of byte n >> 3)
 *  2128 primary's name or zeros   2168 announced ip 46 bytes, zero-terminated; empty: take it from the socket
 *  2214 number of extensions u16  2216 30 unused bytes              2246 plain port u16 2248 bus port u16
 *  2250 node flags u16            2252 cluster state u8             2253 message flags, 3 bytes
 *  2256 PING/PONG/MEET: gossip entries of 104 bytes, then extensions (length u32, type u16, unused u16, padded data)
 *       FAIL: a name. UPDATE: configEpoch u64, name, slot bitmap. PUBLISH(SHARD): two lengths u32, channel, message.
 *       The others have no body.
 *
 * Epochs and offsets are JavaScript numbers: exact up to 2^53, which is never reached by counting.
 */
import { SLOT_COUNT } from '../data/crc16.ts'

/** Length of a node's name: hexadecimal digits. */
export const NAME_LENGTH = 40
/** One bit a slot. */
export const BITMAP_BYTES = SLOT_COUNT / 8
const IP_BYTES = 46
const HEADER_BYTES = 2256
const GOSSIP_BYTES = 104
const EXTENSION_HEADER_BYTES = 8
const HOSTNAME_EXTENSION = 0

export const MessageType = {
  ping: 0,
  pong: 1,
  meet: 2,
  fail: 3,
  publish: 4,
  authRequest: 5,
  authAck: 6,
  update: 7,
  failoverStart: 8,
  module: 9,
  publishShard: 10,
} as const
export type MessageType = (typeof MessageType)[keyof typeof MessageType]

/** Names as `CLUSTER INFO` and the log have them, by type. */
export const messageTypeNames: readonly string[] = [
  'ping',
  'pong',
  'meet',
  'fail',
  'publish',
  'auth-req',
  'auth-ack',
  'update',
  'mfstart',
  'module',
  'publishshard',
]

export const messageTypeName = (type: number): string => messageTypeNames[type] ?? 'unknown'

/** Bits of the first message flag byte. */
export const MessageFlag = {
  /** The sending primary has paused its clients for a manual failover. */
  paused: 1,
  /** A request for votes that must be granted although the primary is up (manual failover). */
  forceAck: 2,
  /** Extensions follow the gossip entries. */
  extensions: 4,
} as const

/** What every message says about its sender. */
export interface Header {
  port: number
  currentEpoch: number
  configEpoch: number
  offset: number
  sender: string
  /** 2048 bytes. A decoded one is a window on the received bytes. */
  slots: Uint8Array
  /** Name of the sender's primary; empty for a primary. */
  primary: string
  ip: string
  plainPort: number
  busPort: number
  flags: number
  /** 0 ok, 1 fail. */
  state: number
  messageFlags: number
}

/** What PING, PONG and MEET tell about a third node. Times are Unix time in seconds. */
export interface Gossip {
  name: string
  pingSentSeconds: number
  pongReceivedSeconds: number
  ip: string
  port: number
  busPort: number
  flags: number
  plainPort: number
}

export type Body =
  | {
      type: typeof MessageType.ping | typeof MessageType.pong | typeof MessageType.meet
      gossip: Gossip[]
      /** Announced host name; empty when the sender has none. */
      hostname: string
      /** Types of extensions that Redis 7.0 does not know either. */
      unknownExtensions: number[]
    }
  | { type: typeof MessageType.fail; about: string }
  | {
      type: typeof MessageType.publish | typeof MessageType.publishShard
      channel: Uint8Array
      message: Uint8Array
    }
  | { type: typeof MessageType.update; about: string; configEpoch: number; slots: Uint8Array }
  | { type: typeof MessageType.authRequest | typeof MessageType.authAck | typeof MessageType.failoverStart }
  /** A module's message: counted, otherwise ignored. */
  | { type: typeof MessageType.module }
  /** A type that this version does not know. */
  | { type: number; unknown: true }

export interface Message {
  header: Header
  body: Body
}

/** Writes `text` zero-padded into `length` bytes. */
function writeText(into: Buffer, text: string, offset: number, length: number): void {
  into.write(text, offset, length, 'latin1')
}

/** Text up to the first zero. */
function readText(from: Buffer, offset: number, length: number): string {
  let end = offset
  while (end < offset + length && from[end] !== 0) end++
  return from.toString('latin1', offset, end)
}

function allocate(header: Header, type: MessageType, totalBytes: number): Buffer {
  const bytes = Buffer.alloc(totalBytes)
  bytes.write('RCmb', 0, 'latin1')
  bytes.writeUInt32BE(totalBytes, 4)
  bytes.writeUInt16BE(1, 8)
  bytes.writeUInt16BE(header.port, 10)
  bytes.writeUInt16BE(type, 12)
  bytes.writeBigUInt64BE(BigInt(header.currentEpoch), 16)
  bytes.writeBigUInt64BE(BigInt(header.configEpoch), 24)
  bytes.writeBigInt64BE(BigInt(header.offset), 32)
  writeText(bytes, header.sender, 40, NAME_LENGTH)
  bytes.set(header.slots, 80)
  writeText(bytes, header.primary, 2128, NAME_LENGTH)
  writeText(bytes, header.ip, 2168, IP_BYTES - 1)
  bytes.writeUInt16BE(header.plainPort, 2246)
  bytes.writeUInt16BE(header.busPort, 2248)
  bytes.writeUInt16BE(header.flags, 2250)
  bytes[2252] = header.state
  bytes[2253] = header.messageFlags
  return bytes
}

/** PING, PONG or MEET. The host name travels as an extension, and only when there is one. */
export function encodePing(
  header: Header,
  type: typeof MessageType.ping | typeof MessageType.pong | typeof MessageType.meet,
  gossip: readonly Gossip[],
  hostname: string,
): Buffer {
  const hostnameBytes = hostname === '' ? 0 : EXTENSION_HEADER_BYTES + Math.ceil((hostname.length + 1) / 8) * 8
  const gossipEnd = HEADER_BYTES + gossip.length * GOSSIP_BYTES
  const bytes = allocate(header, type, gossipEnd + hostnameBytes)
  bytes.writeUInt16BE(gossip.length, 14)
  gossip.forEach((entry, index) => {
    writeGossip(bytes, HEADER_BYTES + index * GOSSIP_BYTES, entry)
  })
  if (hostname !== '') {
    bytes[2253] = header.messageFlags | MessageFlag.extensions
    bytes.writeUInt16BE(1, 2214)
    bytes.writeUInt32BE(hostnameBytes, gossipEnd)
    bytes.writeUInt16BE(HOSTNAME_EXTENSION, gossipEnd + 4)
    writeText(bytes, hostname, gossipEnd + EXTENSION_HEADER_BYTES, hostname.length)
  }
  return bytes
}

function writeGossip(bytes: Buffer, offset: number, entry: Gossip): void {
  writeText(bytes, entry.name, offset, NAME_LENGTH)
  bytes.writeUInt32BE(entry.pingSentSeconds, offset + 40)
  bytes.writeUInt32BE(entry.pongReceivedSeconds, offset + 44)
  writeText(bytes, entry.ip, offset + 48, IP_BYTES - 1)
  bytes.writeUInt16BE(entry.port, offset + 94)
  bytes.writeUInt16BE(entry.busPort, offset + 96)
  bytes.writeUInt16BE(entry.flags, offset + 98)
  bytes.writeUInt16BE(entry.plainPort, offset + 100)
}

/** "The node `about` has failed." */
export function encodeFail(header: Header, about: string): Buffer {
  const bytes = allocate(header, MessageType.fail, HEADER_BYTES + NAME_LENGTH)
  writeText(bytes, about, HEADER_BYTES, NAME_LENGTH)
  return bytes
}

/** A published message for all nodes, or for the nodes of a shard. */
export function encodePublish(
  header: Header,
  type: typeof MessageType.publish | typeof MessageType.publishShard,
  channel: Uint8Array,
  message: Uint8Array,
): Buffer {
  const bytes = allocate(header, type, HEADER_BYTES + 8 + channel.length + message.length)
  bytes.writeUInt32BE(channel.length, HEADER_BYTES)
  bytes.writeUInt32BE(message.length, HEADER_BYTES + 4)
  bytes.set(channel, HEADER_BYTES + 8)
  bytes.set(message, HEADER_BYTES + 8 + channel.length)
  return bytes
}

/** "Node `about` serves `slots` under `configEpoch`": corrects a sender whose configuration is old. */
export function encodeUpdate(header: Header, about: string, configEpoch: number, slots: Uint8Array): Buffer {
  const bytes = allocate(header, MessageType.update, HEADER_BYTES + 8 + NAME_LENGTH + BITMAP_BYTES)
  bytes.writeBigUInt64BE(BigInt(configEpoch), HEADER_BYTES)
  writeText(bytes, about, HEADER_BYTES + 8, NAME_LENGTH)
  bytes.set(slots, HEADER_BYTES + 8 + NAME_LENGTH)
  return bytes
}

/** A message without body. */
export function encodeBare(
  header: Header,
  type: typeof MessageType.authRequest | typeof MessageType.authAck | typeof MessageType.failoverStart,
): Buffer {
  return allocate(header, type, HEADER_BYTES)
}

/** Type of an encoded message. */
export const typeOf = (bytes: Buffer): number => bytes.readUInt16BE(12)

/**
 * Reads one whole message. Undefined: it is of another protocol version, to be ignored in silence.
 * Text: the complaint that Redis logs about a malformed one, which is ignored too.
 */
export function decodeMessage(bytes: Buffer): Message | string | undefined {
  if (bytes.readUInt16BE(8) !== 1) return undefined
  const type = typeOf(bytes)
  const body = decodeBody(bytes, type)
  return typeof body === 'string' ? body : { header: decodeHeader(bytes), body }
}

function decodeHeader(bytes: Buffer): Header {
  return {
    port: bytes.readUInt16BE(10),
    currentEpoch: Number(bytes.readBigUInt64BE(16)),
    configEpoch: Number(bytes.readBigUInt64BE(24)),
    offset: Number(bytes.readBigInt64BE(32)),
    sender: readText(bytes, 40, NAME_LENGTH),
    slots: bytes.subarray(80, 80 + BITMAP_BYTES),
    primary: readText(bytes, 2128, NAME_LENGTH),
    ip: readText(bytes, 2168, IP_BYTES - 1),
    plainPort: bytes.readUInt16BE(2246),
    busPort: bytes.readUInt16BE(2248),
    flags: bytes.readUInt16BE(2250),
    state: bytes[2252] as number,
    messageFlags: bytes[2253] as number,
  }
}

function decodeBody(bytes: Buffer, type: number): Body | string {
  switch (type) {
    case MessageType.ping:
    case MessageType.pong:
    case MessageType.meet:
      return decodePing(bytes, type)
    case MessageType.fail:
      return (
        wrongLength(bytes, HEADER_BYTES + NAME_LENGTH) ?? { type, about: readText(bytes, HEADER_BYTES, NAME_LENGTH) }
      )
    case MessageType.publish:
    case MessageType.publishShard:
      return decodePublish(bytes, type)
    case MessageType.update: {
      const wrong = wrongLength(bytes, HEADER_BYTES + 8 + NAME_LENGTH + BITMAP_BYTES)
      if (wrong !== undefined) return wrong
      const configEpoch = Number(bytes.readBigUInt64BE(HEADER_BYTES))
      const about = readText(bytes, HEADER_BYTES + 8, NAME_LENGTH)
      return { type, about, configEpoch, slots: bytes.subarray(HEADER_BYTES + 8 + NAME_LENGTH) }
    }
    case MessageType.authRequest:
    case MessageType.authAck:
    case MessageType.failoverStart:
      return wrongLength(bytes, HEADER_BYTES) ?? { type }
    case MessageType.module: {
      // module id u64, length u32, type u8, payload
      const payloadBytes = bytes.length < HEADER_BYTES + 13 ? 0 : bytes.readUInt32BE(HEADER_BYTES + 8)
      return wrongLength(bytes, HEADER_BYTES + 13 + payloadBytes) ?? { type }
    }
    default:
      return { type, unknown: true }
  }
}

function wrongLength(bytes: Buffer, expected: number): string | undefined {
  if (bytes.length === expected) return undefined
  const name = messageTypeName(typeOf(bytes))
  return `Received invalid ${name} packet of length ${bytes.length} but expected length ${expected}`
}

function decodePublish(
  bytes: Buffer,
  type: typeof MessageType.publish | typeof MessageType.publishShard,
): Body | string {
  const start = HEADER_BYTES + 8
  if (bytes.length < start) return wrongLength(bytes, start) as string
  const channelEnd = start + bytes.readUInt32BE(HEADER_BYTES)
  const messageEnd = channelEnd + bytes.readUInt32BE(HEADER_BYTES + 4)
  const channel = bytes.subarray(start, channelEnd)
  return wrongLength(bytes, messageEnd) ?? { type, channel, message: bytes.subarray(channelEnd, messageEnd) }
}

function decodePing(
  bytes: Buffer,
  type: typeof MessageType.ping | typeof MessageType.pong | typeof MessageType.meet,
): Body | string {
  const count = bytes.readUInt16BE(14)
  let offset = HEADER_BYTES + count * GOSSIP_BYTES
  if (offset > bytes.length) {
    const name = messageTypeName(type)
    return `Received invalid ${name} packet with gossip count ${count} that exceeds total packet length (${bytes.length})`
  }
  const gossip: Gossip[] = []
  for (let i = 0; i < count; i++) gossip.push(readGossip(bytes, HEADER_BYTES + i * GOSSIP_BYTES))

  let hostname = ''
  const unknownExtensions: number[] = []
  const extensions = ((bytes[2253] as number) & MessageFlag.extensions) !== 0 ? bytes.readUInt16BE(2214) : 0
  for (let i = 0; i < extensions; i++) {
    const left = bytes.length - offset
    const length = left < EXTENSION_HEADER_BYTES ? Number.POSITIVE_INFINITY : bytes.readUInt32BE(offset)
    if (length > left || length < EXTENSION_HEADER_BYTES) {
      const name = messageTypeName(type)
      return `Received invalid ${name} packet with extension data that exceeds total packet length (${bytes.length})`
    }
    if (length % 8 !== 0) {
      return `Received a ${messageTypeName(type)} packet without proper padding (${length} bytes)`
    }
    const extensionType = bytes.readUInt16BE(offset + 4)
    if (extensionType === HOSTNAME_EXTENSION) {
      hostname = readText(bytes, offset + EXTENSION_HEADER_BYTES, length - EXTENSION_HEADER_BYTES)
    } else unknownExtensions.push(extensionType)
    offset += length
  }
  return wrongLength(bytes, offset) ?? { type, gossip, hostname, unknownExtensions }
}

function readGossip(bytes: Buffer, offset: number): Gossip {
  return {
    name: readText(bytes, offset, NAME_LENGTH),
    pingSentSeconds: bytes.readUInt32BE(offset + 40),
    pongReceivedSeconds: bytes.readUInt32BE(offset + 44),
    ip: readText(bytes, offset + 48, IP_BYTES - 1),
    port: bytes.readUInt16BE(offset + 94),
    busPort: bytes.readUInt16BE(offset + 96),
    flags: bytes.readUInt16BE(offset + 98),
    plainPort: bytes.readUInt16BE(offset + 100),
  }
}

/** Cuts a byte stream into messages. */
export class MessageFramer {
  private rest: Buffer[] = []
  private restBytes = 0

  /** Bytes of an unfinished message. */
  get pendingBytes(): number {
    return this.restBytes
  }

  /**
   * Takes the next chunk and hands over every message that is complete with it. The bytes handed over are valid only
   * during the call. `onMessage` returns false to stop (the link is gone). False: the stream is not a cluster bus.
   */
  push(chunk: Buffer, onMessage: (bytes: Buffer) => boolean): boolean {
    let bytes = chunk
    if (this.restBytes > 0) {
      this.rest.push(Buffer.from(chunk))
      this.restBytes += chunk.length
      if (this.restBytes < this.neededBytes()) return true
      bytes = Buffer.concat(this.rest)
    }
    this.rest = []
    this.restBytes = 0
    let start = 0
    while (bytes.length - start >= 8) {
      const totalBytes = bytes.readUInt32BE(start + 4)
      if (totalBytes < HEADER_BYTES || bytes.toString('latin1', start, start + 4) !== 'RCmb') return false
      if (bytes.length - start < totalBytes) break
      if (!onMessage(bytes.subarray(start, start + totalBytes))) return true
      start += totalBytes
    }
    if (start < bytes.length) {
      this.rest = [Buffer.from(bytes.subarray(start))]
      this.restBytes = bytes.length - start
    }
    return true
  }

  /** Length of the unfinished message, as far as it is known. */
  private neededBytes(): number {
    const first = this.rest[0] as Buffer
    return first.length >= 8 ? first.readUInt32BE(4) : 8
  }
}
