/**
 * The structure of an HTML document without its words: names of elements and attributes in order. Two pages of one
 * shape of result have the same skeleton, whatever the texts in it; anything that broke out of its place would show.
 *
 * Follows the HTML standard's tokenizer for what the pages use: double-quoted attributes, raw text in script and style,
 * comments. Anything else that begins with `<` counts as a tag, so that a text which slipped through is always seen.
 */
export function htmlSkeleton(page: string): string[] {
  const tokens: string[] = []
  const tag = /<(!--|!doctype|\/?[a-zA-Z][^\s/>]*|[^a-zA-Z/!]|$)/gi
  for (let found = tag.exec(page); found !== null; found = tag.exec(page)) {
    const name = (found[1] ?? '').toLowerCase()
    const rest = /^(?:\s+[^\s=>/"']+(?:="[^"]*")?)*\s*\/?>/.exec(page.slice(tag.lastIndex))
    if (rest === null) {
      tokens.push(`stray <${name}`)
      continue
    }
    tag.lastIndex += rest[0].length
    const attributes = [...rest[0].matchAll(/\s+([^\s=>/"']+)(?:="[^"]*")?/g)].map(([, attribute]) => attribute)
    tokens.push([name, ...attributes].join(' '))
    if (name === 'script' || name === 'style') {
      const end = page.slice(tag.lastIndex).search(new RegExp(`</${name}`, 'i'))
      tag.lastIndex += Math.max(0, end)
    }
  }
  return tokens
}
