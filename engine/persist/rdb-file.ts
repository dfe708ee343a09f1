/**
 * An RDB file on its way to disk: everything goes to `temp-PID.rdb` first, is synced, and takes the place of the old
 * file in one step. Whatever goes wrong before that, the old file is untouched.
 */

import { resolvePath } from '../data/path.ts'
import { type File, IoError } from '../io.ts'
import type { Server } from '../server/server.ts'

export class RdbFile {
  private readonly server: Server
  private readonly path: string
  private readonly temporaryPath: string
  private readonly file: File
  private closed = false

  /** @throws IoError when the file cannot be made */
  constructor(server: Server) {
    const { config, io } = server
    this.server = server
    this.path = config.pathOf(config.values.dbfilename)
    this.temporaryPath = config.pathOf(`temp-${io.host.processId}.rdb`)
    this.file = io.disk.open(this.temporaryPath, 'create')
  }

  /** @throws IoError */
  write(chunk: Buffer): void {
    let from = 0
    while (from < chunk.length) {
      const written = this.file.write(chunk.subarray(from))
      if (written === 0) throw new IoError('ENOSPC', 'No space left on device')
      from += written
    }
  }

  /** Waits for the disk. @throws IoError */
  commit(): void {
    this.file.sync()
    this.replace()
  }

  /** The same without waiting. `done` comes later, and not at all after `discard`. */
  commitInBackground(done: (failure?: Error) => void): void {
    this.file.syncInBackground((failure) => {
      if (this.closed) return
      let outcome: Error | undefined = failure
      try {
        if (outcome === undefined) this.replace()
      } catch (error) {
        outcome = error as Error
      }
      if (outcome !== undefined) this.discard()
      done(outcome)
    })
  }

  private replace(): void {
    const { disk } = this.server.io
    this.close()
    disk.rename(this.temporaryPath, this.path)
    disk.syncDirectory(resolvePath(this.path, '..'))
  }

  /** Gives up: nothing stays behind. */
  discard(): void {
    this.close()
    try {
      this.server.io.disk.remove(this.temporaryPath)
    } catch (error) {
      if (!(error instanceof IoError)) throw error
    }
  }

  private close(): void {
    if (this.closed) return
    this.closed = true
    this.file.close()
  }
}
