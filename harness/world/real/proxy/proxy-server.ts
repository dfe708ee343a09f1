/**
 * The embedded proxy: Toxiproxy's HTTP API in front of TCP proxies that know both ends of every link.
 *
 * Real nodes need no change to be cut off from each other: node i binds 127.0.1.i, sends from that address, and
 * announces 127.0.2.i, where a proxy of this server listens (harness/world/real/addresses.ts). A proxy therefore sees
 * who dials, and a toxic with the attribute `sources` works on the links from those addresses only, in one direction.
 *
 * What real Toxiproxy can do is done through its own API, so it can take this server's place (start it, and give the
 * harness its URL). It ignores `sources` and has no `partition`, `upstreamSource` and GET /links: these are ours.
 *
 * Reading order: toxics/toxic.ts, stage.ts (the drain loop), flow.ts (one direction), connection.ts, tcp-proxy.ts, this
 * file, http-api.ts.
 */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { badRequestBody, proxyAlreadyExists, proxyNotFound } from './api-error.ts'
import type { LinkReport } from './connection.ts'
import { formatEndpoint, isLoopback } from './endpoint.ts'
import { handleRequest } from './http-api.ts'
import type { ProxySettings, ToxicInput, ToxicUpdate } from './input.ts'
import { type ProxyInput, type ProxyUpdate, readProxies, readProxy, readProxyUpdate } from './input.ts'
import { type ProxyReport, reportToxic, TcpProxy, type ToxicReport } from './tcp-proxy.ts'

export interface ProxyServerOptions {
  /** Loopback address of the HTTP API; default 127.0.0.1. */
  host?: string
  /** Port of the HTTP API; 0, the default, lets the system choose. */
  port?: number
  /** Source of toxicity, jitter and slice sizes, in [0, 1); default Math.random. */
  random?: () => number
}

export class ProxyServer {
  readonly url: string
  readonly #http: Server
  readonly #proxies: Map<string, TcpProxy>
  readonly #random: () => number
  /** Changes of listeners run one after the other: each takes several turns of the event loop. */
  #turn: Promise<unknown> = Promise.resolve()

  /** Use `ProxyServer.start`. */
  private constructor(http: Server, random: () => number) {
    const { address, port } = http.address() as AddressInfo
    this.url = `http://${formatEndpoint({ host: address, port })}`
    this.#http = http
    this.#proxies = new Map()
    this.#random = random
  }

  /**
   * Starts the HTTP API, without any proxy.
   * @throws ApiError 400 for a host that is not loopback; the platform's error when the port is taken.
   */
  static async start(options: ProxyServerOptions = {}): Promise<ProxyServer> {
    const { host = '127.0.0.1', port = 0, random = Math.random } = options
    if (!isLoopback(host)) throw badRequestBody(`the API listens on loopback addresses only, not on ${host}`)
    const http = createServer({ requestTimeout: 15_000, headersTimeout: 10_000 })
    await new Promise<void>((resolve, reject) => {
      http.once('error', reject)
      http.listen({ host, port }, () => {
        http.off('error', reject)
        resolve()
      })
    })
    const server = new ProxyServer(http, random)
    http.on('request', (request, response) => handleRequest(server, request, response))
    return server
  }

  /** Every proxy by name. */
  proxies(): Record<string, ProxyReport> {
    return Object.fromEntries(Array.from(this.#proxies, ([name, proxy]) => [name, proxy.report()]))
  }

  /** @throws ApiError 404 */
  proxy(name: string): ProxyReport {
    return this.#find(name).report()
  }

  /** @throws ApiError 400 for malformed fields, 409 for a name in use, 500 when the address cannot be listened on. */
  createProxy(input: ProxyInput): Promise<ProxyReport> {
    return this.#inTurn(async () => {
      const { name, settings } = readProxy(input)
      if (this.#proxies.has(name)) throw proxyAlreadyExists()
      return (await this.#add(name, settings)).report()
    })
  }

  /** @throws ApiError 400, 404, and 500 when the address cannot be listened on: the proxy is then down. */
  updateProxy(name: string, input: ProxyUpdate): Promise<ProxyReport> {
    return this.#inTurn(async () => {
      const proxy = this.#find(name)
      await proxy.update(readProxyUpdate(input, proxy.settings))
      return proxy.report()
    })
  }

