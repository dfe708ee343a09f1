/**
 * What the contract suite needs from an implementation of `Io`, so that the same tests run on real and on virtual time.
 */

import type { Io } from '../io.ts'

export interface ContractWorld {
  /** The node that connects, and the node that listens. They may be the same machine. */
  readonly client: Io
  readonly server: Io
  /** Where the server can listen and the client can reach it. */
  readonly serverHost: string
  /** Two addresses that the client may send from; the first is used when it does not say. */
  readonly clientHosts: readonly [string, string]
  /** An empty directory on the disks of both nodes, which need not be the same disk. */
  readonly directory: string
  /** Lets time pass until the condition holds; throws when it has not after a long time. */
  until(condition: () => boolean): Promise<void>
  /** Lets everything happen that is under way. */
  settle(): Promise<void>
  /** Lets a little happen: about one turn of an event loop. */
  turn(): Promise<void>
  /** Everything is released. */
  dispose(): Promise<void>
}

export type MakeWorld = () => Promise<ContractWorld>
