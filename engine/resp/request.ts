/** Requests as clients send them: words → RESP. */

/** One command as an array of bulk strings. Text is UTF-8. */
export function encodeRequest(words: readonly (string | Uint8Array)[]): Buffer {
  let text = `*${words.length}\r\n`
  for (const word of words) {
    if (typeof word !== 'string') return encodeBinary(words)
    text += `$${Buffer.byteLength(word)}\r\n${word}\r\n`
  }
  return Buffer.from(text)
}

function encodeBinary(words: readonly (string | Uint8Array)[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from(`*${words.length}\r\n`)]
  for (const word of words) {
    const bytes = typeof word === 'string' ? Buffer.from(word) : word
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, LINE_END)
  }
  return Buffer.concat(parts)
}

const LINE_END = Buffer.from('\r\n')
