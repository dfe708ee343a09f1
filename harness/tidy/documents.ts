/**
 * What the documents promise, checked: a relative link leads to a file (and its `#anchor` to a heading), and a command
 * `npm run x` is a script of package.json. A reader who follows the README must never meet either mistake.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'

const notOurs = ['node_modules', 'dist', '.git', '.faultline', 'coverage']

/** Paths of the Markdown files below `root`, relative to it. */
export function listDocuments(root: string): string[] {
  const walk = (folder: string): string[] =>
    readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
      if (notOurs.includes(entry.name)) return []
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return walk(path)
      return entry.isFile() && entry.name.endsWith('.md') ? [path] : []
    })
  return walk('.').sort()
}

const fencedCode = /^( *)(```+|~~~+)[^\n]*\n[\s\S]*?(^ *\2[^\n]*$|(?![\s\S]))/gm

/** The text with fenced code blanked out, so that lines keep their numbers. */
const withoutFences = (text: string) => text.replace(fencedCode, (code) => code.replace(/[^\n]/g, ' '))

/** The anchors of a document: GitHub's form of its headings, with `-1`, `-2` … for repeated ones, and explicit ids. */
export function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>()
  for (const [, heading = ''] of withoutFences(text).matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const words = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/[`*]/g, '')
      .toLowerCase()
    const slug = words.replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-')
    let anchor = slug
    for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`
    anchors.add(anchor)
  }
  for (const [, id = ''] of text.matchAll(/<[a-z]+[^>]*\s(?:id|name)="([^"]+)"/g)) anchors.add(id)
  return anchors
}

/** Targets of the links and images of a document, with their lines. */
function linksOf(text: string): { target: string; line: number }[] {
  const prose = withoutFences(text).replace(/`[^`\n]+`/g, (code) => ' '.repeat(code.length))
  const forms = [
    /\]\(\s*<?([^()\s>]+(?:\([^()\s]*\)[^()\s>]*)?)>?(?:\s+["'(][^)]*)?\)/g,
    /^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)>?/gm,
    /<(?:a|img|source)\b[^>]*?\s(?:href|src)="([^"]+)"/g,
  ]
  return forms.flatMap((form) =>
    [...prose.matchAll(form)].map((match) => ({
      target: match[1] ?? '',
      line: prose.slice(0, match.index).split('\n').length,
    })),
  )
}

/** One line for each relative link of the document at `path` that leads nowhere. */
export function brokenLinks(root: string, path: string): string[] {
  const text = readFileSync(join(root, path), 'utf8')
  return linksOf(text).flatMap(({ target, line }) => {
    if (/^([a-z][a-z0-9+.-]*:|\/\/)/i.test(target)) return []
    const [file = '', anchor] = decodeURI(target).split('#')
    const path2 = file === '' ? join(root, path) : join(root, file.startsWith('/') ? '.' : dirname(path), file)
    if (!existsSync(path2)) return [`${path}:${line} ${target}: there is no such file`]
    if (anchor === undefined || statSync(path2).isDirectory() || !path2.endsWith('.md')) return []
    const known = anchorsOf(readFileSync(path2, 'utf8')).has(anchor)
    return known ? [] : [`${path}:${line} ${target}: there is no such heading`]
  })
}

/** Names of the scripts that a document tells its reader to run (`npm run x`, `npm test`) and that do not exist. */
export function unknownScripts(text: string, scripts: readonly string[]): string[] {
  const options = String.raw`(?:(?:-s|--silent|--)\s+)*`
  const named = [...text.matchAll(new RegExp(String.raw`\bnpm (?:run|run-script)\s+${options}([a-z][\w:-]*)`, 'g'))]
  const short = [...text.matchAll(/\bnpm (test|start|stop|restart)\b/g)]
  const names = [...named, ...short].map((match) => match[1] ?? '')
  return [...new Set(names)].filter((name) => !scripts.includes(name))
}
