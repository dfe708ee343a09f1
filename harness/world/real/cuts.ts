/**
 * Cuts of directed links, as toxics of the proxies in front of the nodes.
 *
 * Bytes from A to B travel in two kinds of connections: those that A dialled (through B's proxy, upstream) and those
 * that B dialled (through A's proxy, downstream). Each direction of each link therefore is up to two rules:
 *
 *     A ──dialled──▶ [proxy of B] ──▶ B      upstream toxic at B's proxy, for connections from A
 *     B ──dialled──▶ [proxy of A] ──▶ A      downstream toxic at A's proxy, for connections from B
 */
import type { Proxy as ToxicProxy, Toxiproxy } from 'toxiproxy-node-client'
import type { ActiveFault, DirectedLink } from '../world.ts'

/** `client` plane (clients and replication) and `bus` plane of a node. */
export const PLANES = ['data', 'bus'] as const

export function proxyName(node: string, plane: (typeof PLANES)[number]): string {
  return `${node}-${plane}`
}

interface Rule {
  node: string
  stream: 'upstream' | 'downstream'
  sources: string[]
}

export interface CutOptions {
  toxiproxy: Toxiproxy
  /** Base URL of the proxy's API, for its `/links`. */
  url: string
  /** Proxies by name. */
  proxies: ReadonlyMap<string, ToxicProxy>
  isNode(name: string): boolean
  /** Source address of a machine. */
  addressOf(name: string): string
}

let lastCut = 0

/** Sets all rules; on failure none remains. */
export async function cutLinks(links: readonly DirectedLink[], options: CutOptions): Promise<ActiveFault> {
  const name = `partition-${++lastCut}`
  const set: { remove(): Promise<unknown> }[] = []
  const undo = async (): Promise<void> => {
    const toxics = set.splice(0)
    await Promise.all(toxics.map((toxic) => toxic.remove()))
  }
  try {
    await Promise.all(
      rulesOf(links, options).flatMap(({ node, stream, sources }) =>
        PLANES.map(async (plane) => {
          const proxy = options.proxies.get(proxyName(node, plane)) as ToxicProxy
          set.push(
            await proxy.addToxic({
              name: `${name}-${stream}`,
              type: 'partition',
              stream,
              toxicity: 1,
              attributes: { sources },
            } as never),
          )
        }),
      ),
    )
  } catch (error) {
    await undo()
    throw error
  }
  return { tookHold: () => heldNow(options.url), undo }
}

function rulesOf(links: readonly DirectedLink[], { isNode, addressOf }: CutOptions): Rule[] {
  const rules = new Map<string, Rule>()
  const add = (node: string, stream: Rule['stream'], source: string): void => {
    const key = `${node} ${stream}`
    const rule = rules.get(key) ?? { node, stream, sources: [] }
    rule.sources.push(source)
    rules.set(key, rule)
  }
  for (const { from, to } of links) {
    if (isNode(to)) add(to, 'upstream', addressOf(from))
    if (isNode(from)) add(from, 'downstream', addressOf(to))
  }
  return [...rules.values()]
}

interface LinkReport {
  phase: string
  upstream: { heldBytes: number }
  downstream: { heldBytes: number }
}

/** What the proxies hold back at this moment, in words; empty when nothing. */
async function heldNow(url: string): Promise<string> {
  const response = await fetch(`${url}/links`)
  const { links } = (await response.json()) as { links: LinkReport[] }
  const held = links.filter(
    (link) => link.phase === 'waiting' || link.upstream.heldBytes + link.downstream.heldBytes > 0,
  )
  if (held.length === 0) return ''
  const bytes = held.reduce((sum, link) => sum + link.upstream.heldBytes + link.downstream.heldBytes, 0)
  return `${bytes.toLocaleString('en-US')} bytes held back on ${held.length} connections`
}
