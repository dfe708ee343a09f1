/**
 * What work costs on a simulated machine, in microseconds of its one CPU.
 *
 * An event loop is modelled: whatever arrives while the CPU is busy waits in a queue, and everything that waits is
 * handled in one turn when the CPU is free, as epoll would hand it over. The defaults are near what a Redis-like
 * server takes on one core of a common machine: about 8 µs for a request on its own (125,000 a second), of which the
 * system calls are most, and about 2.4 µs in a pipeline of 16. Sources: PERFORMANCE measurements of redis-server.
 */
export interface CpuCosts {
  /** Reading a chunk and sending its answers: the system calls. */
  perChunkUs: number
  perByteUs: number
  /** Each command that `cpuMeter` counts. */
  perCommandUs: number
  /** A timer, an accepted or closed connection, a completed handshake. */
  perEventUs: number
  /** A system call that writes to a file, without its bytes. */
  perFileWriteUs: number
}

export const defaultCpuCosts: CpuCosts = {
  perChunkUs: 6,
  perByteUs: 0.001,
  perCommandUs: 2,
  perEventUs: 1,
  perFileWriteUs: 3,
}

/** What a task was, for the trace. */
export const TaskKind = {
  start: 1,
  timer: 2,
  deferred: 3,
  read: 4,
  accept: 5,
  connect: 6,
  drain: 7,
  close: 8,
  listen: 9,
  disk: 10,
} as const

export type TaskKind = (typeof TaskKind)[keyof typeof TaskKind]
