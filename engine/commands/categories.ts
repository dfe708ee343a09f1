/** ACL categories, in the order of Redis, and those of a command: its own, and those that follow from its flags. */
import type { Command } from './command.ts'

export const categoryNames: readonly string[] = [
  'keyspace',
  'read',
  'write',
  'set',
  'sortedset',
  'list',
  'hash',
  'string',
  'bitmap',
  'hyperloglog',
  'geo',
  'stream',
  'pubsub',
  'admin',
  'fast',
  'slow',
  'blocking',
  'dangerous',
  'connection',
  'transaction',
  'scripting',
]

/** Without `@`. */
export function aclCategories(command: Command): string[] {
  const { flags } = command
  const categories = new Set(command.categories)
  if (flags.includes('write')) categories.add('write')
  if (flags.includes('readonly') && !categories.has('scripting')) categories.add('read')
  if (flags.includes('admin')) categories.add('admin').add('dangerous')
  if (flags.includes('pubsub')) categories.add('pubsub')
  if (flags.includes('blocking')) categories.add('blocking')
  categories.add(flags.includes('fast') ? 'fast' : 'slow')
  return categoryNames.filter((category) => categories.has(category))
}
