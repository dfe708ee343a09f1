/**
 * Reads what the API is given (parsed JSON of unknown shape) into checked values. Field names, defaults and error texts
 * are Toxiproxy's; as there, unknown fields are ignored. Stricter than Toxiproxy: names must fit into a URL path,
 * addresses must be addresses, and numbers must not be negative.
 */
import { isIP } from 'node:net'
import { badRequestBody, invalidStream, invalidToxicType, missingField } from './api-error.ts'
import { formatEndpoint, parseEndpoint, parseListenEndpoint, plainAddress } from './endpoint.ts'
import { toxicKinds } from './toxics/registry.ts'
import type { Attributes, Stream, ToxicKind } from './toxics/toxic.ts'

/** Body of POST /proxies and element of POST /populate. */
export interface ProxyInput {
  name: string
  /** Loopback address and port; port 0 lets the system choose. Default 127.0.0.1:0. */
  listen?: string
  upstream: string
  /** Default true. */
  enabled?: boolean
  /** Our extension: local address of the connections to the upstream. */
  upstreamSource?: string
}

/** Body of POST or PATCH /proxies/{name}; absent fields stay. */
export type ProxyUpdate = Partial<Omit<ProxyInput, 'name'>>

/** Body of POST /proxies/{name}/toxics. */
export interface ToxicInput {
  type: string
  /** Default `<type>_<stream>`. */
  name?: string
  /** Default downstream. */
  stream?: Stream
  /** Probability of 0..1 that the toxic works on a connection; default 1. */
  toxicity?: number
  attributes?: Record<string, number | readonly string[]>
}

/** Body of POST or PATCH /proxies/{name}/toxics/{toxic}; absent fields and attributes stay. */
export type ToxicUpdate = Pick<ToxicInput, 'toxicity' | 'attributes'>

export interface ProxySettings {
  listen: string
  upstream: string
  enabled: boolean
  upstreamSource: string | undefined
}

export interface ToxicSettings {
  toxicity: number
  attributes: Attributes
  sources: readonly string[] | undefined
}

type Fields = Record<string, unknown>

const NAME = /^[^/\s\p{Cc}]{1,200}$/u

function asFields(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badRequestBody(`${what} is not a JSON object`)
  }
  return value as Fields
}

function text(fields: Fields, name: string): string {
  const value = fields[name] ?? ''
  if (typeof value !== 'string') throw badRequestBody(`${name} is not a string`)
  return value
}

function flag(fields: Fields, name: string, byDefault: boolean): boolean {
  const value = fields[name] ?? byDefault
  if (typeof value !== 'boolean') throw badRequestBody(`${name} is not a boolean`)
  return value
}

function checkedName(name: string): string {
  if (!NAME.test(name) || name === '.' || name === '..') {
    throw badRequestBody(`name "${name}" has white space, a slash, or more than 200 characters`)
  }
  return name
}

function address(value: unknown, field: string): string {
  if (typeof value !== 'string' || isIP(value) === 0) throw badRequestBody(`${field} is not an IP address`)
  return plainAddress(value)
}

/** @param place - names the proxy in the errors of a list, such as ` at proxy 2`. */
export function readProxy(input: unknown, place = ''): { name: string; settings: ProxySettings } {
  const fields = asFields(input, `proxy${place}`)
  const name = text(fields, 'name')
  if (name === '') throw missingField(`name${place}`)
  if (text(fields, 'upstream') === '') throw missingField(`upstream${place}`)
  const blank = { listen: '127.0.0.1:0', upstream: '', enabled: true, upstreamSource: undefined }
  return { name: checkedName(name), settings: readProxyUpdate(fields, blank) }
}

/** Lays the fields of an update over the present settings. */
export function readProxyUpdate(input: unknown, present: ProxySettings): ProxySettings {
  const fields = asFields(input, 'proxy')
  const upstream = text(fields, 'upstream') || present.upstream
  const { upstreamSource } = fields
  return {
    listen: formatEndpoint(parseListenEndpoint(text(fields, 'listen') || present.listen)),
    upstream: formatEndpoint(parseEndpoint(upstream, 'upstream')),
    enabled: flag(fields, 'enabled', present.enabled),
    upstreamSource: upstreamSource == null ? present.upstreamSource : address(upstreamSource, 'upstreamSource'),
  }
}

/** Reads the body of POST /populate: a list of proxies without duplicate names. */
export function readProxies(input: unknown): { name: string; settings: ProxySettings }[] {
  if (!Array.isArray(input)) throw badRequestBody('expected a list of proxies')
  const proxies = input.map((entry, index) => readProxy(entry, ` at proxy ${index + 1}`))
  const names = new Set<string>()
  for (const { name } of proxies) {
    if (names.has(name)) throw badRequestBody(`duplicate proxy name "${name}"`)
    names.add(name)
  }
  return proxies
}

export function readToxic(input: unknown): { name: string; kind: ToxicKind; stream: Stream; settings: ToxicSettings } {
  const fields = asFields(input, 'toxic')
  const stream = (text(fields, 'stream') || 'downstream').toLowerCase()
  if (stream !== 'upstream' && stream !== 'downstream') throw invalidStream()
  const type = text(fields, 'type')
  const name = checkedName(text(fields, 'name') || `${type}_${stream}`)
  const kind = toxicKinds.get(type)
  if (kind === undefined) throw invalidToxicType()
  const blank = { toxicity: 1, attributes: kind.fields, sources: undefined }
  return { name, kind, stream, settings: readToxicUpdate(fields, kind, blank) }
}

/** Lays the fields of an update over the present settings. */
export function readToxicUpdate(input: unknown, kind: ToxicKind, present: ToxicSettings): ToxicSettings {
  const fields = asFields(input, 'toxic')
  const toxicity = fields.toxicity ?? present.toxicity
  if (typeof toxicity !== 'number' || !(toxicity >= 0 && toxicity <= 1)) {
    throw badRequestBody('toxicity is not a number of 0..1')
  }
  const given = asFields(fields.attributes ?? {}, 'attributes')
  const attributes: Record<string, number> = { ...present.attributes }
  for (const name of Object.keys(kind.fields)) {
    const value = given[name] ?? attributes[name]
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
      throw badRequestBody(`attribute ${name} is not a whole number of 0 or more`)
    }
    attributes[name] = value
  }
  const fault = kind.validate?.(attributes)
  if (fault !== undefined) throw badRequestBody(fault)
  return { toxicity, attributes, sources: readSources(given.sources, present.sources) }
}

/** An empty list is refused: it reads like "all", and means none. `null` lifts the restriction. */
function readSources(value: unknown, present: readonly string[] | undefined): readonly string[] | undefined {
  if (value === undefined) return present
  if (value === null) return undefined
  if (!Array.isArray(value) || value.length === 0) {
    throw badRequestBody('attribute sources is not a list of at least one address')
  }
  return value.map((source) => address(source, 'attribute sources'))
}
