/**
 * What a process has used so far, read from /proc (Linux): the measure that a busy machine distorts least. Requests
 * per second say what a whole machine did in a while; CPU time says what the server spent.
 */
import { readFileSync } from 'node:fs'

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
