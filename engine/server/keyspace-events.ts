/** Keyspace notifications: `notify-keyspace-events` as bits, and the two channels of an event. */
import type { EventClass } from '../commands/context.ts'

const letters: Record<string, number> = {
  K: 1 << 0,
  E: 1 << 1,
  g: 1 << 2,
  $: 1 << 3,
  l: 1 << 4,
  s: 1 << 5,
  h: 1 << 6,
  z: 1 << 7,
  x: 1 << 8,
  e: 1 << 9,
  t: 1 << 10,
  m: 1 << 11,
  d: 1 << 12,
  n: 1 << 13,
}

const KEYSPACE = 1 << 0
const KEYEVENT = 1 << 1

const classBits: Record<EventClass, number> = {
  generic: 1 << 2,
  string: 1 << 3,
  list: 1 << 4,
  set: 1 << 5,
  hash: 1 << 6,
  sortedSet: 1 << 7,
  expired: 1 << 8,
  evicted: 1 << 9,
  stream: 1 << 10,
  keyMiss: 1 << 11,
  module: 1 << 12,
  new: 1 << 13,
}

/** `A` stands for all classes but key misses and new keys. */
const ALL = [...'g$lshzxetd'].reduce((bits, letter) => bits | (letters[letter] as number), 0)

/** `letters` as the configuration holds them, in any order. */
export function parseEventFlags(text: string): number {
  let bits = 0
  for (const letter of text) bits |= letter === 'A' ? ALL : (letters[letter] ?? 0)
  return bits
}

export class KeyspaceEvents {
  /** 0: nobody wants to know. */
  flags = 0
  private readonly publish: (channel: Buffer, message: Buffer) => void

  constructor(publish: (channel: Buffer, message: Buffer) => void) {
    this.publish = publish
  }

  notify(eventClass: EventClass, event: string, key: Buffer, databaseIndex: number): void {
    if ((this.flags & classBits[eventClass]) === 0) return
    if ((this.flags & KEYSPACE) !== 0) {
      this.publish(Buffer.concat([Buffer.from(`__keyspace@${databaseIndex}__:`), key]), Buffer.from(event))
    }
    if ((this.flags & KEYEVENT) !== 0) this.publish(Buffer.from(`__keyevent@${databaseIndex}__:${event}`), key)
  }
}
