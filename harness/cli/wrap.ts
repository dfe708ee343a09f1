/** Breaks text at spaces so that every line fits into `columns`, each line indented. */
export function wrap(text: string, columns: number, indent = ''): string[] {
  const width = Math.max(20, columns) - indent.length
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(indent + line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  lines.push(indent + line)
  return lines
}
