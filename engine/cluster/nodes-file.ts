/**
 * nodes.conf: the view as text, one node a line, exactly as Redis writes and reads it; `CLUSTER NODES` answers with the
 * same lines.
 *
 *     id ip:port@busport[,hostname] flags primary-or-- ping-sent pong-received config-epoch link-state slots…
 *     vars currentEpoch 6 lastVoteEpoch 5
 *
 * Slots are `n`, `n-m`, and for this node `[n->-id]` (migrating) and `[n-<-id]` (importing). Unlike Redis, which
 * overwrites the file in place, it is written aside, synced and renamed, so that a power cut leaves the old or the new
 * one. There is no lock: Redis holds a flock on the file, which the Io port does not know; two nodes on one file are
 * kept apart by their ports only.
 */

import { SLOT_COUNT } from '../data/crc16.ts'
import { directoryOf } from '../data/path.ts'
import type { Disk } from '../io.ts'
import { defaultBusPort } from './environment.ts'
import { maxEpoch } from './epoch.ts'
import { type ClusterNode, flagsFromText, flagsToText, NodeFlag } from './node.ts'
import { slotRanges } from './slots.ts'
import { type ClusterView, isNodeName } from './view.ts'

type Range = readonly [start: number, end: number]

/** One node's line without its line end. `plain`: show the plain port of a TLS node. */
export function describeNode(view: ClusterView, node: ClusterNode, plain = false, ranges = rangesOf(node)): string {
  const port = plain && node.plainPort !== 0 ? node.plainPort : node.port
  const hostname = node.hostname === '' ? '' : `,${node.hostname}`
  const epoch = node.isReplica && node.primary !== undefined ? node.primary.configEpoch : node.configEpoch
  const fields = [
    node.name,
    `${node.ip}:${port}@${node.busPort}${hostname}`,
    flagsToText(node.flags),
    node.primary?.name ?? '-',
    node.pingSentMs,
    node.pongReceivedMs,
    epoch,
    node.link !== undefined || node === view.myself ? 'connected' : 'disconnected',
    ...ranges.map(([start, end]) => (start === end ? `${start}` : `${start}-${end}`)),
  ]
  if (node === view.myself) fields.push(...describeOpenSlots(view))
  return fields.join(' ')
}

function rangesOf(node: ClusterNode): Range[] {
  const ranges: [number, number][] = []
  if (node.slotCount === 0) return ranges
  for (let slot = 0; slot < SLOT_COUNT; slot++) {
    if (!node.hasSlot(slot)) continue
    const last = ranges.at(-1)
    if (last?.[1] === slot - 1) last[1] = slot
    else ranges.push([slot, slot])
  }
  return ranges
}

function describeOpenSlots(view: ClusterView): string[] {
  const open = new Map<number, string>()
  for (const [slot, source] of view.importingFrom) open.set(slot, `[${slot}-<-${source.name}]`)
  for (const [slot, target] of view.migratingTo) open.set(slot, `[${slot}->-${target.name}]`)
  return [...open].sort(([a], [b]) => a - b).map(([, text]) => text)
}

/** The lines of all nodes that have none of the flags in `without`. */
export function describeNodes(view: ClusterView, without = 0, plain = false): string {
  const ranges = new Map<ClusterNode, Range[]>()
  for (const { node, start, end } of slotRanges(view)) {
    const list = ranges.get(node)
    if (list === undefined) ranges.set(node, [[start, end]])
    else list.push([start, end])
  }
  return view.nodes
    .filter((node) => !node.has(without))
    .map((node) => `${describeNode(view, node, plain, ranges.get(node) ?? [])}\n`)
    .join('')
}

/** The whole file. Handshakes are not kept. */
export function nodesFileText(view: ClusterView): string {
  const vars = `vars currentEpoch ${view.currentEpoch} lastVoteEpoch ${view.lastVoteEpoch}\n`
  return describeNodes(view, NodeFlag.handshake) + vars
}

/**
 * Replaces the file. The new text is on stable storage before it gets the name, so that a power cut never leaves an
 * empty file (a node that forgot who it is); that it has the name survives a power cut only when `sync`. Throws
 * `IoError`.
 */
export function writeNodesFile(disk: Disk, path: string, text: string, sync: boolean): void {
  const aside = `${path}.tmp`
  const bytes = Buffer.from(text, 'latin1')
  const file = disk.open(aside, 'create')
  try {
    let written = 0
    while (written < bytes.length) {
      const count = file.write(bytes.subarray(written))
      if (count === 0) throw new Error(`no space left for ${aside}`)
      written += count
    }
    file.sync()
  } finally {
    file.close()
  }
  disk.rename(aside, path)
  if (sync) disk.syncDirectory(directoryOf(path))
}

