/** CLIENT TRACKING and its kin: client-side caching. Who is told what is `engine/server/tracking.ts`. */
import type { Client } from '../server/client.ts'
import type { TrackingState } from '../server/tracking.ts'
import type { Arguments } from './arguments.ts'
import type { Context } from './context.ts'
import { errors } from './errors.ts'
import { readInteger } from './reading.ts'

export function clientTracking(context: Context, args: Arguments): void {
  const { client, reply, server } = context
  const options = readOptions(context, args)
  if (typeof options === 'string') {
    reply.error(options)
    return
  }
  if (args.is(2, 'on')) {
    const refused = refusal(client, options)
    if (refused !== undefined) {
      reply.error(refused)
      return
    }
    server.tracking.enable(client, {
      redirect: options.redirect ?? 0,
      broadcast: options.broadcast,
      mode: options.optIn ? 'optIn' : options.optOut ? 'optOut' : 'all',
      cachingSaid: client.tracking?.cachingSaid ?? false,
      ignoresOwn: options.ignoresOwn,
      redirectBroken: false,
      prefixes: options.prefixes,
    })
    reply.ok()
  } else if (args.is(2, 'off')) {
    if (client.tracking !== undefined) server.tracking.disable(client)
    reply.ok()
  } else {
    reply.error(errors.syntax)
  }
}

interface Options {
  redirect: number | undefined
  broadcast: boolean
  optIn: boolean
  optOut: boolean
  ignoresOwn: boolean
  prefixes: string[]
}

/** The options after ON or OFF, or the error. */
function readOptions({ server }: Context, args: Arguments): Options | string {
  const options: Options = {
    redirect: undefined,
    broadcast: false,
    optIn: false,
    optOut: false,
    ignoresOwn: false,
    prefixes: [],
  }
  for (let i = 3; i < args.count; i++) {
    const hasMore = i + 1 < args.count
    if (args.is(i, 'redirect') && hasMore) {
      i++
      if (options.redirect !== undefined) return 'ERR A client can only redirect to a single other client'
      const id = readInteger(args, i)
      if (id === undefined) return errors.notInteger
      if (server.clients.get(id) === undefined) {
        return 'ERR The client ID you want redirect to does not exist'
      }
      options.redirect = id
    } else if (args.is(i, 'bcast')) options.broadcast = true
    else if (args.is(i, 'optin')) options.optIn = true
    else if (args.is(i, 'optout')) options.optOut = true
    else if (args.is(i, 'noloop')) options.ignoresOwn = true
    else if (args.is(i, 'prefix') && hasMore) options.prefixes.push(args.latin1(++i))
    else return errors.syntax
  }
  return options
}

/** Why a client cannot turn tracking on like this; in the order of Redis's checks. */
function refusal({ tracking }: Client, options: Options): string | undefined {
  const { broadcast, optIn, optOut, prefixes } = options
  if (prefixes.length > 0 && !broadcast) return 'ERR PREFIX option requires BCAST mode to be enabled'
  if (tracking !== undefined && tracking.broadcast !== broadcast) {
    return "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode."
  }
  if (broadcast && (optIn || optOut)) return 'ERR OPTIN and OPTOUT are not compatible with BCAST'
  if (optIn && optOut) return "ERR You can't specify both OPTIN mode and OPTOUT mode"
  if ((optIn && tracking?.mode === 'optOut') || (optOut && tracking?.mode === 'optIn')) {
    return "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a different mode."
  }
  return broadcast ? collision(prefixes, tracking?.prefixes ?? []) : undefined
}

/** No prefix of a client may be the beginning of another one of it. */
function collision(prefixes: readonly string[], known: readonly string[]): string | undefined {
  const overlap = (one: string, other: string) => one.startsWith(other) || other.startsWith(one)
  for (const [i, prefix] of prefixes.entries()) {
    const old = known.find((one) => overlap(prefix, one))
    if (old !== undefined) {
      return `ERR Prefix '${prefix}' overlaps with an existing prefix '${old}'. Prefixes for a single client must not overlap.`
    }
    const other = prefixes.slice(i + 1).find((one) => overlap(prefix, one))
    if (other !== undefined) {
      return `ERR Prefix '${prefix}' overlaps with another provided prefix '${other}'. Prefixes for a single client must not overlap.`
    }
  }
  return undefined
}

export function clientCaching({ client, reply }: Context, args: Arguments): void {
  const { tracking } = client
  if (tracking === undefined) {
    reply.error(
      'ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled',
    )
    return
  }
  const mode = args.is(2, 'yes') ? 'optIn' : args.is(2, 'no') ? 'optOut' : undefined
  if (mode === undefined) reply.error(errors.syntax)
  else if (tracking.mode !== mode) {
    const [word, name] = mode === 'optIn' ? ['YES', 'OPTIN'] : ['NO', 'OPTOUT']
    reply.error(`ERR CLIENT CACHING ${word} is only valid when tracking is enabled in ${name} mode.`)
  } else {
    tracking.cachingSaid = true
    reply.ok()
  }
}

export function clientGetredir({ client, reply }: Context): void {
  reply.integer(client.tracking?.redirect ?? -1)
}

export function clientTrackinginfo({ client, reply }: Context): void {
  const { tracking } = client
  const flags = tracking === undefined ? ['off'] : flagsOf(tracking)
  reply.map(3)
  reply.text('flags')
  reply.set(flags.length)
  for (const flag of flags) reply.text(flag)
  reply.text('redirect')
  reply.integer(tracking?.redirect ?? -1)
  reply.text('prefixes')
  const prefixes = tracking?.prefixes ?? []
  reply.array(prefixes.length)
  for (const prefix of prefixes) reply.latin1(prefix)
}

function flagsOf({ broadcast, cachingSaid, ignoresOwn, mode, redirectBroken }: TrackingState): string[] {
  const flags = ['on']
  if (broadcast) flags.push('bcast')
  if (mode === 'optIn') flags.push('optin', ...(cachingSaid ? ['caching-yes'] : []))
  if (mode === 'optOut') flags.push('optout', ...(cachingSaid ? ['caching-no'] : []))
  if (ignoresOwn) flags.push('noloop')
  if (redirectBroken) flags.push('broken_redirect')
  return flags
}
