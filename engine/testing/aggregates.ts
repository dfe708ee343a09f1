/**
 * For tests of sets and sorted sets: replies whose order is that of Redis's hash tables, which nobody can promise, are
 * compared with their elements sorted on both sides (for what has an order of its own use `ServerPair.same`); and
 * payloads of DUMP, taken from replies or made by hand.
 */
import { Crc64 } from '../persist/crc64.ts'
import { compare, type ServerPair, type Words } from './differential.ts'

/** As `ServerPair.same`, with the elements of arrays and sets of strings (also those behind a cursor) in any order. */
export async function sameInAnyOrder(pair: ServerPair, commands: readonly Words[], elementParts = 1): Promise<void> {
  for (const protocol of ['2', '3'] as const) {
    const [redis, engine] = await pair.replies(commands, protocol)
    const sorted = (replies: Buffer[]) =>
      replies.map((reply) => Buffer.from(sortElements(reply.toString('latin1'), elementParts), 'latin1'))
    compare(commands, sorted(redis), sorted(engine), `RESP${protocol}`, [])
  }
}

/** Sorts `*n`/`~n` with n bulk strings, of which `elementParts` make an element; other replies stay as they are. */
export function sortElements(text: string, elementParts = 1): string {
  const header = /^(?:\*2\r\n\$1\r\n0\r\n)?[*~]\d+\r\n/.exec(text)?.[0]
  if (header === undefined) return text
  const parts: string[] = []
  for (let at = header.length; at < text.length; ) {
    const size = /^\$(\d+)\r\n/.exec(text.slice(at, at + 24))
    if (size === null) return text
    const end = at + size[0].length + Number(size[1]) + 2
    parts.push(text.slice(at, end))
    at = end
  }
  const elements: string[] = []
  for (let i = 0; i < parts.length; i += elementParts) elements.push(parts.slice(i, i + elementParts).join(''))
  return header + elements.sort().join('')
}

/** The bytes of one bulk string reply, which has one character per byte. */
export function bulkOf(reply: string): Buffer {
  return Buffer.from(reply.slice(reply.indexOf('\r\n') + 2, -2), 'latin1')
}

/** A payload for RESTORE: type and value with RDB version 10 and the right checksum behind them. */
export function sealed(value: Buffer): Buffer {
  const body = Buffer.concat([value, Buffer.from([10, 0])])
  const crc = new Crc64()
  crc.update(body)
  return Buffer.concat([body, crc.bytes()])
}
