/** INFO as a table: parts of the server register fields, sections come out in Redis's order. */
import type { InfoRegistry } from './server.ts'

type Fields = () => readonly (readonly [name: string, value: string | number])[]

/** Section, its title, and whether a plain INFO shows it. In the order of Redis 7.0. */
const sections: readonly (readonly [name: string, title: string, shown: 'default' | 'all' | 'everything'])[] = [
  ['server', 'Server', 'default'],
  ['clients', 'Clients', 'default'],
  ['memory', 'Memory', 'default'],
  ['persistence', 'Persistence', 'default'],
  ['stats', 'Stats', 'default'],
  ['replication', 'Replication', 'default'],
  ['cpu', 'CPU', 'default'],
  ['modules', 'Modules', 'default'],
  ['commandstats', 'Commandstats', 'all'],
  ['errorstats', 'Errorstats', 'default'],
  ['latencystats', 'Latencystats', 'all'],
  ['cluster', 'Cluster', 'default'],
  ['keyspace', 'Keyspace', 'default'],
]

export class InfoTable implements InfoRegistry {
  private readonly parts = new Map<string, Fields[]>()

  add(section: string, fields: Fields): void {
    if (!sections.some(([name]) => name === section)) throw new Error(`INFO has no section ${section}`)
    const parts = this.parts.get(section)
    if (parts === undefined) this.parts.set(section, [fields])
    else parts.push(fields)
  }

  /** The text of INFO for these words: section names, `default`, `all`, `everything`, in any case. None: `default`. */
  render(words: readonly string[]): string {
    const wanted = new Set(words.length === 0 ? ['default'] : words.map((word) => word.toLowerCase()))
    const everything = wanted.has('all') || wanted.has('everything')
    const texts: string[] = []
    for (const [name, title, shown] of sections) {
      const byGroup = everything || (shown === 'default' && wanted.has('default'))
      if (byGroup || wanted.has(name)) texts.push(this.section(name, title))
    }
    return texts.join('\r\n')
  }

  private section(name: string, title: string): string {
    const lines = (this.parts.get(name) ?? []).flatMap((fields) =>
      fields().map(([key, value]) => `${key}:${value}\r\n`),
    )
    return `# ${title}\r\n${lines.join('')}`
  }
}
