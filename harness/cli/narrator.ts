/** What `--verbose` tells beyond the phases: every change that a node reports of itself, and what faults did. */
import type { HistoryEvent, NodeEvent, Recorder } from '../history/history.ts'

/** A recorder that calls `tell` with a line for every event worth one. */
export function createNarrator(tell: (line: string) => void): Recorder {
  const latest = new Map<string, NodeEvent>()
  return {
    record: (event: HistoryEvent) => {
      if (event.type === 'fault' && event.state === 'end') {
        tell(
          `${at(event.atMs)} the ${event.name} ends; ${event.tookHold === '' ? 'it never took hold' : event.tookHold}`,
        )
      }
      if (event.type === 'node') {
        const text = describeChange(latest.get(event.node), event)
        latest.set(event.node, event)
        if (text !== '') tell(`${at(event.atMs)} ${event.node} ${text}`)
      }
      if (event.type === 'content') {
        tell(`${at(event.atMs)} ${event.node} (${event.role}) holds ${event.entries.length} more keys`)
      }
    },
  }
}

function at(timeMs: number): string {
  return `at ${(timeMs / 1000).toFixed(2)} s:`
}

function describeChange(before: NodeEvent | undefined, now: NodeEvent): string {
  const parts: string[] = []
  if (before?.role !== now.role) parts.push(`is ${now.role}`)
  if (before?.follows !== now.follows && now.follows !== '') parts.push(`follows ${now.follows}`)
  if (before?.epoch !== now.epoch && now.epoch !== null) parts.push(`has epoch ${now.epoch}`)
  if (before?.clusterState !== now.clusterState && now.clusterState !== '')
    parts.push(`says cluster state ${now.clusterState}`)
  return parts.join(', ')
}
