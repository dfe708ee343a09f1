/**
 * After the run: reads every node's data into the history: all that the workload wrote; of a data set the number of
 * keys.
 */
import { keyHashSlot } from '../../engine/data/crc16.ts'
import type { ReplyValue } from '../../engine/resp/reply-parser.ts'
import { HarnessError } from '../errors.ts'
import type { ContentEvent, Recorder } from '../history/history.ts'
import { type AdminClient, replyText } from '../topology/admin-client.ts'
import type { Topology } from '../topology/start.ts'
import { DATA_PREFIX } from '../workload/data-set.ts'
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
 * the topology agrees again. Rejects with TOPOLOGY and what it said when that does not help.
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
        if (error instanceof HarnessError) throw error
        if (attempt === MAX_ATTEMPTS) throw unreadable(error)
        await world.sleep(RETRY_MS)
        await topology.settle(SETTLE_MS)
      }
    }
  }
}

function unreadable(error: unknown): HarnessError {
  const reason = error instanceof Error ? error.message : String(error)
  const advice = 'Run it again with --keep, and look into the logs of the nodes.'
  return new HarnessError('TOPOLOGY', `The data could not be read after the run: ${reason}. ${advice}`)
}

async function readNode(admin: AdminClient, world: World, topology: Topology, zeroMs: number): Promise<ContentEvent[]> {
  const events: ContentEvent[] = []
  const state = topology.readState(await admin.pipeline(topology.questions))
  if (state === undefined || (state.role !== 'primary' && state.role !== 'replica')) {
    throw new Error(`${admin.node.name} does not say what it is`)
  }
  const { role, follows } = state
  const isCluster = topology.slotsOf(undefined) !== undefined
  if (isCluster) await admin.command(['READONLY'])
  const seen = new Set<string>()
  let cursor = '0'
  do {
    const reply = await admin.command(['SCAN', cursor, 'COUNT', String(SCAN_COUNT)])
    if (!Array.isArray(reply) || !Array.isArray(reply[1]))
      throw new Error(`${admin.node.name} answers SCAN with no array`)
    cursor = replyText(reply[0])
    // SCAN may return a key twice.
    const found = reply[1].map(replyText).filter((key) => !seen.has(key))
    for (const key of found) seen.add(key)
    const keys = found.filter((key) => !key.startsWith(DATA_PREFIX) && !key.startsWith('counter:'))
    const entries = await readValues(admin, isCluster ? groupBySlot(keys) : [keys])
    const atMs = Math.round((world.nowMs() - zeroMs) * 1000) / 1000
    const otherKeys = found.length - keys.length
    const event = { type: 'content' as const, atMs, node: admin.node.name, role, follows, entries }
    events.push(otherKeys === 0 ? event : { ...event, otherKeys })
  } while (cursor !== '0')
  return events
}

/** A cluster node answers an MGET for keys of one slot only. */
function groupBySlot(keys: readonly string[]): string[][] {
  const bySlot = new Map<number, string[]>()
  for (const key of keys) {
    const slot = keyHashSlot(Buffer.from(key))
    const group = bySlot.get(slot)
    if (group === undefined) bySlot.set(slot, [key])
    else group.push(key)
  }
  return [...bySlot.values()]
}

/** One MGET a group. */
async function readValues(admin: AdminClient, groups: readonly string[][]): Promise<[string, string][]> {
  const wanted = groups.filter((group) => group.length > 0)
  const replies: ReplyValue[] = await admin.pipeline(wanted.map((group) => ['MGET', ...group]))
  return wanted.flatMap((group, i) => {
    const values = replies[i]
    if (!Array.isArray(values)) throw new Error(`${admin.node.name} answers MGET with ${replyText(values)}`)
    return group.map((key, j): [string, string] => [key, replyText(values[j])])
  })
}
