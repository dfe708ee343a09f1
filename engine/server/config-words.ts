/**
 * Words of configuration lines: splitting with Redis's quoting rules, and quoting for output.
 *
 *     save 900 1            three words
 *     requirepass "a b\x00" double quotes: \xHH, \n \r \t \b \a, any other escaped character is itself
 *     logfile 'it\'s'       single quotes: only \' is an escape
 *
 * A closing quote must be followed by white space or the end. Bytes that are no UTF-8 are not preserved.
 */

/** At every space; none for empty text, as Redis's `sdssplitlen` does. */
export function splitOnSpace(value: string): readonly string[] {
  return value === '' ? [] : value.split(' ')
}

const isSpace = (character: string | undefined) => character !== undefined && /[ \t\n\v\f\r]/.test(character)
const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' }

/** Undefined when quotes are unbalanced. */
export function splitWords(line: string): string[] | undefined {
  // One character per byte, so that escapes can build any byte sequence.
  const bytes = Buffer.from(line).toString('latin1')
  const words: string[] = []
  let at = 0
  for (;;) {
    while (isSpace(bytes[at])) at++
    if (at >= bytes.length || bytes[at] === '\0') return words
    const word = readWord(bytes, at)
    if (word === undefined) return undefined
    words.push(Buffer.from(word.text, 'latin1').toString('utf8'))
    at = word.end
  }
}

function readWord(line: string, start: number): { text: string; end: number } | undefined {
  let text = ''
  let quote = ''
  let at = start
  for (; ; at++) {
    const character = line[at]
    if (character === undefined || character === '\0') {
      if (quote !== '') return undefined
      break
    }
    if (quote === '') {
      if (isSpace(character)) break
      if (character === '"' || character === "'") quote = character
      else text += character
    } else if (character === quote) {
      if (line[at + 1] !== undefined && !isSpace(line[at + 1])) return undefined
      at++
      break
    } else if (quote === "'") {
      if (character === '\\' && line[at + 1] === "'") at++
      text += line[at]
    } else if (character === '\\' && /^x[0-9a-f]{2}/i.test(line.slice(at + 1, at + 4))) {
      text += String.fromCharCode(Number.parseInt(line.slice(at + 2, at + 4), 16))
      at += 3
    } else if (character === '\\' && line[at + 1] !== undefined) {
      at++
      text += escapes[line[at] as string] ?? line[at]
    } else text += character
  }
  return { text, end: at }
}

/** In double quotes, bytes beyond printable ASCII as escapes: Redis's `sdscatrepr`. */
export function quoteWord(word: string): string {
  let quoted = '"'
  for (const byte of Buffer.from(word)) quoted += quotedBytes[byte]
  return `${quoted}"`
}

const quotedBytes: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const named = { 34: '\\"', 92: '\\\\', 10: '\\n', 13: '\\r', 9: '\\t', 7: '\\a', 8: '\\b' }[byte]
  if (named !== undefined) return named
  return byte >= 32 && byte < 127 ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`
})
