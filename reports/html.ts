/**
 * HTML by template, safe by construction: whatever is put into an `html` template is escaped unless it is `Html`
 * itself, and there is no other way to make `Html` from a string of the result. Node names, error texts and commands
 * come from outside; a report is opened from disk, where a stray `<script>` would run with the reader's rights.
 *
 * Attributes must be quoted with `"` in the templates; `&`, `<`, `>`, `"`, `'` and a backtick are escaped alike in text
 * and attributes, so that the same function serves both.
 */

export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export type Part = Html | string | number | null | undefined | false | readonly Part[]

/** Text as it can be shown: control characters become their pictures (U+2400 …), lone surrogates U+FFFD. */
export function visible(text: string): string {
  return (
    text
      .replace(/\p{Surrogate}/gu, '\ufffd')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
      .replace(/[\u0000-\u0008\u000b-\u001f]/g, (control) => String.fromCharCode(0x2400 + control.charCodeAt(0)))
      .replace(/[\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/g, '\u2421')
  )
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
}

/** For text nodes and quoted attributes. */
export function escapeHtml(text: string): string {
  return visible(text).replace(/[&<>"'`]/g, (character) => entities[character] ?? '')
}

/** A template of trusted markup around untrusted parts. `false`, `null` and `undefined` print nothing. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let text = strings[0] ?? ''
  parts.forEach((part, position) => {
    text += render(part) + (strings[position + 1] ?? '')
  })
  return new Html(text)
}

function render(part: Part): string {
  if (part === null || part === undefined || part === false) return ''
  if (part instanceof Html) return part.text
  if (typeof part === 'string') return escapeHtml(part)
  if (typeof part === 'number') return String(part)
  return part.map(render).join('')
}

/**
 * JSON for a `<script type="application/json">`: no `<` can end the element or begin a comment, and the line
 * separators that older script parsers choke on are escaped as well.
 */
export function jsonForScript(value: unknown): Html {
  const text = JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return new Html(text)
}
