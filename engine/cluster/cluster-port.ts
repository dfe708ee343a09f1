/** Cluster as the rest of the server sees it. `cluster.ts` implements it (Redis's cluster.c). */
import type { Arguments } from '../commands/arguments.ts'
import type { Command } from '../commands/command.ts'
import type { Client } from '../server/client.ts'

export interface Cluster {
  /** 40 hexadecimal digits. */
  readonly nodeId: string
  /** Connections of the bus, in both directions. */
  readonly linkCount: number
  /**
   * May this node run the command for this client? Undefined: yes. Otherwise the complete error to answer:
   * `MOVED slot host:port`, `ASK …`, `CROSSSLOT …`, `TRYAGAIN …`, `CLUSTERDOWN …`. `keys` are argument positions.
   * With `queued` (EXEC) all commands of the transaction are given in turn and must agree on one slot.
   */
  route(
    client: Client,
    commands: readonly { command: Command; args: Arguments; keys: readonly number[] }[],
  ): string | undefined
  /**
   * Why a client that waits for `key` waits in vain here: the error to answer instead; undefined: it may go on.
   * `writes`: what waits is a command that writes.
   */
  blockedRefusal(client: Client, key: Buffer, writes: boolean): string | undefined
  /** Sends a message to all nodes (PUBLISH) or to the shard (SPUBLISH). */
  publish(channel: Buffer, message: Buffer, sharded: boolean): void
  /** Binds the bus, loads nodes.conf, connects. Throws a sentence when nodes.conf is damaged or locked. */
  start(): void
  /** Closes bus and links, writes nodes.conf. */
  stop(): void
}
