/** What a node says of itself, read from CLUSTER NODES, CLUSTER INFO and INFO replication. */

export interface ClusterNodeLine {
  id: string
  host: string
  port: number
  flags: string[]
  /** Node id of the primary; empty for primaries. */
  primaryId: string
  epoch: number
  linkState: string
  slots: [from: number, to: number][]
}

/** Parses CLUSTER NODES: `id ip:port@cport[,hostname] flags primary ping pong epoch link-state slot …`. */
export function parseClusterNodes(text: string): ClusterNodeLine[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [id = '', address = '', flags = '', primaryId = '', , , epoch = '', linkState = '', ...slots] =
        line.split(' ')
      const endpoint = address.slice(0, address.indexOf('@'))
      const colon = endpoint.lastIndexOf(':')
      return {
        id,
        host: endpoint.slice(0, colon),
        port: Number(endpoint.slice(colon + 1)),
        flags: flags.split(','),
        primaryId: primaryId === '-' ? '' : primaryId,
        epoch: Number(epoch),
        linkState,
        slots: slots.filter((slot) => !slot.startsWith('[')).map(parseRange),
      }
    })
}

/** What a node says of itself in CLUSTER NODES. */
export interface OwnState {
  role: 'primary' | 'replica'
  /** Name of the primary that it follows; empty for primaries. */
  follows: string
  epoch: number | null
  slots: [from: number, to: number][]
}

/** `nodeName` gives the name of the node that announces `host:port`. */
export function parseOwnState(text: string, nodeName: (address: string) => string): OwnState {
  const lines = parseClusterNodes(text)
  const myself = lines.find((line) => line.flags.includes('myself'))
  const primary = lines.find((line) => line.id === myself?.primaryId)
  return {
    role: myself?.flags.includes('master') === true ? 'primary' : 'replica',
    follows: primary === undefined ? '' : nodeName(`${primary.host}:${primary.port}`),
    epoch: myself?.epoch ?? null,
    slots: myself?.slots ?? [],
  }
}

function parseRange(text: string): [number, number] {
  const [from, to] = text.split('-').map(Number)
  return [from as number, to ?? (from as number)]
}

/** Parses `name:value` lines as INFO and CLUSTER INFO print them. */
export function parseInfo(text: string): Map<string, string> {
  const fields = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':')
    if (colon > 0 && !line.startsWith('#')) fields.set(line.slice(0, colon), line.slice(colon + 1))
  }
  return fields
}
