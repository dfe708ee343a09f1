/** What a run does to its nodes, one action at a time: faults, administrative commands, readings. */
import { ReplyError } from '../../engine/resp/reply-parser.ts'
import { describeFault, type FaultSpec, type Machines, minorityOf, startFault } from '../fault/fault.ts'
import type { Recorder } from '../history/history.ts'
import { evaluate, evaluateMs, type Facts } from '../predict/quantity.ts'
import type {
  Action,
  CommandAction,
  FaultAction,
  FilesAction,
  GrowthAction,
  IncrementAction,
  ReadAction,
} from '../scenario.ts'
import { AdminClient, replyText } from '../topology/admin-client.ts'
import { parseInfo } from '../topology/node-state.ts'
import type { Topology } from '../topology/start.ts'
import { incrementCounters } from '../workload/data-set.ts'
import type { World, WorldNode } from '../world/world.ts'
import { grow } from './growth.ts'

/** A SAVE or the load of a large data set may take long; then the run is given up. */
const PATIENCE_MS = 120_000
const POLL_MS = 10
/** The load of fewer keys is over before its clock has moved. */
const PER_MILLION_LEAST_KEYS = 10_000
const REPLY_CHARACTERS = 200

export interface ActionContext {
  world: World
  topology: Topology
  machines: Machines
  facts: Facts
  recorder: Recorder
  /** On the history's clock. */
  nowMs(): number
  onPhase(phase: 'fault' | 'loading', text: string): void
}

/** Resolves when the action and all that it began is over. */
export function perform(action: Action, context: ActionContext): Promise<void> {
  switch (action.kind) {
    case 'fault':
      return injectFault(action, context)
    case 'command':
      return runCommand(action, context)
    case 'growth':
      return growAggregate(action, context)
    case 'increment':
      return increment(action, context)
    case 'read':
      return readFields(action, context)
    case 'files':
      return measureFiles(action, context)
  }
}

async function injectFault({ fault: spec, lasts }: FaultAction, context: ActionContext): Promise<void> {
  const { world, machines, facts, recorder, nowMs, onPhase } = context
  const description = describeFault(spec, machines)
  const event = {
    type: 'fault' as const,
    name: spec.kind,
    description,
    minority: minorityOf(spec, machines),
    ...(spec.kind !== 'partition' && { node: spec.node }),
  }
  const lastsMs = evaluateMs(lasts, facts)
  onPhase('fault', `${description}, for ${(lastsMs / 1000).toFixed(1)} s`)
  recorder.record({ ...event, state: 'start', atMs: nowMs(), tookHold: '' })
  const fault = await startFault(spec, machines, world)
  try {
    await world.sleep(lastsMs)
  } finally {
    const tookHold = await fault.tookHold()
    const restartedMs = nowMs()
    await fault.undo()
    recorder.record({ ...event, state: 'end', atMs: nowMs(), tookHold })
    if (isRestart(spec)) await untilServing(context, spec.node, restartedMs)
  }
  onPhase('loading', 'healed')
}

function isRestart(spec: FaultSpec): spec is Extract<FaultSpec, { kind: 'kill' | 'power-cut' | 'pause' }> {
  return spec.kind === 'kill' || spec.kind === 'power-cut'
}

/** Waits until a restarted server has loaded its data, and records how long that took. */
async function untilServing(context: ActionContext, name: string, startedMs: number): Promise<void> {
  const { world, recorder, nowMs } = context
  // Connections of before lead nowhere any more.
  context.topology.admins.find((admin) => admin.node.name === name)?.close()
  await withAdmin(context, name, async (admin) => {
    while (replyText(await admin.tryCommand(['PING'], PATIENCE_MS)) !== 'PONG') {
      if (nowMs() - startedMs > PATIENCE_MS)
        throw new Error(`${name} does not serve ${PATIENCE_MS} ms after its restart`)
      await world.sleep(POLL_MS)
    }
    const atMs = nowMs()
    recorder.record({ type: 'figure', atMs, node: name, name: 'restartMs', value: Math.round(atMs - startedMs) })
    const info = parseInfo(await admin.text(['INFO', 'cpu']))
    const cpuMs = 1000 * (Number(info.get('used_cpu_user')) + Number(info.get('used_cpu_sys')))
    recorder.record({ type: 'figure', atMs, node: name, name: 'restartCpuMs', value: Math.round(cpuMs) })
    const loadMs = loadTimeMs(admin.node)
    if (loadMs === undefined) return
    recorder.record({ type: 'figure', atMs, node: name, name: 'loadMs', value: loadMs })
    const keys = Number(await admin.command(['DBSIZE']))
    if (keys < PER_MILLION_LEAST_KEYS) return
    const value = Math.round((loadMs / keys) * 1e6)
    recorder.record({ type: 'figure', atMs, node: name, name: 'loadPerMillionMs', value })
  })
}

