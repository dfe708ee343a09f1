/**
 * Splits a line into words as Redis's `sdssplitargs` does: the quoting of inline commands, config files and redis-cli.
 *
 * Double quotes know `\xHH`, `\n \r \t \b \a` and `\c` = c; single quotes know `\'` only. A closing quote must be
 * followed by white space or the end. Text is one character per byte.
 */

/** The words, or undefined when quotes are unbalanced. A line of white space has no words. */
export function splitWords(line: string): string[] | undefined {
  const words: string[] = []
  const cursor = { line, at: 0 }
  for (;;) {
    while (cursor.at < line.length && isSpace(line.charCodeAt(cursor.at))) cursor.at++
    if (cursor.at >= line.length || line.charCodeAt(cursor.at) === 0) return words
    const word = readWord(cursor)
    if (word === undefined) return undefined
    words.push(word)
  }
}

function readWord(cursor: { line: string; at: number }): string | undefined {
  const { line } = cursor
  let word = ''
  while (cursor.at < line.length) {
    const char = line[cursor.at] as string
    if (WORD_ENDS.includes(char)) return word
    if (char === '"' || char === "'") {
      const quoted = char === '"' ? readDoubleQuoted(cursor) : readSingleQuoted(cursor)
      if (quoted === undefined) return undefined
      return word + quoted
    }
    word += char
    cursor.at++
  }
  return word
}

/** From the opening to the closing quote; undefined when it is missing or not followed by white space. */
function readDoubleQuoted(cursor: { line: string; at: number }): string | undefined {
  const { line } = cursor
  let word = ''
  cursor.at++
  while (cursor.at < line.length) {
    const char = line[cursor.at] as string
    if (char === '"') return closeQuote(cursor) ? word : undefined
    if (char !== '\\' || cursor.at + 1 >= line.length) {
      word += char
      cursor.at++
      continue
    }
    const hex = line.slice(cursor.at + 2, cursor.at + 4)
    if (line[cursor.at + 1] === 'x' && /^[0-9a-fA-F]{2}$/.test(hex)) {
      word += String.fromCharCode(Number.parseInt(hex, 16))
      cursor.at += 4
    } else {
      const escaped = line[cursor.at + 1] as string
      word += escapes[escaped] ?? escaped
      cursor.at += 2
    }
  }
  return undefined
}

function readSingleQuoted(cursor: { line: string; at: number }): string | undefined {
  const { line } = cursor
  let word = ''
  cursor.at++
  while (cursor.at < line.length) {
    const char = line[cursor.at] as string
    if (char === '\\' && line[cursor.at + 1] === "'") {
      word += "'"
      cursor.at += 2
    } else if (char === "'") {
      return closeQuote(cursor) ? word : undefined
    } else {
      word += char
      cursor.at++
    }
  }
  return undefined
}

function closeQuote(cursor: { line: string; at: number }): boolean {
  cursor.at++
  return cursor.at >= cursor.line.length || isSpace(cursor.line.charCodeAt(cursor.at))
}

/** Vertical tab and form feed stand before words like other white space, but do not end them. */
const WORD_ENDS = ' \n\r\t\0'

const escapes: Record<string, string | undefined> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' }

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13)
}
