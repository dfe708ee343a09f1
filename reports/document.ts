/**
 * The frame of every page: one self-contained HTML file. Styles, scripts and data are inside; the
 * Content-Security-Policy forbids every request and every script and style but those named by their hash, so that not
 * even a mistake in escaping could run anything.
 */
import { createHash } from 'node:crypto'
import { Html, html, jsonForScript } from './html.ts'
import styleSheet from './style/page.css?raw'

export interface PageParts {
  title: string
  /** Version of Faultline that wrote the page. */
  generator: string
  /** What stands in `main`. */
  main: Html | readonly (Html | false)[]
  /** Read by the scripts from the element `#chart-data`. */
  data?: unknown
  /** Scripts in their order, as trusted text. */
  scripts?: readonly string[]
  /** Goes before `main`: definitions that the page's drawings refer to. */
  definitions?: Html
}

/** Comments, indentation and spaces around punctuation are for those who edit it. */
const pageStyle = styleSheet
  .replace(/\/\*[\s\S]*?\*\//g, '')
  .replace(/\s*\n\s*/g, '\n')
  .replace(/\s*([{};])\s*/g, '$1')
  .replace(/: /g, ':')

const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** The whole page, ready to be written to a file. */
export function renderDocument({ title, generator, main, data, scripts = [], definitions }: PageParts): string {
  // Licences ask that their notice stays; the source maps named at the end of a library do not exist here.
  const texts = scripts.map((script) => script.replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n'))
  const policy = [
    "default-src 'none'",
    `script-src ${texts.length === 0 ? "'none'" : texts.map(hashOf).join(' ')}`,
    `style-src ${hashOf(pageStyle)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="Faultline ${generator}">
<title>${title}</title>
<style>${new Html(pageStyle)}</style>
</head>
<body>
${definitions}
<main>
${main}
</main>
${data !== undefined && html`<script type="application/json" id="chart-data">${jsonForScript(data)}</script>`}
${texts.map((script) => html`<script>${new Html(script)}</script>\n`)}
</body>
</html>
`.text
}
