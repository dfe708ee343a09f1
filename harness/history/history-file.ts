/** Histories on disk: one JSON object a line, appended as it happens. */
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HarnessError } from '../errors.ts'
import { History, type HistoryEvent, type Recorder } from './history.ts'

/** Lines are gathered up to this many characters before they are written, */
const BUFFER_CHARACTERS = 1 << 16
/** and for so long: what is written tells that the disk is full. */
const BUFFER_MS = 500

/**
 * Events come from callbacks of sockets and timers, where nobody catches what is thrown: so a full disk is noted and
 * told, once, to `onFailure`; whoever closes the file asks for it.
 */
export class FileRecorder implements Recorder {
  /** Relative to the result file, which lies beside it. */
  readonly path: string
  /** Why the file is not whole. */
  failure: HarnessError | undefined
  private readonly descriptor: number
  private readonly onFailure: () => void
  private buffer = ''
  private flushedMs = Number.NEGATIVE_INFINITY
  private isClosed = false

  /** @throws {HarnessError} RESULT_FILE: the file cannot be made */
  constructor(directory: string, name: string, onFailure: () => void = () => {}) {
    this.path = name
    this.onFailure = onFailure
    try {
      this.descriptor = openSync(join(directory, name), 'w')
    } catch (error) {
      throw unwritable(name, error)
    }
  }

  record(event: HistoryEvent): void {
    this.buffer += `${JSON.stringify(event)}\n`
    const isDue = this.buffer.length >= BUFFER_CHARACTERS || performance.now() - this.flushedMs >= BUFFER_MS
    if (isDue) this.flush()
  }

  /** Does not throw: see `failure`. May be called again. */
  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.flush()
    closeSync(this.descriptor)
  }

  private flush(): void {
    const text = this.buffer
    this.buffer = ''
    this.flushedMs = performance.now()
    if (this.failure !== undefined) return
    try {
      // Unlike writeSync, all of it or an error.
      writeFileSync(this.descriptor, text)
    } catch (error) {
      this.failure = unwritable(this.path, error)
      this.onFailure()
    }
  }
}

function unwritable(name: string, error: unknown): HarnessError {
  const reason = error instanceof Error ? error.message : String(error)
  return new HarnessError(
    'RESULT_FILE',
    `Cannot write the history ${name}: ${reason}. Make room, or choose another directory with --report.`,
  )
}

/** Throws RESULT_FILE with the file's name and what is wrong with it. */
export function readHistory(file: string): History {
  try {
    return History.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new HarnessError('RESULT_FILE', `${file}: ${(error as Error).message}`)
  }
}
