/** A thread of a load in a worker: the entry of `dist/load-worker.js`. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Unreachable } from './driver.ts'
import type { LoadSpec } from './load-spec.ts'
import type { SecondTally } from './tally.ts'
import { LocalThread, type ThreadOutcome, type ThreadPart } from './thread.ts'

export type WorkerOrder = 'run' | 'interrupt'

export type WorkerMessage =
  | { type: 'prepared'; unreachable: Unreachable | undefined }
  | { type: 'second'; second: SecondTally; index: number }
  | { type: 'outcome'; outcome: ThreadOutcome }

const { spec, part } = workerData as { spec: LoadSpec; part: ThreadPart }
const tell = (message: WorkerMessage): void => parentPort?.postMessage(message)

const thread = new LocalThread(spec, part, (second, index) => tell({ type: 'second', second, index }))
parentPort?.on('message', async (order: WorkerOrder) => {
  if (order === 'interrupt') thread.interrupt()
  else {
    const { tally, ...rest } = await thread.run()
    // Functions cannot be sent.
    const { commands, seconds, outages, errors, late, lag, slowest } = tally
    const outcome = { ...rest, tally: { commands, seconds, outages, errors, late, lag, slowest } }
    await thread.close()
    tell({ type: 'outcome', outcome })
  }
})
tell({ type: 'prepared', unreachable: await thread.prepare() })
