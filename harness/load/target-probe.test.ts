import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { freePort } from '../../engine/testing/redis-server.ts'
import { probeTarget } from './target-probe.ts'
import { type NameService, withNameService } from './testing/name-service.ts'

let directory: string
let server: Server
let port: number
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'faultline-names-'))
  server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterAll(() => {
  server.close()
  rmSync(directory, { recursive: true, force: true })
})
afterEach(() => vi.unstubAllEnvs())

const use = (service: NameService) => vi.stubEnv('NODE_OPTIONS', withNameService(directory, service))
const target = (host: string) => ({ kind: 'server' as const, host, port })

test('what has no name needs no look-up', async () => {
  use('never')
  expect(await probeTarget(target('127.0.0.1'), undefined)).toEqual({})
  expect(await probeTarget(target('::1'), undefined)).toEqual({})
  expect(await probeTarget({ kind: 'unix', path: '/nowhere' }, undefined)).toEqual({})
})

test('a name is told with the address that answers, of several and of a slow name service too', async () => {
  use({ addresses: ['127.0.0.2', '127.0.0.1'], delayMs: 300 })
  expect(await probeTarget(target('db.example'), undefined)).toEqual({ 'db.example': '127.0.0.1' })
})

test.each([
  ['is not known', { error: 'ENOTFOUND' }, /^The name db\.example leads nowhere: ENOTFOUND\. Check its spelling/],
  ['is never looked up', 'never', /^The name db\.example leads nowhere: no answer within 4 s from the name service/],
] as const)('a name that %s is an error with advice', async (_, service, message) => {
  use(service)
  await expect(probeTarget(target('db.example'), undefined)).rejects.toThrow(
    expect.objectContaining({ code: 'LOAD_TARGET', message: expect.stringMatching(message) }),
  )
})

test('a name whose address nobody listens at is said to be unreachable', async () => {
  use({ addresses: ['127.0.0.1'], delayMs: 0 })
  const nobody = { kind: 'server' as const, host: 'db.example', port: await freePort() }
  await expect(probeTarget(nobody, undefined)).rejects.toThrow(/^Cannot reach db\.example:\d+: ECONNREFUSED\. Start a/)
})

test('of several seeds one that answers is enough', async () => {
  use({ addresses: ['127.0.0.1'], delayMs: 0 })
  const seeds = [
    { host: 'gone.example', port: await freePort() },
    { host: 'db.example', port },
  ]
  const found = await probeTarget({ kind: 'cluster', seeds, reads: 'primary' }, undefined)
  expect(found).toEqual({ 'db.example': '127.0.0.1' })
})

test('an interruption ends the wait', async () => {
  use('never')
  const interrupt = new AbortController()
  const waiting = probeTarget(target('db.example'), interrupt.signal)
  interrupt.abort()
  await expect(waiting).rejects.toThrow(expect.objectContaining({ code: 'INTERRUPTED' }))
})
