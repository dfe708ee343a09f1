/** How far a load has come: INFO's `loading_*` fields, with Redis's names and arithmetic; and a brake for tests. */
import type { Server } from '../server/server.ts'

/**
 * `key-load-delay`, for tests that look at a server while it loads: after each key so many µs, or 1 µs after one in −n.
 */
export function delayLoading(server: Server): void {
  const delay = server.config.values['key-load-delay']
  const { host, random } = server.io
  if (delay > 0) host.sleep(delay)
  else if (delay < 0 && random.below(-delay) === 0) host.sleep(1)
}

export class LoadingProgress {
  private readonly server: Server
  private readonly startSeconds: number
  private readonly totalBytes: number
  /** Bytes of the files that have been read completely. */
  private doneBytes = 0
  private currentBytes = 0
  /** Of the server that wrote the RDB file, in bytes; 0 when it does not say. */
  usedMemoryBytes = 0

  constructor(server: Server, totalBytes: number) {
    this.server = server
    this.startSeconds = this.nowSeconds()
    this.totalBytes = totalBytes
  }

  private nowSeconds(): number {
    return Math.floor(this.server.io.clock.wallMs() / 1000)
  }

  /** So many bytes of the current file are loaded. */
  at(bytes: number): void {
    this.currentBytes = bytes
  }

  /** The current file is complete; the next one begins at 0. */
  endFile(bytes: number): void {
    this.doneBytes += bytes
    this.currentBytes = 0
  }

  infoFields(): readonly (readonly [string, string | number])[] {
    const loaded = this.doneBytes + this.currentBytes
    const elapsedSeconds = this.nowSeconds() - this.startSeconds
    const remaining = this.totalBytes - loaded
    const eta = elapsedSeconds === 0 ? 1 : Math.floor((elapsedSeconds * remaining) / (loaded + 1))
    const percent = this.totalBytes > 0 ? (loaded / this.totalBytes) * 100 : 0
    return [
      ['loading_start_time', this.startSeconds],
      ['loading_total_bytes', this.totalBytes],
      ['loading_rdb_used_mem', this.usedMemoryBytes],
      ['loading_loaded_bytes', loaded],
      ['loading_loaded_perc', percent.toFixed(2)],
      ['loading_eta_seconds', eta],
    ]
  }
}
