/**
 * redis-benchmark as the generator of traffic: the tool that everybody compares with, and one that we did not write.
 */
import { spawn } from 'node:child_process'
import { HarnessError, interrupted } from '../errors.ts'
import type { BenchServer } from './stand.ts'

export interface Traffic {
  /** One of redis-benchmark's own tests (`get`, `lrange_100`), or a command of one's own. */
  test?: string
  command?: readonly string[]
  requests: number
  connections: number
  pipeline: number
  /** Keys are drawn from so many (`-r`); none: always the same key. */
  keyspace?: number
}

export interface TrafficOutcome {
  requestsPerSecond: number
  /** Latencies as redis-benchmark sees them, in milliseconds. */
  p50Ms: number
  p99Ms: number
  maxMs: number
}

/** Rejects when redis-benchmark is missing or fails. */
export function runTraffic(server: BenchServer, traffic: Traffic, signal: AbortSignal): Promise<TrafficOutcome> {
  const { test, command, requests, connections, pipeline, keyspace } = traffic
  const words = ['-h', server.host, '-p', String(server.port), '--csv']
  words.push('-n', String(requests), '-c', String(connections), '-P', String(pipeline))
  if (keyspace !== undefined) words.push('-r', String(keyspace))
  words.push(...(test === undefined ? (command ?? []) : ['-t', test]))
  return new Promise((resolve, reject) => {
    const child = spawn('redis-benchmark', words, { stdio: ['ignore', 'pipe', 'pipe'], signal })
    let output = ''
    let errors = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString('latin1')
    })
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString('latin1')
    })
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (signal.aborted) reject(interrupted())
      else reject(error.code === 'ENOENT' ? missing() : error)
    })
    child.on('close', (status) => {
      const outcome = status === 0 ? parseCsv(output) : undefined
      if (outcome !== undefined) resolve(outcome)
      else reject(new HarnessError('NODE_START', `redis-benchmark failed on ${server.name}: ${errors || output}`))
    })
  })
}

/** The last line: "name","requests per second","avg","min","p50","p95","p99","max" (latencies in ms). */
export function parseCsv(output: string): TrafficOutcome | undefined {
  const line = output.trimEnd().split('\n').at(-1) ?? ''
  const fields = [...line.matchAll(/"([^"]*)"/g)].slice(-7).map((match) => Number(match[1]))
  const [requestsPerSecond, , , p50Ms, , p99Ms, maxMs] = fields
  if (fields.length < 7 || fields.some(Number.isNaN)) return undefined
  return { requestsPerSecond, p50Ms, p99Ms, maxMs } as TrafficOutcome
}

function missing(): HarnessError {
  return new HarnessError(
    'MISSING_BINARY',
    'No redis-benchmark is on the PATH. Install one (Debian: apt-get install redis-tools).',
  )
}
