/**
 * What a process has used so far, read from /proc (Linux): the measure that a busy machine distorts least. Requests
 * per second say what a whole machine did in a while; CPU time says what the server spent.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Clock ticks of /proc are hundredths of a second on every Linux (USER_HZ). */
const TICK_US = 10_000

export interface CpuTime {
  userUs: number
  systemUs: number
}

/** Fields 14 and 15 of /proc/PID/stat (proc(5)): all threads of the process, ended ones included. */
export function cpuTimeOf(pid: number): CpuTime {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { userUs: Number(fields[11]) * TICK_US, systemUs: Number(fields[12]) * TICK_US }
}

/** Resident memory in bytes: what the system really gave. */
export function residentBytesOf(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))
  return Number(match?.[1] ?? 0) * 1024
}

/** What the scheduler gave a process and what it made it wait, ns. */
export interface Scheduling {
  ranNs: number
  /** Ready to run, but something else had the processor. */
  waitedNs: number
}

/**
 * Of all living threads: /proc/PID/task/TID/schedstat counts nanoseconds where /proc/PID/stat counts hundredths of a
 * second. For short samples; what ended threads spent is not in it.
 */
export function schedulingOf(pid: number): Scheduling {
  const folder = `/proc/${pid}/task`
  const sum = { ranNs: 0, waitedNs: 0 }
  for (const thread of readdirSync(folder)) {
    try {
      addTo(sum, threadScheduling(join(folder, thread)))
    } catch {
      // The thread ended between the two reads.
    }
  }
  return sum
}

/**
 * Of the time in which the main threads of these processes had work, the share in which they waited for a processor;
 * null where nobody says. The other threads of a server (compiler, garbage collector, lazy freeing) may wait.
 */
export function processorWaitOf(pids: readonly number[]): number | null {
  const sum = { ranNs: 0, waitedNs: 0 }
  try {
    for (const pid of pids) addTo(sum, mainThreadScheduling(pid))
  } catch {
    // No /proc, no schedstat in it, or a process that has just ended.
    return null
  }
  const { ranNs, waitedNs } = sum
  return ranNs + waitedNs > 0 ? waitedNs / (ranNs + waitedNs) : null
}

/** @throws what reading throws: the thread has ended, or this system does not count */
function threadScheduling(folder: string): Scheduling {
  const [ran, waited] = readFileSync(join(folder, 'schedstat'), 'latin1').split(' ')
  return { ranNs: Number(ran), waitedNs: Number(waited) }
}

const mainThreadScheduling = (pid: number): Scheduling => threadScheduling(`/proc/${pid}/task/${pid}`)

function addTo(sum: Scheduling, { ranNs, waitedNs }: Scheduling): void {
  sum.ranNs += ranNs
  sum.waitedNs += waitedNs
}

export function cpuNanosecondsOf(pid: number): number {
  return schedulingOf(pid).ranNs
}

/** CPU time of the thread that runs the server's commands, ns: without those on which V8 compiles and collects. */
export function mainThreadNanosecondsOf(pid: number): number {
  return mainThreadScheduling(pid).ranNs
}
