/**
 * Rules that give a set of allowed commands, as ACL LIST prints them: from `-@all` or `+@all` on, the category that
 * fits best, again and again, then what is left as single commands (Redis 7.0's ACLDescribeSelectorCommandRules). A
 * category fits when more of its commands are to be changed than not; the best has the fewest that are not.
 */
import { aclCategories, categoryNames } from '../commands/categories.ts'
import type { PermittedCommand, PermittedCommands } from './selector.ts'

/** The text, one character per byte. `firstArguments`: first arguments that are allowed of commands that are not. */
export function describeCommands(
  table: PermittedCommands,
  startsFromAll: boolean,
  allowed: ReadonlySet<PermittedCommand>,
  firstArguments: ReadonlyMap<PermittedCommand, readonly string[]>,
): string {
  const sign = startsFromAll ? '-' : '+'
  const rules = [startsFromAll ? '+@all' : '-@all']
  /** What the rules so far allow. */
  const reached = new Set(startsFromAll ? everyCommand(table) : [])
  /** What is still to be brought about by categories: allowed ones are done with once their category is told. */
  const left = new Set(allowed)
  const categories = new Set(categoryNames)
  for (;;) {
    const best = bestCategory(table, categories, left, startsFromAll)
    if (best === undefined) break
    categories.delete(best)
    rules.push(`${sign}@${best}`)
    for (const command of inCategory(table, best)) {
      change(reached, command, !startsFromAll)
      change(left, command, startsFromAll)
    }
  }
  for (const command of everyCommand(table)) {
    const wanted = allowed.has(command)
    if (reached.has(command) !== wanted) {
      rules.push(`${wanted ? '+' : '-'}${command.fullName}`)
      change(reached, command, wanted)
    }
    if (!wanted) for (const word of firstArguments.get(command) ?? []) rules.push(`+${command.fullName}|${word}`)
  }
  return rules.join(' ')
}

function bestCategory(
  table: PermittedCommands,
  categories: ReadonlySet<string>,
  left: ReadonlySet<PermittedCommand>,
  startsFromAll: boolean,
): string | undefined {
  let best: { name: string; different: number; same: number } | undefined
  for (const name of categories) {
    let same = 0
    let different = 0
    for (const command of inCategory(table, name)) {
      if (left.has(command) === startsFromAll) different++
      else same++
    }
    if (same <= different) continue
    if (best === undefined || different < best.different || (different === best.different && same > best.same)) {
      best = { name, different, same }
    }
  }
  return best?.name
}

/** A rule on a command holds for its subcommands. */
function change(set: Set<PermittedCommand>, command: PermittedCommand, into: boolean): void {
  if (into) set.add(command)
  else set.delete(command)
  for (const sub of command.subcommands?.values() ?? []) change(set, sub, into)
}

function* everyCommand(table: PermittedCommands): Generator<PermittedCommand> {
  for (const command of table.commands) {
    yield command
    yield* command.subcommands?.values() ?? []
  }
}

/** The commands and subcommands of a category. Looked for once per table: rules are described much more often. */
export function inCategory(table: PermittedCommands, category: string): readonly PermittedCommand[] {
  let categories = known.get(table)
  if (categories === undefined) {
    categories = new Map(categoryNames.map((name) => [name, []]))
    for (const command of everyCommand(table)) {
      for (const name of aclCategories(command.command)) categories.get(name)?.push(command)
    }
    known.set(table, categories)
  }
  return categories.get(category) ?? []
}

const known = new WeakMap<PermittedCommands, Map<string, PermittedCommand[]>>()
