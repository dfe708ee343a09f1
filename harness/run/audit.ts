/** After the run: reads every node's complete data into the history. */
import { keyHashSlot } from '../../engine/data/crc16.ts'
import { HarnessError } from '../errors.ts'
import type { ContentEvent, Recorder } from '../history/history.ts'
import { type AdminClient, replyText } from '../topology/admin-client.ts'
import type { Topology } from '../topology/cluster.ts'
import { parseOwnState } from '../topology/node-state.ts'
import type { World } from '../world/world.ts'

const SCAN_COUNT = 10_000
/** How often a node is read before its error is final. */
const MAX_ATTEMPTS = 5
const RETRY_MS = 200
const SETTLE_MS = 10_000

/**
 * Reads every node. `zeroMs` is the history's zero in the world's time.
 *
 * A node may change its mind while it is read: after a long partition TCP delivers what was on its way before the cut,
 * and a node believes such old gossip until the next message. So a node that answers with an error is read again, once
 * the topology agrees again. Rejects with what it said when that does not help.
 */
export async function recordContents(
  world: World,
  topology: Topology,
  recorder: Recorder,
  zeroMs: number,
): Promise<void> {
  for (const admin of topology.admins) {
    for (let attempt = 1; ; attempt++) {
      try {
        const events = await readNode(admin, world, topology, zeroMs)
        for (const event of events) recorder.record(event)
        break
      } catch (error) {
        if (error instanceof HarnessError || attempt === MAX_ATTEMPTS) throw error
        await world.sleep(RETRY_MS)
        await topology.settle(SETTLE_MS)
      }
    }
  }
}

async function readNode(admin: AdminClient, world: World, topology: Topology, zeroMs: number): Promise<ContentEvent[]> {
  const events: ContentEvent[] = []
  const { role, follows } = parseOwnState(await admin.text(['CLUSTER', 'NODES']), topology.nodeName)
  await admin.command(['READONLY'])
  const seen = new Set<string>()
  let cursor = '0'
  do {
    const reply = await admin.command(['SCAN', cursor, 'COUNT', String(SCAN_COUNT)])
    if (!Array.isArray(reply) || !Array.isArray(reply[1]))
      throw new Error(`${admin.node.name} answers SCAN with no array`)
    cursor = replyText(reply[0])
    // SCAN may return a key twice.
    const keys = reply[1].map(replyText).filter((key) => !seen.has(key))
    for (const key of keys) seen.add(key)
    const entries = await readValues(admin, keys)
    const atMs = Math.round((world.nowMs() - zeroMs) * 1000) / 1000
    events.push({ type: 'content', atMs, node: admin.node.name, role, follows, entries })
  } while (cursor !== '0')
  return events
}

/** One MGET a slot, since a cluster node answers no other. */
async function readValues(admin: AdminClient, keys: readonly string[]): Promise<[string, string][]> {
  const bySlot = new Map<number, string[]>()
  for (const key of keys) {
    const slot = keyHashSlot(Buffer.from(key))
    const group = bySlot.get(slot)
    if (group === undefined) bySlot.set(slot, [key])
    else group.push(key)
  }
  const groups = [...bySlot.values()]
  const replies = await admin.pipeline(groups.map((group) => ['MGET', ...group]))
  return groups.flatMap((group, i) => {
    const values = replies[i]
    if (!Array.isArray(values)) throw new Error(`${admin.node.name} answers MGET with ${replyText(values)}`)
    return group.map((key, j): [string, string] => [key, replyText(values[j])])
  })
}
