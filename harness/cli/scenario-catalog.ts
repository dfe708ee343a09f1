/** Finds scenarios by name. */
import { scenarios } from 'faultline:scenarios'
import { HarnessError } from '../errors.ts'
import type { Scenario } from '../scenario.ts'
import { wrap } from './wrap.ts'

/** By the full name (`cluster/split-brain`) or the last part (`split-brain`) where that is unambiguous. */
export async function findScenario(name: string): Promise<Scenario> {
  const names = Object.keys(scenarios)
  const matches = names.filter((full) => full === name || full.endsWith(`/${name}`))
  const [match, ...others] = names.includes(name) ? [name] : matches
  if (match === undefined) {
    throw new HarnessError('UNKNOWN_SCENARIO', `There is no scenario '${name}'. There are: ${names.join(', ')}.`)
  }
  if (others.length > 0) {
    throw new HarnessError('UNKNOWN_SCENARIO', `'${name}' could be ${matches.join(' or ')}: use the full name.`)
  }
  return (await scenarios[match]!()).default
}

/** Every scenario with its claim and arms, wrapped to `columns`. */
export async function listScenarios(columns: number): Promise<string> {
  const lines: string[] = []
  for (const name of Object.keys(scenarios).sort()) {
    const { claim, arms } = (await scenarios[name]!()).default
    lines.push(
      name,
      ...wrap(claim, columns, '    '),
      ...wrap(`arms: ${Object.keys(arms).join(', ')}`, columns, '    '),
      '',
    )
  }
  lines.push('Run one with: npm run scenario NAME', '')
  return lines.join('\n')
}
