/**
 * The Io port: the engine's only door to the outside.
 *
 * Everything that a server can learn from or do to the world (time, timers, sockets, disk, chance, its own process)
 * passes through the interfaces of this file. `engine/node` implements them on Node; `harness/world/sim` implements
 * them on virtual time. The same suite (`engine/io-contract`) holds both to the contracts below, so that the code
 * that is simulated is the code that ships.
 *
 * There are no promises here: the order of events is explicit, and completion is a callback. A callback is never
 * called before the method that was given it has returned. This file imports nothing.
 */

/** All ports in one place. One `Io` belongs to one node (one process, or one simulated host). */
export interface Io {
  readonly clock: Clock
  readonly timers: Timers
  readonly network: Network
  readonly disk: Disk
  readonly random: Random
  readonly host: Host
}

export interface Clock {
  /** Milliseconds since the Unix epoch as a whole number. May jump in either direction. */
  wallMs(): number
  /** Microseconds since the Unix epoch as a whole number. Same clock as `wallMs`. */
  wallUs(): number
  /** Microseconds since an arbitrary origin, fractional allowed; never runs backwards. */
  monotonicUs(): number
}

export interface Timer {
  /** No call to the callback begins after this. Safe to call twice and after the timer fired. */
  cancel(): void
}

export interface Timers {
  /** Calls back once, at least `delayMs` later (fractions are allowed; below 0 counts as 0), never at once. */
  after(delayMs: number, callback: () => void): Timer
  /**
   * Calls back once, when the input that is ready now has been handled: the place where an event loop flushes
   * (Redis's beforeSleep). Calls run in the order in which they were deferred. Not cancellable.
   */
  defer(callback: () => void): void
}

/** Codes are those of POSIX (`ECONNREFUSED`, `ENOSPC`, `ENOENT`, …) in both implementations. */
export class IoError extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.name = 'IoError'
    this.code = code
  }
}

export interface ListenOptions {
  /** A literal address such as `127.0.0.1`, `0.0.0.0`, `::1`. Ignored when `path` is given. */
  host: string
  /** 0 lets the system choose; `Listener.port` tells which. */
  port: number
  /** Unix socket path instead of host and port. */
  path?: string
  /** Permission bits of the Unix socket's file; the system's default when left out. */
  permissions?: number
  backlog?: number
}

export interface ListenHandlers {
  /** A new connection; `accept` must set its handlers before it returns. Data is delivered only afterwards. */
  onConnection(connection: Connection): void
  onListening?(listener: Listener): void
  /** The address could not be bound (`EADDRINUSE`, `EADDRNOTAVAIL`, …). The listener is closed. */
  onError(error: IoError): void
}

export interface Listener {
  /** 0 until `onListening`. */
  readonly port: number
  /** Stops accepting. Existing connections live on. */
  close(): void
}

export interface ConnectOptions {
  /** A literal address or a name that the host can resolve. Ignored when `path` is given. */
  host: string
  port: number
  path?: string
  /** Source address of the connection (`bind-source-addr`). The port is chosen by the system. */
  sourceHost?: string
}

export interface ConnectionHandlers {
  /** Outgoing connections only: the handshake is done. Writing before it is allowed: the bytes wait. */
  onConnect?(): void
  /** Bytes in order. The chunk is valid only during the call (its memory is reused): copy what must stay. */
  onData(chunk: Buffer): void
  /** After `write` returned false: everything written has been handed to the network. */
  onDrain?(): void
  /** The peer has finished sending (FIN). The default, without this handler, is `destroy()`. */
  onEnd?(): void
  /**
   * Called exactly once, last of all. With an error when it was not closed in order (`ECONNRESET`, `ECONNREFUSED`, …).
   */
  onClose(error?: IoError): void
}

/** A byte stream. Nothing is lost, duplicated or reordered in it while it lives; it stalls or dies instead. */
export interface Connection {
  readonly localHost: string
  readonly localPort: number
  readonly remoteHost: string
  readonly remotePort: number
  /** Over a Unix socket; then hosts are the path and ports 0. */
  readonly isUnixSocket: boolean
  setHandlers(handlers: ConnectionHandlers): void
  /**
   * Sends all of `bytes`. True: they are gone or copied, the caller may reuse the memory at once. False: the memory
   * is kept until `onDrain` and must not be changed; further writes are allowed and queue up (`bufferedBytes`).
   * Writing to a closed connection does nothing and returns true.
   */
  write(bytes: Buffer): boolean
  /** Written and not yet handed to the network, in bytes. */
  readonly bufferedBytes: number
  /** No `onData` until `resume`: back-pressure reaches the peer. */
  pause(): void
  resume(): void
  /** Sends what is buffered, then FIN. */
  end(): void
  /** Closes at once and discards what is buffered. `onClose` follows (without an error). */
  destroy(): void
  setNoDelay(noDelay: boolean): void
  /** Seconds between keep-alive probes; 0 turns them off. */
  setKeepAlive(intervalSeconds: number): void
}

