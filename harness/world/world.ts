/**
 * The World: where an experiment happens. `sim/` is virtual time on simulated machines, `real/` is processes, sockets
 * and disks. A run is written once against this interface; awaiting anything but a World's own promises inside a run
 * would make the simulator lose its determinism.
 */
import type { Io } from '../../engine/io.ts'
import type { Deferred } from './deferred.ts'

export type WorldKind = 'real' | 'sim'

/**
 * What a fault may need; a world lists what it offers through this interface.
 *
 *   network   links can be cut
 *   process   servers can be killed, paused and started again
 *   power     the power can be cut: what was not synced is lost
 *   disk      disks can be slow, full or failing
 */
export type Capability = 'network' | 'process' | 'power' | 'disk'

/** What is wrong with a disk. */
export interface DiskFault {
  /** Every sync takes so much longer. */
  syncDelayMs?: number
  /** No byte more fits. */
  full?: boolean
  /** Operations that fail with EIO. */
  failing?: readonly ('read' | 'write' | 'sync')[]
}

export interface World {
  readonly kind: WorldKind
  readonly capabilities: ReadonlySet<Capability>
  /** Milliseconds since the world began: virtual in the simulator, monotonic in the real world. */
  nowMs(): number
  sleep(delayMs: number): Promise<void>
  /** A promise that may be awaited inside a run, and the function that resolves it. */
  deferred<T>(): Deferred<T>
  /** Runs the world until `run` is settled: the simulator's time passes only meanwhile. */
  drive<T>(run: Promise<T>): Promise<T>
  /**
   * Starts a server and resolves when it is ready to serve. Rejects with a `HarnessError` that holds its last log
   * lines.
   */
  startNode(spec: NodeSpec): Promise<WorldNode>
  /**
   * The Io of a client on a machine of its own: its connections carry their own source address, so that faults can
   * tell it from others. The same name gives the same machine.
   */
  clientIo(name: string): Io
  /** Io of the management plane: reaches every node's admin address and is touched by no fault. */
  readonly adminIo: Io
  /** Cuts directed links: bytes wait as if packets were dropped, nothing is closed. Undone by `undo`. */
  cut(links: readonly DirectedLink[]): Promise<ActiveFault>
  /** Everything that others send to a node takes so much longer on its way; the answers do not. Undone by `undo`. */
  delay(node: string, delayMs: number): Promise<ActiveFault>
  /**
   * SIGKILL: memory is gone, what was written is not. `undo` starts the server again, in its directory and at its
   * addresses, and resolves when it answers.
   */
  kill(node: string): Promise<ActiveFault>
  /** SIGSTOP; `undo` is SIGCONT. */
  pause(node: string): Promise<ActiveFault>
  /**
   * The machine is dead at once: memory and what was not synced are gone, peers hear nothing. `undo` as for `kill`.
   * The node must have been started with the disk `held-back`.
   */
  powerCut(node: string): Promise<ActiveFault>
  /** The node must have been started with the disk `faulty` or `held-back`. */
  impairDisk(node: string, fault: DiskFault): Promise<ActiveFault>
  /** Size of a file, or of all files in a folder, in the node's directory; 0 when there is none. */
  fileBytes(node: string, path: string): Promise<number>
  /**
   * Of the time in which the nodes' servers had work, the share in which others had the processor; null where nothing
   * says so, and in the simulator, where every host has a processor of its own.
   */
  processorWait(): number | null
  /** Hash over everything that happened so far (simulator), else null. */
  traceHash(): string | null
  /** Heals, stops and removes everything. Safe to call at any time, twice too. */
  close(): Promise<void>
}

/** A machine in the network: a node or a client, by name. */
export interface DirectedLink {
  from: string
  to: string
}

export interface NodeSpec {
  name: string
  /** Parameters as in redis.conf. The world adds addresses, ports, directory and log. */
  config: Readonly<Record<string, string>>
  /**
   * What its disk must be able to do: nothing (`plain`, the default), take faults (`faulty`), or lose in a power cut
   * what was not synced (`held-back`). A simulated disk does all of it always; a process pays for what it is asked.
   */
  disk?: DiskKind
}

export type DiskKind = 'plain' | 'faulty' | 'held-back'

export interface WorldNode {
  readonly name: string
  /** Where clients and other nodes reach it; announced by the node. */
  readonly host: string
  readonly port: number
  readonly busPort: number
  /** The management address: beside every fault. */
  readonly adminHost: string
  readonly adminPort: number
  /** The complete configuration that it was started with. */
  readonly configuration: Readonly<Record<string, string>>
  /** The last lines of its log, oldest first. */
  logTail(lines: number): string[]
}

export interface ActiveFault {
  /** What shows that the fault acts (`1,204 bytes held on 3 links`); empty: nothing shows it. */
  tookHold(): Promise<string>
  /** Idempotent. */
  undo(): Promise<void>
}
