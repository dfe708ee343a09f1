/** Histories made by hand, for tests: a partition of `primary-1` with some writes on either side. */
import {
  type CommandEvent,
  type ContentEvent,
  History,
  type HistoryEvent,
  type NodeEvent,
  type Outcome,
} from '../history.ts'

export interface PlantedWrite {
  client?: string
  node?: string
  /** Invoked; completed 1 ms later unless told. */
  atMs: number
  completedMs?: number
  outcome?: Outcome
  /** Not found afterwards. */
  lost?: boolean
  /** What is found instead. */
  found?: string
}

export const CUT_MS = 1000
export const HEAL_MS = 5000
export const END_MS = 8000

/** A complete history; `extra` events are put in by their time. */
export function plantedHistory(writes: readonly PlantedWrite[], extra: readonly HistoryEvent[] = []): History {
  const minority = ['primary-1', 'minority-1']
  const fault = { type: 'fault' as const, name: 'partition', description: 'primary-1 cut off', minority }
  const timed: HistoryEvent[] = [
    { ...fault, state: 'start', atMs: CUT_MS, tookHold: '' },
    { ...fault, state: 'end', atMs: HEAL_MS, tookHold: '9 packets lost' },
    ...writes.flatMap(writeEvents),
    ...extra.filter((event) => event.type !== 'content'),
  ]
  const history = new History()
  history.record({
    type: 'header',
    version: 1,
    scenario: 'test/planted',
    arm: 'one',
    world: 'sim',
    target: 'engine',
    seed: 1,
    groups: { minority: 'cut off', majority: 'others' },
  })
  for (const event of timed.sort((a, b) => timeOf(a) - timeOf(b))) history.record(event)
  const kept = writes
    .map((write, i) => [`key-${i}`, write.found ?? String(i + 1), write.lost] as const)
    .filter(([, , lost]) => lost !== true)
    .map(([key, value]): [string, string] => [key, value])
  const content = extra.filter((event): event is ContentEvent => event.type === 'content')
  for (const event of content.length > 0 ? content : [contentOf('replica-1', 'primary', '', kept)])
    history.record(event)
  history.record({ type: 'end', atMs: END_MS, settled: true, lateOperations: 0 })
  return history
}

export function contentOf(
  node: string,
  role: 'primary' | 'replica',
  follows: string,
  entries: [string, string][],
): ContentEvent {
  return { type: 'content', atMs: END_MS, node, role, follows, entries }
}

/** `node` is killed at a time and back 300 ms later. */
export function crashEvents(node: string, atMs: number): HistoryEvent[] {
  const fault = { type: 'fault' as const, name: 'kill', description: `${node} killed`, minority: [], node }
  return [
    { ...fault, state: 'start', atMs, tookHold: '' },
    { ...fault, state: 'end', atMs: atMs + 300, tookHold: 'process 1 ended' },
  ]
}

export function commandEvent(words: readonly string[], reply: string, atMs: number, doneMs = 1): CommandEvent {
  return { type: 'command', atMs, node: 'server', words: [...words], reply, replyMs: 1, doneMs }
}

export function nodeEvent(event: Partial<NodeEvent> & { node: string; atMs: number }): NodeEvent {
  return {
    type: 'node',
    role: 'primary',
    follows: '',
    epoch: 1,
    slots: [],
    clusterState: 'ok',
    offsetBytes: 0,
    ...event,
  }
}

function writeEvents(write: PlantedWrite, index: number): HistoryEvent[] {
  const { client = 'majority-1', node = 'replica-1', atMs, completedMs = atMs + 1, outcome = 'ok' } = write
  const group = client.slice(0, client.lastIndexOf('-'))
  const id = index + 1
  return [
    { type: 'invoke', id, atMs, client, group, key: `key-${index}`, value: String(id) },
    { type: 'complete', id, atMs: completedMs, outcome, node },
  ]
}

function timeOf(event: HistoryEvent): number {
  return 'atMs' in event ? event.atMs : 0
}
