/**
 * Answers that can be longer than memory: a negative count of HRANDFIELD, SRANDMEMBER and ZRANDMEMBER asks for as many
 * draws as it likes. Redis writes them all into the client's buffer at once. Here the client is parked, gets portions
 * as it reads them, and all memory that it takes is one portion; the draws come from a copy, since others go on
 * meanwhile.
 */
import type { Reply } from '../resp/reply.ts'
import type { Context } from './context.ts'

/** Kind of wait, as `Context.block` has it. CLIENT UNBLOCK does not end it: the answer has begun. */
export const LONG_REPLY = 'reply'

/** Up to so many parts are sent at once. */
const SHORT = 65_536
/** Parts between two looks at whether the client reads. */
const PORTION = 4096
/** What cannot be sent in portions (in a transaction or a script) is refused from here on: it takes gigabytes. */
const AT_ONCE_MAX = 2 ** 24

export interface Draws {
  /** How many, and how many parts the header announces for each. */
  count: bigint
  partsEach: number
}

/**
 * Sends `count` draws as one array. `prepare(kept)` gives what sends one draw; with `kept` it must be from a copy that
 * later commands do not change.
 */
export function sendDraws(context: Context, { count, partsEach }: Draws, prepare: (kept: boolean) => DrawSender): void {
  const { client, reply } = context
  const isShort = count <= SHORT
  const mustBeShort = client.denyBlocking || client.connection === undefined
  if (mustBeShort && count > AT_ONCE_MAX) {
    reply.error('ERR value is out of range')
    return
  }
  reply.raw(Buffer.from(`*${count * BigInt(partsEach)}\r\n`))
  if (isShort || mustBeShort) sendSome(reply, prepare(false), Number(count))
  else sendInPortions(context, count, prepare(true))
}

type DrawSender = (reply: Reply) => void

function sendSome(reply: Reply, send: DrawSender, count: number): void {
  for (let i = 0; i < count; i++) send(reply)
}

function sendInPortions(context: Context, count: bigint, send: DrawSender): void {
  const { client, server } = context
  let missing = count
  let scheduled = false
  let ended = false
  const goOn = (): void => {
    scheduled = false
    if (ended) return
    const portion = missing < PORTION ? Number(missing) : PORTION
    sendSome(client.reply, send, portion)
    missing -= BigInt(portion)
    if (missing === 0n) {
      client.unblock(() => {})
      return
    }
    client.flush()
    schedule()
  }
  const schedule = (): void => {
    if (scheduled || client.outputBytes > 0) return
    scheduled = true
    server.io.timers.after(0, goOn)
  }
  // Nothing but the end of the client ends this wait early.
  context.block(
    LONG_REPLY,
    0,
    () => {},
    () => {
      ended = true
    },
  )
  client.onDrain(() => {
    if (!ended) schedule()
  })
  schedule()
  if (!scheduled) server.io.timers.after(0, goOn)
}
