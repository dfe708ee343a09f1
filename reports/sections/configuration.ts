/**
 * Configuration: first what every node of every arm has in common, once; then per arm what its nodes share beyond that,
 * and where they differ from one another. So a reader sees differences and not repetitions.
 */
import { type Html, html } from '../html.ts'
import type { ArmResult, Result } from '../result.ts'

type Settings = Readonly<Record<string, string>>

/** The entries that all have, with the same value, in the order of the first. */
export function commonSettings(all: readonly Settings[]): [string, string][] {
  const [first, ...rest] = all
  if (first === undefined) return []
  return Object.entries(first).filter(([name, value]) =>
    rest.every((other) => Object.hasOwn(other, name) && other[name] === value),
  )
}

/** Names that some have and not all with the same value, sorted. */
export function differingNames(all: readonly Settings[]): string[] {
  const common = new Set(commonSettings(all).map(([name]) => name))
  return [...new Set(all.flatMap((settings) => Object.keys(settings)))].filter((name) => !common.has(name)).sort()
}

export function configurationSection(result: Result): Html {
  const everywhere = commonSettings(result.arms.flatMap((arm) => Object.values(arm.configuration)))
  return html`
<section id="configuration">
  <h2>Configuration</h2>
  <h3>Every node, every arm</h3>
  ${settingsTable(everywhere)}
  ${result.arms.map((arm) => armConfiguration(arm, new Set(everywhere.map(([name]) => name))))}
</section>`
}

function settingsTable(entries: readonly (readonly [string, string])[]): Html {
  if (entries.length === 0) return html`<p class="note">Nothing in common.</p>`
  return html`<dl class="configuration">${entries.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value === '' ? '""' : value}</dd></div>`)}</dl>`
}

function armConfiguration(arm: ArmResult, everywhere: ReadonlySet<string>): Html {
  const nodes = Object.entries(arm.configuration)
  const all = nodes.map(([, settings]) => settings)
  const shared = commonSettings(all).filter(([name]) => !everywhere.has(name))
  const names = differingNames(all)
  const about = new Map(arm.timeline.nodes.map((node) => [node.name, node]))
  return html`
  <h3>${arm.title}</h3>
  ${shared.length > 0 && settingsTable(shared)}
  <details><summary>Nodes: addresses, versions and what differs between them</summary>
  <div class="scroll" tabindex="0" role="region" aria-label="Configuration by node, ${arm.title}"><table class="nodes">
    <thead><tr><th scope="col">Node</th><th scope="col">Address</th><th scope="col">Version</th>${names.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
    <tbody>${nodes.map(
      ([name, settings]) =>
        html`<tr><th scope="row">${name}</th><td>${about.get(name)?.address ?? '–'}</td><td>${about.get(name)?.version ?? '–'}</td>${names.map((key) => html`<td>${Object.hasOwn(settings, key) ? settings[key] : '–'}</td>`)}</tr>`,
    )}</tbody></table></div></details>`
}
