/** The `Host` port: this very process. */

import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname, machine, release, totalmem, type } from 'node:os'
import type { Host } from '../io.ts'
import { readLuaProgram } from './lua-program.ts'

export function createNodeHost(): Host {
  return {
    processId: process.pid,
    hostName: hostname(),
    platform: `${type()} ${release()} ${machine()}`,
    runtime: `node-${process.versions.node}`,
    multiplexing: multiplexers[process.platform] ?? 'select',
    executable: process.argv[1] ?? process.execPath,
    utcOffsetMinutes: (wallMs) => -new Date(wallMs).getTimezoneOffset(),
    print(line) {
      process.stdout.write(`${line}\n`)
    },
    memory() {
      const use = process.memoryUsage()
      return { residentBytes: use.rss, usedBytes: use.heapUsed + use.external, systemBytes: totalmem() }
    },
    cpu() {
      const use = process.cpuUsage()
      return { userUs: use.user, systemUs: use.system, ...mainThreadUse(use) }
    },
    secretBytes: (count) => randomBytes(count),
    sleep(durationUs) {
      if (durationUs > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationUs / 1000)
    },
    luaProgram: readLuaProgram,
    exit(status) {
      process.exit(status)
    },
    crash(signal) {
      process.kill(process.pid, signal)
    },
  }
}

/** What libuv waits with, by platform. */
const multiplexers: Readonly<Record<string, string>> = { linux: 'epoll', darwin: 'kqueue', freebsd: 'kqueue' }

/** Linux counts the time of each thread, in hundredths of seconds; elsewhere all of the process stands for it. */
function mainThreadUse({ user, system }: NodeJS.CpuUsage): { mainUserUs: number; mainSystemUs: number } {
  const tickUs = 10_000
  try {
    const stat = readFileSync('/proc/thread-self/stat', 'latin1')
    // The name in parentheses may hold anything; user and system time are the 12th and 13th word after it.
    const words = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { mainUserUs: Number(words[11]) * tickUs, mainSystemUs: Number(words[12]) * tickUs }
  } catch {
    return { mainUserUs: user, mainSystemUs: system }
  }
}
