import fc from 'fast-check'
import { expect, test } from 'vitest'
import { escapeHtml, Html, html, jsonForScript } from './html.ts'

const decode = (text: string) =>
  text.replace(/&(amp|lt|gt|quot|#39|#96);/g, (_, name: string) => {
    return { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#96': '`' }[name] ?? ''
  })

test('no text can end a text node or a quoted attribute, and all of it can be read', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const escaped = escapeHtml(text)
      expect(escaped).not.toMatch(/[<>"'`]|&(?!(amp|lt|gt|quot|#39|#96);)/)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: shown as pictures, see below
      if (!/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/.test(text)) {
        expect(decode(escaped)).toBe(text)
      }
    }),
  )
})

test('characters without a shape become visible, and lone surrogates are replaced', () => {
  expect(escapeHtml('a\u0000b\u001b[31m\u202e\r\n\tc\ud800')).toBe('a␀b␛[31m␡␍\n\tc\ufffd')
})

test('a template escapes strings, keeps markup, joins lists and prints nothing for nothing', () => {
  const item = html`<li>${'<b>'}</li>`
  expect(html`<ul title="${'"'}">${[item, item]}${null}${false}${undefined}${0}</ul>`.text).toBe(
    '<ul title="&quot;"><li>&lt;b&gt;</li><li>&lt;b&gt;</li>0</ul>',
  )
  expect(html`${new Html('<hr>')}`.text).toBe('<hr>')
})

test('JSON in a script holds nothing that ends the script, and parses back to the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom('</script>', '<!--', ']]>', '\u2028', ''), (value, text) => {
      const json = jsonForScript({ value, text, [text]: text }).text
      expect(json).not.toMatch(/[<>&\u2028\u2029]/)
      expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify({ value, text, [text]: text })))
    }),
  )
})
