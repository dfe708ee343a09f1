/** Results whose every free text is replaced: reports must show such texts and never obey them. */
import { type Result, resultSchema } from '../result.ts'

/**
 * Texts that break out of elements, attributes, scripts, comments, tables, XML and terminals, if anything lets them.
 */
export const hostileTexts: readonly string[] = [
  '<script>window.pwned=1</script>',
  '"><img src=x onerror="window.pwned=1">',
  "' onmouseover='window.pwned=1' x='",
  '</script><script>window.pwned=1</script>',
  '</style></title></svg></pre></textarea><svg onload=window.pwned=1>',
  '<!--<script>',
  '-->]]><x/>&quot;&lt;&#60;',
  '<iframe src="https://example.com/"></iframe><link rel=stylesheet href="//example.com/x.css">',
  '`$' + '{window.pwned=1}`',
  '| a | b |\n|---|---|\n# heading\n[link](javascript:alert(1)) ![image](https://example.com/x.png) @someone **bold** ```',
  '__proto__',
  'constructor',
  '\u0000\u0001\u001b[31mred\u0007 \u202eleft-to-right\u2066 \ud800 lone \u2028 \r\n\t end',
  'javascript:window.pwned=1',
  'x'.repeat(400),
]

/** Strings that are words of the format, not free text: verdicts, roles, worlds. */
const formatWords = new Set(['pass', 'fail', 'unknown', 'real', 'sim', 'primary', 'replica', 'down', 'ok', ''])

/**
 * Every free string of the result, key of a record included, replaced by what `replace` gives for it. Words of the
 * format and names of fields stay.
 */
export function replaceTexts(result: Result, replace: (text: string, path: string) => string): Result {
  const records = /\.(settings|predicted|configuration|lostWritesByCause)(\.[^.]*)?$/
  const walk = (value: unknown, path: string): unknown => {
    if (typeof value === 'string') return formatWords.has(value) ? value : replace(value, path)
    if (Array.isArray(value)) return value.map((item) => walk(item, `${path}[]`))
    if (typeof value !== 'object' || value === null) return value
    const isRecord = records.test(path) && !/\.predicted\.[^.]*$/.test(path)
    const entries = new Map<string, unknown>()
    for (const [name, item] of Object.entries(value)) {
      let key = isRecord ? replace(name, `${path}.*`) : name
      // Two equal names would become one entry.
      while (entries.has(key)) key += '+'
      entries.set(key, walk(item, isRecord ? `${path}.*` : `${path}.${name}`))
    }
    return Object.fromEntries(entries)
  }
  return resultSchema.parse(walk(result, ''))
}

/**
 * Like `replaceTexts`, but equal texts stay equal and different ones different: `textOf` is given a number for each
 * distinct text. What a report shows together and what apart then does not depend on what the texts are.
 */
export function renameTexts(result: Result, textOf: (id: number) => string): Result {
  const ids = new Map<string, number>()
  return replaceTexts(result, (text) => {
    const id = ids.get(text) ?? ids.size
    ids.set(text, id)
    return `${textOf(id)}${id}`
  })
}

/** Hostile texts in turn, one after another, over all free strings. */
export function hostileResult(result: Result): Result {
  let next = 0
  return replaceTexts(result, () => hostileTexts[next++ % hostileTexts.length] ?? '')
}
