/**
 * One proxy: a listener, the connections that came in through it, and the toxics that work on them.
 *
 * Disabling a proxy closes its listener and its connections, which is Toxiproxy's "down"; its toxics stay.
 */
import { createServer, type Server, type Socket } from 'node:net'
import { listenFailed, toxicAlreadyExists, toxicNotFound } from './api-error.ts'
import { Connection, type LinkReport, SOCKET_BUFFER_BYTES } from './connection.ts'
import { type Endpoint, formatEndpoint, parseEndpoint, parseListenEndpoint } from './endpoint.ts'
import { type ProxySettings, readToxic, readToxicUpdate } from './input.ts'
import type { Stream, Toxic } from './toxics/toxic.ts'

/** A toxic as the API shows it. */
export interface ToxicReport {
  attributes: Record<string, number | readonly string[]>
  name: string
  type: string
  stream: Stream
  toxicity: number
}

/** A proxy as the API shows it. */
export interface ProxyReport {
  name: string
  listen: string
  upstream: string
  enabled: boolean
  upstreamSource?: string
  toxics: ToxicReport[]
}

export class TcpProxy {
  readonly name: string
  #settings: ProxySettings
  #upstream: Endpoint
  #listener: Server | undefined
  readonly #connections = new Set<Connection>()
  #toxics: Toxic[] = []
  #sequence = 0
  readonly #random: () => number

  /** The proxy is down until the first `update`, whatever `settings.enabled` says. */
  constructor(name: string, settings: ProxySettings, random: () => number) {
    this.name = name
    this.#settings = { ...settings, enabled: false }
    this.#upstream = parseEndpoint(settings.upstream, 'upstream')
    this.#random = random
  }

  get settings(): Readonly<ProxySettings> {
    return this.#settings
  }

  /**
   * Brings the proxy into the given state. Another address restarts it and drops its connections.
   * @throws ApiError 500 when the platform refuses to listen; the proxy is then down.
   */
  async update(settings: ProxySettings): Promise<void> {
    const { listen, upstream, upstreamSource, enabled } = settings
    const present = this.#settings
    const moved =
      listen !== present.listen || upstream !== present.upstream || upstreamSource !== present.upstreamSource
    if (moved || !enabled) await this.stop()
    if (moved) {
      this.#settings = { ...settings, enabled: false }
      this.#upstream = parseEndpoint(upstream, 'upstream')
    }
    if (enabled && !this.#settings.enabled) await this.#start()
  }

  /** Closes the listener and every connection. */
  async stop(): Promise<void> {
    this.#settings.enabled = false
    const listener = this.#listener
    this.#listener = undefined
    for (const connection of this.#connections) connection.destroy()
    if (listener !== undefined) await new Promise<void>((resolve) => listener.close(() => resolve()))
  }

  /** The toxics, upstream ones first, each stream in the order in which bytes meet them. */
  get toxics(): Toxic[] {
    const of = (stream: Stream) => this.#toxics.filter((toxic) => toxic.stream === stream)
    return [...of('upstream'), ...of('downstream')]
  }

  /** @throws ApiError 404 */
  toxic(name: string): Toxic {
    const toxic = this.#toxics.find((candidate) => candidate.name === name)
    if (toxic === undefined) throw toxicNotFound()
    return toxic
  }

  /**
   * Adds a toxic to this proxy and at once to its connections.
   * @throws ApiError 400 for a malformed toxic, 409 for a name in use.
   */
  addToxic(input: unknown): Toxic {
    const { name, kind, stream, settings } = readToxic(input)
    if (this.#toxics.some((toxic) => toxic.name === name)) throw toxicAlreadyExists()
    const toxic: Toxic = { name, kind, stream, sequence: this.#sequence++, ...settings }
    this.#toxics.push(toxic)
    for (const connection of [...this.#connections]) connection.apply(toxic)
    return toxic
  }

  /** @throws ApiError 400 for malformed values, 404 for an unknown toxic. */
  updateToxic(name: string, input: unknown): Toxic {
    const toxic = this.toxic(name)
    Object.assign(toxic, readToxicUpdate(input, toxic.kind, toxic))
    for (const connection of [...this.#connections]) connection.apply(toxic)
    return toxic
  }

  /** @throws ApiError 404 */
  removeToxic(name: string): void {
    const toxic = this.toxic(name)
    this.#toxics = this.#toxics.filter((other) => other !== toxic)
    for (const connection of [...this.#connections]) connection.remove(toxic)
  }

  removeToxics(): void {
    for (const toxic of [...this.#toxics]) this.removeToxic(toxic.name)
  }

  links(): LinkReport[] {
    return Array.from(this.#connections, (connection) => connection.report())
  }

  report(): ProxyReport {
    const { listen, upstream, enabled, upstreamSource } = this.#settings
    return {
      name: this.name,
      listen,
      upstream,
      enabled,
      ...(upstreamSource === undefined ? {} : { upstreamSource }),
      toxics: this.toxics.map(reportToxic),
    }
  }

  async #start(): Promise<void> {
    const { listen } = this.#settings
    const { host, port } = parseListenEndpoint(listen)
    const listener = createServer(
      { allowHalfOpen: true, noDelay: true, highWaterMark: SOCKET_BUFFER_BYTES },
      (client) => this.#accept(client),
    )
    await new Promise<void>((resolve, reject) => {
      listener.once('error', (error) => reject(listenFailed(listen, error)))
      listener.listen({ host, port, exclusive: true }, resolve)
    })
    listener.on('error', () => {}) // a failed accept concerns that connection only
    const bound = listener.address()
    const boundPort = typeof bound === 'object' && bound !== null ? bound.port : port
    this.#settings = { ...this.#settings, listen: formatEndpoint({ host, port: boundPort }), enabled: true }
    this.#listener = listener
  }

  #accept(client: Socket): void {
    // A peer that is gone already has no address, and nothing to say.
    if (client.remoteAddress === undefined) {
      client.on('error', () => {})
      client.destroy()
      return
    }
    const connection = new Connection({
      proxyName: this.name,
      client,
      upstream: this.#upstream,
      upstreamSource: this.#settings.upstreamSource,
      toxics: this.#toxics,
      random: this.#random,
      onClosed: (closed) => this.#connections.delete(closed),
    })
    this.#connections.add(connection)
  }
}

export function reportToxic(toxic: Toxic): ToxicReport {
  const { name, kind, stream, toxicity, attributes, sources } = toxic
  const shown = sources === undefined ? { ...attributes } : { ...attributes, sources }
  return { attributes: shown, name, type: kind.type, stream, toxicity }
}
