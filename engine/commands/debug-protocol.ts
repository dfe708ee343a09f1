/** DEBUG PROTOCOL: one reply of each type, for tests of clients. */
import type { Arguments } from './arguments.ts'
import type { Context } from './context.ts'

const protocolReplies: Record<string, (context: Context) => void> = {
  string: ({ reply }) => reply.text('Hello World'),
  integer: ({ reply }) => reply.integer(12345),
  double: ({ reply }) => reply.raw(Buffer.from(reply.protocol === 3 ? ',3.141\r\n' : '$5\r\n3.141\r\n')),
  bignum: ({ reply }) => reply.bigNumber('1234567999999999999999999999999999999'),
  null: ({ reply }) => reply.nil(),
  array: ({ reply }) => {
    reply.array(3)
    for (let i = 0; i < 3; i++) reply.integer(i)
  },
  set: ({ reply }) => {
    reply.set(3)
    for (let i = 0; i < 3; i++) reply.integer(i)
  },
  map: ({ reply }) => {
    reply.map(3)
    for (let i = 0; i < 3; i++) {
      reply.integer(i)
      reply.boolean(i === 1)
    }
  },
  attrib: ({ reply }) => {
    if (reply.protocol === 3) reply.raw(Buffer.from('|1\r\n$14\r\nkey-popularity\r\n*2\r\n$7\r\nkey:123\r\n:90\r\n'))
    reply.text('Some real reply following the attribute')
  },
  push: ({ reply }) => {
    if (reply.protocol === 2) {
      reply.error('ERR RESP2 is not supported by this command')
      return
    }
    reply.push(2)
    reply.text('server-cpu-usage')
    reply.integer(42)
    reply.text('Some real reply following the push reply')
  },
  verbatim: ({ reply }) => reply.verbatim('txt', 'This is a verbatim\nstring'),
  true: ({ reply }) => reply.boolean(true),
  false: ({ reply }) => reply.boolean(false),
}

export function debugProtocol(context: Context, args: Arguments): void {
  const write = protocolReplies[args.latin1(2).toLowerCase()]
  if (write !== undefined) write(context)
  else {
    context.reply.error(
      `ERR Wrong protocol type name. Please use one of the following: ${Object.keys(protocolReplies).join('|')}`,
    )
  }
}
