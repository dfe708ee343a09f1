/** Users in text: the ACL file (`aclfile`) and the `user` lines of the configuration file. */
import type { Disk, IoError } from '../io.ts'
import { replaceFile } from '../server/config-rewrite.ts'
import { errorText } from '../server/system-errors.ts'
import { type Access, duplicateUser, mergeSelectors, type RuleError, userNameRefusal } from './access.ts'
import type { User } from './user.ts'

/**
 * Reads the ACL file. All of its mistakes are in one text, in Redis's words, and nothing changes then.
 */
export function readUserFile(access: Access, disk: Disk, path: string): Map<string, User> | string {
  let text: string
  try {
    text = readText(disk, path)
  } catch (error) {
    return `Error loading ACLs, opening file '${path}': ${errorText(error as IoError)}`
  }
  const users = new Map<string, User>()
  let mistakes = ''
  for (const [i, raw] of text.split('\n').entries()) {
    const line = raw.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '')
    if (line !== '') mistakes += readUserLine(access, users, line, `${path}:${i + 1}`, i + 1)
  }
  if (mistakes === '') return users
  return `${mistakes}WARNING: ACL errors detected, no change to the previously active ACL rules was performed`
}

function readText(disk: Disk, path: string): string {
  const file = disk.open(path, 'read')
  try {
    const bytes = Buffer.alloc(file.sizeBytes)
    return bytes.toString('latin1', 0, file.read(bytes, 0))
  } finally {
    file.close()
  }
}

/** Adds the user of the line; returns what is wrong with it, or nothing. */
function readUserLine(
  access: Access,
  users: Map<string, User>,
  line: string,
  place: string,
  lineNumber: number,
): string {
  // Not as in the configuration file: there are no quotes.
  const [keyword, name, ...rules] = line.split(' ')
  if (keyword !== 'user' || name === undefined) {
    return `${place} should start with user keyword followed by the username. `
  }
  if (userNameRefusal(name) !== undefined) return `'${place}: username '${name}' contains invalid characters. `
  if (users.has(name)) return `WARNING: Duplicate user '${name}' found on line ${lineNumber}. `
  const user = access.newUser(name)
  users.set(name, user)
  const merged = mergeSelectors(rules)
  if (typeof merged === 'number') return `${place}: Unmatched parenthesis in selector definition.`
  let mistakes = ''
  let told = false
  for (const rule of merged) {
    const wrong = user.apply(rule)
    if (wrong === undefined) continue
    if (wrong.startsWith('Unknown command')) mistakes += `${place}: Error in applying operation '${rule}': ${wrong}. `
    else if (!told) {
      mistakes += `${place}: ${wrong}. `
      told = true
    }
  }
  return mistakes
}

/** @throws {IoError} the old file is as it was, then */
export function writeUserFile(access: Access, disk: Disk, path: string): void {
  const lines = access.list().map((user) => `user ${user.name} ${user.describe()}\n`)
  replaceFile(disk, path, Buffer.from(lines.join(''), 'latin1'))
}

/** One `user` line of the configuration file, without its first word. Returns what is wrong with it. */
export function loadUserLine(access: Access, words: readonly string[], seen: Set<string>): string | undefined {
  const [name = '', ...rules] = words.map((word) => Buffer.from(word).toString('latin1'))
  const refusal = seen.has(name) ? { index: 1, message: duplicateUser } : applyUserLine(access, name, rules)
  seen.add(name)
  if (refusal === undefined) return undefined
  // Redis counts from the wrong word: a mistake in the first rule is said to be in `user`.
  return `Error in user declaration '${['user', ...words][refusal.index]}': ${refusal.message}`
}

function applyUserLine(access: Access, name: string, rules: readonly string[]): RuleError | undefined {
  const merged = mergeSelectors(rules)
  if (typeof merged === 'number') return { index: merged, message: 'Unmatched parenthesis in selector definition.' }
  // What the file says of `default` is all that it is.
  if (name === 'default') access.setUser(name, ['reset'])
  return access.setUser(name, merged)
}
