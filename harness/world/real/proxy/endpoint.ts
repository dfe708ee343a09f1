/**
 * Addresses as the API writes them: `host:port`, an IPv6 host in brackets.
 *
 * A proxy listens on loopback addresses only. Toxiproxy binds whatever it is asked to; Faultline's proxy is a tool of
 * one machine, and an unauthenticated API that can open ports to the network would be a hole in it.
 */
import { isIP, isIPv4 } from 'node:net'
import { badRequestBody } from './api-error.ts'

export interface Endpoint {
  host: string
  port: number
}

const HOST_NAME = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\.?$/i

/**
 * Reads `host:port` or `[v6]:port`. `field` names the value in the error.
 * @throws ApiError 400 when the text is not an address with a port of 0..65535.
 */
export function parseEndpoint(text: string, field: string): Endpoint {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text)
  if (match === null) throw badRequestBody(`${field} "${text}" is not host:port`)
  const host = match[1] ?? match[2] ?? ''
  const port = Number(match[3])
  if (port > 65535) throw badRequestBody(`${field} "${text}" has no port of 0..65535`)
  const valid = match[1] === undefined ? isIPv4(host) || HOST_NAME.test(host) : isIP(host) === 6
  if (!valid) throw badRequestBody(`${field} "${text}" has no valid host`)
  return { host, port }
}

export function formatEndpoint(endpoint: Endpoint): string {
  return isIP(endpoint.host) === 6 ? `[${endpoint.host}]:${endpoint.port}` : `${endpoint.host}:${endpoint.port}`
}

/**
 * Reads an address to listen on and resolves `localhost` to 127.0.0.1, as Go's listener does.
 * @throws ApiError 400 when it is not a loopback address.
 */
export function parseListenEndpoint(text: string): Endpoint {
  const { host, port } = parseEndpoint(text, 'listen')
  if (host === 'localhost') return { host: '127.0.0.1', port }
  if (!isLoopback(host)) throw badRequestBody(`listen "${text}" is not a loopback address`)
  return { host, port }
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}

/** `::ffff:127.0.0.1`, as a dual-stack socket reports an IPv4 peer, is the same host as `127.0.0.1`. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && isIPv4(address.slice(7)) ? address.slice(7) : address
}
