/**
 * Verdict marks. A verdict is told by word, shape and colour together: circle with a tick, square with a cross, diamond
 * with a question mark; no reader depends on colour.
 */
import { type Html, html } from '../html.ts'
import type { Verdict } from '../result.ts'

const words: Readonly<Record<Verdict, string>> = { pass: 'Pass', fail: 'Fail', unknown: 'Unknown' }

const shapes: Readonly<Record<Verdict, Html>> = {
  pass: html`<circle cx="8" cy="8" r="7.5"/><path class="glyph" d="M4.6 8.3 7 10.7 11.4 5.6"/>`,
  fail: html`<rect x="1" y="1" width="14" height="14" rx="2"/><path class="glyph" d="M5 5 11 11M11 5 5 11"/>`,
  unknown: html`<path d="M8 0 16 8 8 16 0 8Z"/><path class="glyph" d="M6.2 6.4a1.8 1.8 0 1 1 2.6 1.7c-.6.3-.8.7-.8 1.2M8 11.3v.4"/>`,
}

export function verdictShape(verdict: Verdict): Html {
  return html`<svg class="mark mark-${verdict}" viewBox="0 0 16 16" aria-hidden="true">${shapes[verdict]}</svg>`
}

/** Shape and word. */
export function verdictMark(verdict: Verdict): Html {
  return html`<span class="verdict verdict-${verdict}">${verdictShape(verdict)}<span>${words[verdict]}</span></span>`
}

/** A command with a copy button; the button shows itself only where scripts run. */
export function commandBlock(id: string, command: string): Html {
  return html`<div class="command"><pre tabindex="0" aria-label="Command"><code id="${id}">${command}</code></pre><button type="button" data-copy="${id}" hidden>Copy</button></div>`
}
