/**
 * Grows an aggregate until the server stores it in another way: finds the size at which that happens one step at a
 * time, then compares the last size before with the first after it, in bytes and in the CPU time of a read.
 */
import { ReplyError, type ReplyValue } from '../../engine/resp/reply-parser.ts'
import type { GrowthAction } from '../scenario.ts'
import { type AdminClient, replyText } from '../topology/admin-client.ts'
import { parseInfo } from '../topology/node-state.ts'

/** Steps on their way at a time. */
const BATCH = 64
const READS = 4000
/** Rounds of reading; the first one is for code and caches, and the least of the others counts. */
const ROUNDS = 4

/** Figures by the name of their measure. */
export type GrowthFigures = Record<string, number>

/** `__n__` is the step, `__text__` so many characters. */
export function wordsAt(words: readonly string[], step: number): string[] {
  return words.map((word) => word.replaceAll('__n__', String(step)).replaceAll('__text__', 'x'.repeat(step)))
}

/** The first step whose encoding is not that of the first; 0: it never changes. */
export function changeOf(encodings: readonly string[]): number {
  return encodings.findIndex((encoding) => encoding !== encodings[0]) + 1
}

/**
 * `changesAt` is 0 when the encoding never changes within `steps`; then nothing is compared.
 * Rejects when the server answers with an error.
 */
export async function grow(
  { words, read, steps }: GrowthAction,
  admin: AdminClient,
): Promise<{ figures: GrowthFigures; encodings: [before: string, after: string] }> {
  const encodings: string[] = []
  for (let first = 1; first <= steps; first += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, steps - first + 1) }, (_, i) => first + i)
    const replies = await ask(
      admin,
      batch.flatMap((step) => [withKey(words, 'growing', step), ['OBJECT', 'ENCODING', keyOf('growing')]]),
    )
    encodings.push(...replies.filter((_, i) => i % 2 === 1).map(replyText))
  }
  const changesAt = changeOf(encodings)
  const first = encodings[0] ?? ''
  if (changesAt === 0) return { figures: { changesAt }, encodings: [first, first] }
  const figures = await compare(admin, words, read, changesAt)
  return { figures: { changesAt, ...figures }, encodings: [first, encodings[changesAt - 1] ?? ''] }
}

const keyOf = (name: string): string => `data:${name}`

function withKey(words: readonly string[], name: string, step: number): string[] {
  return wordsAt(words, step).map((word) => (word === '__key__' ? keyOf(name) : word))
}

/** Two keys, one step apart. */
async function compare(
  admin: AdminClient,
  words: readonly string[],
  read: readonly string[],
  changesAt: number,
): Promise<GrowthFigures> {
  const sizes = { below: changesAt - 1, above: changesAt }
  const bytes: Record<string, number> = {}
  const leastUs: Record<string, number> = {}
  for (const [name, size] of Object.entries(sizes)) {
    await ask(
      admin,
      Array.from({ length: size }, (_, i) => withKey(words, name, i + 1)),
    )
    bytes[name] = Number(await admin.command(['MEMORY', 'USAGE', keyOf(name), 'SAMPLES', '0']))
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, size] of Object.entries(sizes)) {
      const us = await cpuPerReadUs(admin, withKey(read, name, size))
      if (round > 0) leastUs[name] = Math.min(leastUs[name] ?? Number.POSITIVE_INFINITY, us)
    }
  }
  return {
    belowBytes: bytes.below ?? 0,
    aboveBytes: bytes.above ?? 0,
    memoryRatio: rounded((bytes.above ?? 0) / Math.max(1, bytes.below ?? 0)),
    readBelowUs: leastUs.below ?? 0,
    readAboveUs: leastUs.above ?? 0,
    readRatio: rounded((leastUs.below ?? 0) / Math.max(0.001, leastUs.above ?? 0)),
  }
}

/** With everything around the command, which is the same on both sides. */
async function cpuPerReadUs(admin: AdminClient, words: readonly string[]): Promise<number> {
  const reads = Array.from({ length: READS }, () => words)
  const before = await cpuUs(admin)
  await ask(admin, reads)
  return rounded(((await cpuUs(admin)) - before) / READS)
}

async function cpuUs(admin: AdminClient): Promise<number> {
  const info = parseInfo(await admin.text(['INFO', 'cpu']))
  return 1e6 * (Number(info.get('used_cpu_user')) + Number(info.get('used_cpu_sys')))
}

async function ask(admin: AdminClient, requests: readonly (readonly string[])[]): Promise<ReplyValue[]> {
  const replies = await admin.pipeline(requests)
  for (const reply of replies) {
    if (reply instanceof ReplyError) throw new Error(`${admin.node.name} answers: ${reply.message}`)
  }
  return replies
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}