/** The file's text; undefined when there is none or it is empty (then this is a new node). Throws `IoError`. */
export function readNodesFile(disk: Disk, path: string): string | undefined {
  const sizeBytes = disk.status(path)?.sizeBytes ?? 0
  if (sizeBytes === 0) return undefined
  const file = disk.open(path, 'read')
  try {
    const bytes = Buffer.alloc(sizeBytes)
    let read = 0
    while (read < sizeBytes) {
      const count = file.read(bytes.subarray(read), read)
      if (count === 0) break
      read += count
    }
    return bytes.toString('latin1', 0, read)
  } finally {
    file.close()
  }
}

/** The name of the node whose flags say `myself`, if the text has one. */
export function myNameIn(text: string): string | undefined {
  for (const line of text.split('\n')) {
    const words = line.split(' ')
    if (words.length >= 8 && (words[2] as string).toLowerCase().split(',').includes('myself')) return words[0]
  }
  return undefined
}

/**
 * Fills a fresh view (made with `myNameIn(text)`) from the file. False: the file is damaged, and the view is not to be
 * used. `warn` is told about what is skipped.
 */
export function loadNodes(view: ClusterView, text: string, warn: (message: string) => void): boolean {
  let sawMyself = false
  for (const line of text.split('\n')) {
    const words = line.trim().split(/\s+/)
    if (words[0] === '' || words[0] === undefined) continue
    if (words[0].toLowerCase() === 'vars') {
      if (!loadVars(view, words, warn)) return false
      continue
    }
    if (words.length < 8 || !isNodeName(words[0])) return false
    const node = nodeNamed(view, words[0])
    if (!loadNode(view, node, words)) return false
    if (node === view.myself) sawMyself = true
  }
  view.currentEpoch = maxEpoch(view)
  return sawMyself
}

function loadVars(view: ClusterView, words: readonly string[], warn: (message: string) => void): boolean {
  if (words.length % 2 === 0) return false
  for (let i = 1; i < words.length; i += 2) {
    const value = Number.parseInt(words[i + 1] as string, 10) || 0
    const name = (words[i] as string).toLowerCase()
    if (name === 'currentepoch') view.currentEpoch = value
    else if (name === 'lastvoteepoch') view.lastVoteEpoch = value
    else warn(`Skipping unknown cluster config variable '${words[i]}'`)
  }
  return true
}

function nodeNamed(view: ClusterView, name: string): ClusterNode {
  const known = view.lookup(name)
  if (known !== undefined) return known
  const node = view.createNode(name, 0)
  view.addNode(node)
  return node
}

function loadNode(view: ClusterView, node: ClusterNode, words: readonly string[]): boolean {
  const [, address, flagText, primaryName, pingSent, pongReceived, epoch] = words as string[]
  const flags = flagsFromText(flagText as string)
  if (flags === undefined || !loadAddress(node, address as string)) return false
  // Only this node's own line may say so; the view was made with its name.
  if ((flags & NodeFlag.myself) !== 0 && node !== view.myself) return false
  node.flags |= flags
  if (flags & NodeFlag.failed) node.failedMs = view.nowMs()
  if (primaryName !== '-') {
    if (!isNodeName(primaryName as string)) return false
    node.primary = nodeNamed(view, primaryName as string)
    node.primary.addReplica(node)
  }
  if (Number.parseInt(pingSent as string, 10)) node.pingSentMs = view.nowMs()
  if (Number.parseInt(pongReceived as string, 10)) node.pongReceivedMs = view.nowMs()
  const ownEpoch = !(node.isReplica && node.primary !== undefined)
  node.configEpoch = ownEpoch ? Number.parseInt(epoch as string, 10) || 0 : 0
  return words.slice(8).every((word) => loadSlots(view, node, word))
}

/** `ip:port[@busport][,hostname]`; the address may itself contain colons. */
function loadAddress(node: ClusterNode, text: string): boolean {
  const comma = text.indexOf(',')
  node.hostname = comma < 0 ? '' : text.slice(comma + 1)
  const address = comma < 0 ? text : text.slice(0, comma)
  const colon = address.lastIndexOf(':')
  if (colon < 0) return false
  node.ip = address.slice(0, colon)
  const [port, busPort] = address.slice(colon + 1).split('@')
  node.port = Number.parseInt(port as string, 10) || 0
  node.busPort = busPort === undefined ? defaultBusPort(node.port) : Number.parseInt(busPort, 10) || 0
  return true
}

const isSlot = (slot: number): boolean => slot >= 0 && slot < SLOT_COUNT

function loadSlots(view: ClusterView, node: ClusterNode, word: string): boolean {
  if (word.startsWith('[')) {
    const open = /^\[(\d+)-([<>])-([a-z0-9]{40})\]/.exec(word)
    if (open === null || !isSlot(Number(open[1]))) return false
    const states = open[2] === '>' ? view.migratingTo : view.importingFrom
    states.set(Number(open[1]), nodeNamed(view, open[3] as string))
    return true
  }
  const range = /^(\d+)(?:-(\d+))?$/.exec(word)
  if (range === null) return false
  const start = Number(range[1])
  const end = Number(range[2] ?? range[1])
  if (!isSlot(start) || !isSlot(end)) return false
  for (let slot = start; slot <= end; slot++) view.addSlot(node, slot)
  return true
}