/** What the server's log says of its last load: `DB loaded from disk: 0.123 seconds`, or from its append-only file. */
function loadTimeMs(node: WorldNode): number | undefined {
  const found = node
    .logTail(200)
    .flatMap((line) => /DB loaded from (?:disk|append only file): ([\d.]+) seconds/.exec(line)?.[1] ?? [])
  const last = found.at(-1)
  return last === undefined ? undefined : Math.round(Number(last) * 1000)
}

async function runCommand({ node, words, until, measure }: CommandAction, context: ActionContext): Promise<void> {
  const { recorder, world, nowMs, onPhase } = context
  onPhase('loading', `${words.join(' ')} on ${node}`)
  await withAdmin(context, node, async (admin) => {
    const atMs = nowMs()
    const reply = await admin.tryCommand(words, PATIENCE_MS)
    const replyMs = nowMs() - atMs
    if (until !== undefined && !(reply instanceof ReplyError)) {
      while (parseInfo(await admin.text(['INFO'])).get(until) !== '0') {
        if (nowMs() - atMs > PATIENCE_MS) throw new Error(`${words.join(' ')} is not over after ${PATIENCE_MS} ms`)
        await world.sleep(POLL_MS)
      }
    }
    const doneMs = until === undefined ? replyMs : nowMs() - atMs
    const text = reply === undefined ? 'no answer' : replyText(reply).slice(0, REPLY_CHARACTERS)
    const took = { replyMs: hundredths(replyMs), doneMs: hundredths(doneMs) }
    recorder.record({ type: 'command', atMs, node, words: [...words], reply: text, ...took })
    if (measure !== undefined) {
      recorder.record({ type: 'figure', atMs: nowMs(), node, name: measure, value: took.doneMs })
    }
  })
}

function hundredths(valueMs: number): number {
  return Math.round(valueMs * 100) / 100
}

async function growAggregate(action: GrowthAction, context: ActionContext): Promise<void> {
  const { recorder, nowMs, onPhase } = context
  const { node, words, steps } = action
  onPhase('loading', `${words[0]} until the encoding changes, ${steps} times at most`)
  await withAdmin(context, node, async (admin) => {
    const { figures, encodings } = await grow(action, admin)
    const atMs = nowMs()
    const reply = figures.changesAt === 0 ? `${encodings[0]} at every size` : encodings.join(', then ')
    recorder.record({ type: 'command', atMs, node, words: ['OBJECT', 'ENCODING'], reply, replyMs: 0, doneMs: 0 })
    for (const [name, value] of Object.entries(figures)) recorder.record({ type: 'figure', atMs, node, name, value })
  })
}

async function increment({ node: name, keys, times }: IncrementAction, context: ActionContext): Promise<void> {
  const { world, topology, facts, onPhase } = context
  const node = topology.nodes.find((candidate) => candidate.name === name)
  if (node === undefined) throw new Error(`the scenario names the node '${name}', which the topology lacks`)
  const count = Math.round(evaluate(keys, facts).high)
  onPhase('loading', `incrementing ${count.toLocaleString('en-US')} counters ${times} times`)
  await incrementCounters(world, node, count, times)
}

async function readFields({ node, fields }: ReadAction, context: ActionContext): Promise<void> {
  await withAdmin(context, node, async (admin) => {
    const info = parseInfo(await admin.text(['INFO']))
    for (const [name, field] of Object.entries(fields)) {
      const value = Number(info.get(field))
      if (!info.has(field) || !Number.isFinite(value)) throw new Error(`${node} has no number ${field} in its INFO`)
      context.recorder.record({ type: 'figure', atMs: context.nowMs(), node, name, value })
    }
  })
}

async function measureFiles({ node, measure, path }: FilesAction, context: ActionContext): Promise<void> {
  const value = await context.world.fileBytes(node, path)
  context.recorder.record({ type: 'figure', atMs: context.nowMs(), node, name: measure, value })
}

/** On a connection of its own: what the observer gives up must not end a long command. */
async function withAdmin(
  { topology, world }: ActionContext,
  name: string,
  body: (admin: AdminClient) => Promise<void>,
): Promise<void> {
  const node = topology.nodes.find((candidate) => candidate.name === name)
  if (node === undefined) throw new Error(`the scenario names the node '${name}', which the topology lacks`)
  const admin = new AdminClient(world, node)
  try {
    await body(admin)
  } finally {
    admin.close()
  }
}
