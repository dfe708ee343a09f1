/** Clients that WAIT for replicas to acknowledge what they wrote. */
import type { Context } from '../commands/context.ts'
import type { Client } from '../server/client.ts'

interface Waiter {
  client: Client
  offset: number
  replicas: number
}

export class AcknowledgementWaiters {
  private waiters: Waiter[] = []
  private readonly countAcknowledged: (offset: number) => number

  constructor(countAcknowledged: (offset: number) => number) {
    this.countAcknowledged = countAcknowledged
  }

  /** Parks the client until `replicas` have acknowledged its last write; 0 as `deadlineMs`: for ever. */
  park(context: Context, replicas: number, deadlineMs: number): void {
    const { client } = context
    const waiter = { client, offset: client.lastWriteOffset, replicas }
    this.waiters.push(waiter)
    context.block(
      'wait',
      deadlineMs,
      (_client, reply) => reply.integer(this.countAcknowledged(waiter.offset)),
      () => this.forget(waiter),
    )
  }

  private forget(waiter: Waiter): void {
    this.waiters = this.waiters.filter((other) => other !== waiter)
  }

  /** Answers those whose replicas are enough by now. */
  check(): void {
    for (const waiter of [...this.waiters]) {
      const count = this.countAcknowledged(waiter.offset)
      if (count < waiter.replicas) continue
      waiter.client.unblock((reply) => reply.integer(count))
    }
  }

  /** This server stops being a primary: nobody will acknowledge any more. */
  giveUp(): void {
    for (const { client } of [...this.waiters]) {
      client.unblock((reply) =>
        reply.error('UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)'),
      )
      client.closeAfterReply()
    }
  }
}
