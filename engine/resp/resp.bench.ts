/** What reading requests and writing replies costs. */
import type { Bench } from 'tinybench'
import { Arguments } from '../commands/arguments.ts'
import { KeysAhead } from './lookahead.ts'
import { COMMAND, RequestParser } from './parser.ts'
import { ReplyParser } from './reply-parser.ts'
import { encodeRequest } from './request.ts'
import { BufferPool, ReplyWriter } from './writer.ts'

const BATCH = 16

export function addCases(bench: Bench): void {
  const one = encodeRequest(['SET', 'key:000000012345', 'abc'])
  const many = Buffer.concat(Array.from({ length: BATCH }, () => one))
  const parser = new RequestParser({ bulkLengthMax: 512 * 1024 * 1024, unauthenticated: false })
  const args = new Arguments()
  const parse = (chunk: Buffer): void => {
    parser.begin(chunk)
    while (parser.next(args) === COMMAND);
    parser.keep()
  }
  const ahead = new KeysAhead()
  const writer = new ReplyWriter(new BufferPool(), { onFirstByte() {}, onError() {} })
  const value = Buffer.from('abc')
  const write = (reply: () => void): void => {
    for (let i = 0; i < BATCH; i++) reply()
    writer.written()
    writer.release(true)
  }
  const replies = Buffer.from('$3\r\nabc\r\n'.repeat(BATCH))
  const reader = new ReplyParser(() => {})
  bench
    .add('request parser: one SET', () => parse(one))
    .add('request parser: 16 SET', () => parse(many))
    .add('look ahead: keys of 16 SET', () => ahead.look(many, 0, many.length))
    .add('reply writer: 16 bulk strings of 3 bytes', () => write(() => writer.bulk(value)))
    .add('reply writer: 16 OK', () => write(() => writer.ok()))
    .add('reply writer: 16 integers', () => write(() => writer.integer(12_345)))
    .add('reply parser: 16 bulk strings of 3 bytes', () => reader.feed(replies))
}
