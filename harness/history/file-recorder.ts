/** Appends a history to a file as it happens: one JSON object a line. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { HistoryEvent, Recorder } from './history.ts'

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