  /** @throws ApiError 404 */
  removeProxy(name: string): Promise<void> {
    return this.#inTurn(async () => {
      const proxy = this.#find(name)
      this.#proxies.delete(name)
      await proxy.stop()
    })
  }

  /**
   * Creates the listed proxies. One that exists with the same addresses stays, with its toxics and connections; with
   * other addresses it is replaced.
   * @throws ApiError 400 before anything changed; 500 at the first address that cannot be listened on.
   */
  populate(inputs: readonly ProxyInput[]): Promise<ProxyReport[]> {
    return this.#inTurn(async () => {
      const reports: ProxyReport[] = []
      for (const { name, settings } of readProxies(inputs)) {
        reports.push((await this.#addOrReplace(name, settings)).report())
      }
      return reports
    })
  }

  toxics(proxyName: string): ToxicReport[] {
    return this.#find(proxyName).toxics.map(reportToxic)
  }

  /** @throws ApiError 404 */
  toxic(proxyName: string, name: string): ToxicReport {
    return reportToxic(this.#find(proxyName).toxic(name))
  }

  /** Works on existing connections at once. @throws ApiError 400, 404, 409 */
  addToxic(proxyName: string, input: ToxicInput): ToxicReport {
    return reportToxic(this.#find(proxyName).addToxic(input))
  }

  /** @throws ApiError 400, 404 */
  updateToxic(proxyName: string, name: string, input: ToxicUpdate): ToxicReport {
    return reportToxic(this.#find(proxyName).updateToxic(name, input))
  }

  /** @throws ApiError 404 */
  removeToxic(proxyName: string, name: string): void {
    this.#find(proxyName).removeToxic(name)
  }

  /** Heals everything: removes every toxic and enables every proxy. @throws ApiError 500 */
  reset(): Promise<void> {
    return this.#inTurn(async () => {
      // Toxics first: a proxy whose address is taken must not keep the others from healing.
      for (const proxy of this.#proxies.values()) proxy.removeToxics()
      for (const proxy of this.#proxies.values()) await proxy.update({ ...proxy.settings, enabled: true })
    })
  }

  /** Every live connection, with what is held and which toxics are at work on it. */
  links(): LinkReport[] {
    return Array.from(this.#proxies.values(), (proxy) => proxy.links()).flat()
  }

  /** Closes the API, every listener and every connection. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#http.close(() => resolve()))
    this.#http.closeAllConnections()
    await this.#inTurn(async () => {
      const proxies = [...this.#proxies.values()]
      this.#proxies.clear()
      await Promise.all(proxies.map((proxy) => proxy.stop()))
    })
    await closed
  }

  #find(name: string): TcpProxy {
    const proxy = this.#proxies.get(name)
    if (proxy === undefined) throw proxyNotFound()
    return proxy
  }

  async #add(name: string, settings: ProxySettings): Promise<TcpProxy> {
    const proxy = new TcpProxy(name, settings, this.#random)
    await proxy.update(settings)
    this.#proxies.set(name, proxy)
    return proxy
  }

  async #addOrReplace(name: string, settings: ProxySettings): Promise<TcpProxy> {
    const existing = this.#proxies.get(name)
    if (existing === undefined) return this.#add(name, settings)
    const { listen, upstream, upstreamSource } = existing.settings
    const same =
      listen === settings.listen && upstream === settings.upstream && upstreamSource === settings.upstreamSource
    if (same) {
      await existing.update(settings)
      return existing
    }
    this.#proxies.delete(name)
    await existing.stop()
    return this.#add(name, settings)
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => {}) // the caller hears of it through `result`
    return result
  }
}
