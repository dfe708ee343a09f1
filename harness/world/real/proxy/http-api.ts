/**
 * The HTTP side of the proxy server: routes, bodies and status codes of Toxiproxy 2.x (Shopify/toxiproxy, README.md
 * "HTTP API" and api.go), plus GET /links. Every route is a row of the table; what it does is a method of ProxyServer.
 *
 * A browser must not drive it: requests whose User-Agent starts with `Mozilla/` are refused as Toxiproxy does.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { ApiError, badRequestBody, bodyTooLarge } from './api-error.ts'
import type { ProxyInput, ProxyUpdate, ToxicInput, ToxicUpdate } from './input.ts'
import type { ProxyServer } from './proxy-server.ts'

/** The version of Toxiproxy whose API and toxics these are; the suffix says that it is not the real one. */
export const API_VERSION = '2.13.0+faultline'
export const BODY_LIMIT_BYTES = 1024 * 1024

interface Answer {
  status: number
  /** Absent: no body. */
  body?: unknown
}

/** `path` holds the decoded values of the route's `{}` segments. */
type Handler = (server: ProxyServer, path: string[], body: unknown) => Answer | Promise<Answer>

interface Route {
  methods: readonly string[]
  segments: readonly string[]
  /** Whether a JSON body is read before the handler runs. */
  reads?: true
  run: Handler
}

const route = (methods: string, path: string, run: Handler): Route => ({
  methods: methods.split(' '),
  segments: path.split('/'),
  run,
})
const reading = (methods: string, path: string, run: Handler): Route => ({ ...route(methods, path, run), reads: true })
const at = (path: string[], index: number): string => path[index] ?? ''

const routes: readonly Route[] = [
  route('GET', '/version', () => ({ status: 200, body: { version: API_VERSION } })),
  route('GET', '/links', (server) => ({ status: 200, body: { links: server.links() } })),
  route('POST', '/reset', async (server) => {
    await server.reset()
    return { status: 204 }
  }),
  route('GET', '/proxies', (server) => ({ status: 200, body: server.proxies() })),
  reading('POST', '/proxies', async (server, _path, body) => ({
    status: 201,
    body: await server.createProxy(body as ProxyInput),
  })),
  reading('POST', '/populate', populate),
  route('GET', '/proxies/{}', (server, path) => ({ status: 200, body: server.proxy(at(path, 0)) })),
  reading('POST PATCH', '/proxies/{}', async (server, path, body) => ({
    status: 200,
    body: await server.updateProxy(at(path, 0), body as ProxyUpdate),
  })),
  route('DELETE', '/proxies/{}', async (server, path) => {
    await server.removeProxy(at(path, 0))
    return { status: 204 }
  }),
  route('GET', '/proxies/{}/toxics', (server, path) => ({ status: 200, body: server.toxics(at(path, 0)) })),
  reading('POST', '/proxies/{}/toxics', (server, path, body) => ({
    status: 200,
    body: server.addToxic(at(path, 0), body as ToxicInput),
  })),
  route('GET', '/proxies/{}/toxics/{}', (server, path) => ({
    status: 200,
    body: server.toxic(at(path, 0), at(path, 1)),
  })),
  reading('POST PATCH', '/proxies/{}/toxics/{}', (server, path, body) => ({
    status: 200,
    body: server.updateToxic(at(path, 0), at(path, 1), body as ToxicUpdate),
  })),
  route('DELETE', '/proxies/{}/toxics/{}', (server, path) => {
    server.removeToxic(at(path, 0), at(path, 1))
    return { status: 204 }
  }),
]

/** POST /populate answers an error together with its list, which clients read. */
async function populate(server: ProxyServer, _path: string[], body: unknown): Promise<Answer> {
  try {
    return { status: 201, body: { proxies: await server.populate(body as ProxyInput[]) } }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return { status: error.status, body: { ...error.toJSON(), proxies: null } }
  }
}

/** Answers one request; never throws. */
export function handleRequest(server: ProxyServer, request: IncomingMessage, response: ServerResponse): void {
  // A client that hangs up in the middle of a request needs no answer.
  request.on('error', () => {})
  response.on('error', () => {})
  answer(server, request).then(
    ({ status, body }) => send(response, status, body),
    (error: unknown) => {
      const apiError = error instanceof ApiError ? error : new ApiError(String(error), 500)
      send(response, apiError.status, apiError.toJSON())
    },
  )
}

async function answer(server: ProxyServer, request: IncomingMessage): Promise<Answer> {
  if (request.headers['user-agent']?.startsWith('Mozilla/')) return { status: 403, body: 'User agent not allowed' }
  const segments = splitPath(request.url ?? '/')
  const matching = routes.filter((candidate) => matches(candidate.segments, segments))
  if (matching.length === 0) return { status: 404, body: '404 page not found' }
  const found = matching.find((candidate) => candidate.methods.includes(request.method ?? ''))
  if (found === undefined) return { status: 405 }
  const path = segments.filter((_segment, index) => found.segments[index] === '{}')
  return found.run(server, path, found.reads ? await readJson(request) : undefined)
}

function splitPath(url: string): string[] {
  const path = url.split('?', 1)[0] ?? ''
  try {
    return path.split('/').map(decodeURIComponent)
  } catch {
    return [] // malformed escapes name nothing
  }
}

function matches(pattern: readonly string[], segments: readonly string[]): boolean {
  if (pattern.length !== segments.length) return false
  return pattern.every((part, index) => (part === '{}' ? segments[index] !== '' : part === segments[index]))
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    // What is too much is read and dropped, so that the client gets the answer instead of a broken pipe.
    if (bytes <= BODY_LIMIT_BYTES) chunks.push(chunk)
    else if (bytes > 16 * BODY_LIMIT_BYTES) break
  }
  if (bytes > BODY_LIMIT_BYTES) throw bodyTooLarge(BODY_LIMIT_BYTES)
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch (error) {
    throw badRequestBody(error instanceof Error ? error.message : String(error))
  }
}

/** A string is sent as plain text, anything else as JSON. */
function send(response: ServerResponse, status: number, body: unknown): void {
  if (body === undefined) {
    response.writeHead(status).end()
    return
  }
  const isText = typeof body === 'string'
  const text = isText ? body : JSON.stringify(body)
  response.writeHead(status, { 'Content-Type': isText ? 'text/plain; charset=utf-8' : 'application/json' })
  response.end(`${text}\n`)
}
