import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ioContract } from '../io-contract/suite.ts'
import type { ContractWorld } from '../io-contract/world.ts'
import { createNodeIo } from './io.ts'
import type { NodeNetworkOptions } from './network.ts'
import { loadStreamBinding } from './stream-handle.ts'

const PATIENCE_MS = 20_000
const QUIET_MS = 15

async function nodeWorld(options: NodeNetworkOptions): Promise<ContractWorld> {
  const directory = await mkdtemp(join(tmpdir(), 'faultline-io-'))
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  return {
    client: createNodeIo(options),
    server: createNodeIo(options),
    serverHost: '127.0.0.1',
    clientHosts: ['127.0.0.1', '127.0.0.2'],
    directory,
    async until(condition) {
      const deadline = performance.now() + PATIENCE_MS
      while (!condition()) {
        if (performance.now() > deadline) throw new Error(`not within ${PATIENCE_MS} ms: ${condition}`)
        await turn()
      }
    },
    async settle() {
      const deadline = performance.now() + QUIET_MS
      while (performance.now() < deadline) await turn()
    },
    turn,
    dispose: () => rm(directory, { recursive: true }),
  }
}

it('uses the stream handle on this version of Node', () => {
  expect(loadStreamBinding()).toBeDefined()
})

ioContract('on the stream handle', () => nodeWorld({}))
ioContract('on net.Socket', () => nodeWorld({ publicInterfaceOnly: true }))
