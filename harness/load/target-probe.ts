/**
 * Finds out before a load begins whether the names of its target lead anywhere, and to which address.
 *
 * Names are looked up, and connected to, in a process of its own: a look-up cannot be called off, holds one of the four
 * threads that Node has for them, and keeps Node from exiting; a process can be ended. And fifty connections that each
 * wait for a slow name service would begin one after the other, while the run already counts.
 */
import { spawn } from 'node:child_process'
import { isIP } from 'node:net'
import { HarnessError, interrupted } from '../errors.ts'
import type { AddressSpec, TargetSpec } from './load-spec.ts'

/** Look-up and connection together. */
const LIMIT_MS = 4000

/** By the name of a host: the address that answered. */
export type Addresses = Readonly<Record<string, string>>

/** As the process tells it, a line each: the name has an address; then it answers, or does not. */
type Finding = { lookup: string | null } | { connect: string } | { address: string }

const PROGRAM = `
const tell = (finding) => process.stdout.write(JSON.stringify(finding) + '\\n')
const [host, port] = process.argv.slice(1)
const socket = require('node:net').connect({ host, port: Number(port) })
let isFound = false
socket.on('lookup', (error) => {
  isFound = !error
  tell({ lookup: error ? error.code : null })
})
socket.on('connect', () => {
  tell({ address: socket.remoteAddress })
  socket.destroy()
})
socket.on('error', (error) => isFound && tell({ connect: error.code }))
`

/**
 * Addresses of those hosts of a target that have names; none for a target without one, and of several at least one.
 * @throws {HarnessError} LOAD_TARGET: none of them answers within a few seconds; INTERRUPTED
 */
export async function probeTarget(target: TargetSpec, signal: AbortSignal | undefined): Promise<Addresses> {
  const hosts = hostsOf(target)
  if (hosts.some(({ host }) => isIP(host) !== 0)) return {}
  const found = await Promise.allSettled(hosts.map((host) => probe(host, signal)))
  const answering = hosts.flatMap(({ host }, i) => {
    const one = found[i]
    return one?.status === 'fulfilled' ? [[host, one.value] as const] : []
  })
  const failure = found.find((one) => one.status === 'rejected')
  if (failure !== undefined && answering.length === 0) throw failure.reason
  return Object.fromEntries(answering)
}

function hostsOf(target: TargetSpec): readonly AddressSpec[] {
  switch (target.kind) {
    case 'unix':
      return []
    case 'server':
    case 'replicas':
      return [target]
    case 'sentinel':
      return target.sentinels
    case 'cluster':
      return target.seeds
  }
}

/** Resolves with the address that answered. */
function probe({ host, port }: AddressSpec, signal: AbortSignal | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['-e', PROGRAM, host, String(port)], { stdio: ['ignore', 'pipe', 'ignore'] })
    const findings: Finding[] = []
    let text = ''
    child.stdout.on('data', (chunk) => {
      const lines = (text + chunk).split('\n')
      text = lines.pop() ?? ''
      findings.push(...lines.map((line) => JSON.parse(line) as Finding))
      if (findings.some((finding) => 'address' in finding)) child.kill('SIGKILL')
    })
    const end = (): void => void child.kill('SIGKILL')
    const timer = setTimeout(end, LIMIT_MS)
    signal?.addEventListener('abort', end)
    if (signal?.aborted === true) end()
    child.on('error', reject)
    child.on('close', () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      const last = findings.at(-1)
      if (last !== undefined && 'address' in last) resolve(last.address)
      else if (signal?.aborted === true) reject(interrupted())
      else reject(new HarnessError('LOAD_TARGET', explain({ host, port }, last)))
    })
  })
}

function explain({ host, port }: AddressSpec, last: Finding | undefined): string {
  const nothing = `no answer within ${LIMIT_MS / 1000} s`
  if (last === undefined || ('lookup' in last && last.lookup !== null)) {
    const advice = 'Check its spelling, or give an address in its place.'
    return `The name ${host} leads nowhere: ${last?.lookup ?? `${nothing} from the name service`}. ${advice}`
  }
  const reason = 'connect' in last ? last.connect : nothing
  return `Cannot reach ${host}:${port}: ${reason}. Start a server there, or name another.`
}