export interface Network {
  listen(options: ListenOptions, handlers: ListenHandlers): Listener
  /** Never throws: a failure arrives at `onClose`. There is no time-out of its own: set a timer. */
  connect(options: ConnectOptions, handlers: ConnectionHandlers): Connection
}

/**
 * `read`: must exist. `create`: emptied or made. `append`: made when missing, every write goes to the end.
 * `update`: must exist; positioned writes allowed.
 */
export type OpenMode = 'read' | 'create' | 'append' | 'update'

export interface FileStatus {
  sizeBytes: number
  isDirectory: boolean
  modifiedMs: number
}

/**
 * A file system as POSIX promises it: what was written is seen by every later read on the same host and survives the
 * death of the process; only what was synced survives a power cut, and a name change only once its directory was
 * synced. All methods throw `IoError`.
 */
export interface Disk {
  open(path: string, mode: OpenMode): File
  /** Undefined when nothing is there. */
  status(path: string): FileStatus | undefined
  /** Names in a directory, sorted. */
  list(path: string): string[]
  makeDirectory(path: string): void
  /** Replaces `to` when it exists, atomically. */
  rename(from: string, to: string): void
  remove(path: string): void
  /** Makes creations, renames and removals in this directory survive a power cut. */
  syncDirectory(path: string): void
}

export interface File {
  /** Reads up to `into.length` bytes from `positionBytes`; returns how many, 0 at the end. */
  read(into: Uint8Array, positionBytes: number): number
  /**
   * Writes at the file's end (`create`, `append`) or at `positionBytes` (`update`). Returns the bytes written: fewer on
   * a full disk (ENOSPC when none fits).
   */
  write(bytes: Uint8Array, positionBytes?: number): number
  truncate(sizeBytes: number): void
  readonly sizeBytes: number
  /** Blocks until data is on stable storage (fdatasync). */
  sync(): void
  /** The same without blocking. `done` is called once, also when the file was closed meanwhile. */
  syncInBackground(done: (error?: IoError) => void): void
  close(): void
}

export interface Random {
  /** Uniform in [0, 2^32). */
  uint32(): number
  /** Uniform in [0, 1) with 53 bits. */
  fraction(): number
  /** Uniform whole number in [0, limit), 1 ≤ limit ≤ 2^32. */
  below(limit: number): number
  fill(bytes: Uint8Array): void
}

export interface MemoryUse {
  /** Resident set of the process in bytes. */
  residentBytes: number
  /** Live JavaScript heap plus buffers outside it, in bytes. */
  usedBytes: number
  /** Memory of the whole machine in bytes. */
  systemBytes: number
}

/** The process that the engine runs in. */
export interface Host {
  readonly processId: number
  readonly hostName: string
  readonly platform: string
  /** What the program was built with, for INFO: `node-20.20.0`. */
  readonly runtime: string
  /** What the event loop waits with: `epoll`. */
  readonly multiplexing: string
  /** Path of the program that runs. */
  readonly executable: string
  /** Local time minus UTC in minutes at a moment, for the times in the log. Left out: UTC. */
  utcOffsetMinutes?(wallMs: number): number
  /** One line of the log or of the terminal, without a line end. */
  print(line: string): void
  memory(): MemoryUse
  /** User and system CPU time of this process so far, in microseconds, and that of the thread that serves. */
  cpu(): { userUs: number; systemUs: number; mainUserUs: number; mainSystemUs: number }
  /** Bytes that nobody can guess, for passwords (a simulated machine draws them from the run's seed). */
  secretBytes(count: number): Buffer
  /** Does nothing for so long, and lets nothing else of this process happen meanwhile. */
  sleep(durationUs: number): void
  /** The WebAssembly program of Lua 5.1, read at the first call. Pure code: the same bytes on every host. */
  luaProgram(): Uint8Array
  /** The process has computed for so long. Simulated time passes by this; real time passes by itself. */
  computed?(durationUs: number): void
  /** Ends the process, or the simulated one. Nothing of this node runs afterwards. */
  exit(status: number): void
  /** Ends it as this signal does to a program that does not catch it. */
  crash(signal: 'SIGABRT' | 'SIGSEGV'): void
}
