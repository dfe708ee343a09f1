import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ioContract } from '../io-contract/suite.ts'
import type { ContractWorld } from '../io-contract/world.ts'
import { createNodeIo } from './io.ts'

const PATIENCE_MS = 20_000
const QUIET_MS = 15

async function nodeWorld(): Promise<ContractWorld> {
  const directory = await mkdtemp(join(tmpdir(), 'faultline-io-'))
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  return {
    client: createNodeIo(),
    server: createNodeIo(),
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

ioContract('on net.Socket', nodeWorld)
