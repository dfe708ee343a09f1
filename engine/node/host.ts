/** The `Host` port: this very process. */

import { randomBytes } from 'node:crypto'
import { hostname, totalmem } from 'node:os'
import type { Host } from '../io.ts'
import { readLuaProgram } from './lua-program.ts'

export function createNodeHost(): Host {
  return {
    processId: process.pid,
    hostName: hostname(),
    platform: process.platform,
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
      return { userUs: use.user, systemUs: use.system }
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
