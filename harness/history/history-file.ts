/** Histories on disk: one JSON object a line, appended as it happens. */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { HarnessError } from '../errors.ts'
import { History, type HistoryEvent, type Recorder } from './history.ts'

/** Lines are gathered up to this many characters before they are written. */
const BUFFER_CHARACTERS = 1 << 16

export class FileRecorder implements Recorder {
  /** Relative to the result file, which lies beside it. */
  readonly path: string
  private readonly descriptor: number
  private buffer = ''

  constructor(directory: string, name: string) {
    this.path = name
    this.descriptor = openSync(join(directory, name), 'w')
  }

  record(event: HistoryEvent): void {
    this.buffer += `${JSON.stringify(event)}\n`
    if (this.buffer.length >= BUFFER_CHARACTERS) this.flush()
  }

  close(): void {
    try {
      this.flush()
    } finally {
      closeSync(this.descriptor)
    }
  }

  private flush(): void {
    writeSync(this.descriptor, this.buffer)
    this.buffer = ''
  }
}

/** Throws RESULT_FILE with the file's name and what is wrong with it. */
export function readHistory(file: string): History {
  try {
    return History.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new HarnessError('RESULT_FILE', `${file}: ${(error as Error).message}`)
  }
}
