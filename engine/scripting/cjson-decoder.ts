/** Decodes JSON into Lua values on the stack: cjson.decode, with lua-cjson's tolerance and error texts. */
import type { JsonSettings } from './cjson-library.ts'
import type { LuaExports } from './lua-api.ts'
import type { LuaProgram } from './lua-program.ts'

/** What the next token is, in the words of error messages. */
type Token =
  | { type: 'T_OBJ_BEGIN' | 'T_OBJ_END' | 'T_ARR_BEGIN' | 'T_ARR_END' | 'T_NULL' | 'T_COLON' | 'T_COMMA' | 'T_END' }
  | { type: 'T_STRING'; value: Buffer }
  | { type: 'T_NUMBER'; value: number }
  | { type: 'T_BOOLEAN'; value: boolean }

const tokenNames: Readonly<Record<Token['type'], string>> = {
  T_OBJ_BEGIN: 'T_OBJ_BEGIN',
  T_OBJ_END: 'T_OBJ_END',
  T_ARR_BEGIN: 'T_ARR_BEGIN',
  T_ARR_END: 'T_ARR_END',
  T_STRING: 'T_STRING',
  T_NUMBER: 'T_NUMBER',
  T_BOOLEAN: 'T_BOOLEAN',
  T_NULL: 'T_NULL',
  T_COLON: 'T_COLON',
  T_COMMA: 'T_COMMA',
  T_END: 'T_END',
}

export class JsonDecoder {
  private readonly program: LuaProgram
  private readonly api: LuaExports
  private readonly L: number
  private readonly text: Buffer
  private readonly settings: JsonSettings
  private at = 0
  /** Where the token that was read last begins. */
  private tokenAt = 0
  private depth = 0
  private expected = 'value'

  constructor(program: LuaProgram, L: number, text: Buffer, settings: JsonSettings) {
    this.program = program
    this.api = program.api
    this.L = L
    this.text = text
    this.settings = settings
  }

  /** Pushes the value. */
  decode(): void {
    // UTF-16 and UTF-32 are not supported: RFC 4627, section 3.
    if (this.text.length >= 2 && (this.text[0] === 0 || this.text[1] === 0)) {
      this.program.raiseHere(this.L, 'JSON parser does not support UTF-16 or UTF-32')
    }
    this.value(this.token('value'))
    const end = this.token('the end')
    if (end.type !== 'T_END') this.unexpected('the end', end)
  }

  private unexpected(expected: string, token: Token): never {
    return this.fail(expected, tokenNames[token.type], this.tokenAt)
  }

  private fail(expected: string, found: string, index: number): never {
    return this.program.raiseHere(this.L, `Expected ${expected} but found ${found} at character ${index + 1}`)
  }

  private value(token: Token): void {
    const { api, L, program } = this
    switch (token.type) {
      case 'T_STRING':
        program.pushBytes(L, token.value)
        break
      case 'T_NUMBER':
        api.lua_pushnumber(L, token.value)
        break
      case 'T_BOOLEAN':
        api.lua_pushboolean(L, token.value ? 1 : 0)
        break
      case 'T_NULL':
        api.lua_pushlightuserdata(L, 0)
        break
      case 'T_OBJ_BEGIN':
        this.object()
        break
      case 'T_ARR_BEGIN':
        this.array()
        break
      default:
        this.unexpected('value', token)
    }
  }

  private descend(): void {
    this.depth++
    if (this.depth <= this.settings.decodeMaxDepth && this.api.lua_checkstack(this.L, 3) !== 0) return
    this.program.raiseHere(this.L, `Found too many nested data structures (${this.depth}) at character ${this.at}`)
  }

  private object(): void {
    const { api, L, program } = this
    this.descend()
    api.lua_createtable(L, 0, 0)
    let token = this.token('object key string')
    if (token.type === 'T_OBJ_END') {
      this.depth--
      return
    }
    for (;;) {
      if (token.type !== 'T_STRING') this.unexpected('object key string', token)
      program.pushBytes(L, (token as { value: Buffer }).value)
      token = this.token('colon')
      if (token.type !== 'T_COLON') this.unexpected('colon', token)
      this.value(this.token('value'))
      api.lua_rawset(L, -3)
      token = this.token('comma or object end')
      if (token.type === 'T_OBJ_END') break
      if (token.type !== 'T_COMMA') this.unexpected('comma or object end', token)
      token = this.token('object key string')
    }
    this.depth--
  }

  private array(): void {
    const { api, L } = this
    this.descend()
    api.lua_createtable(L, 0, 0)
    let token = this.token('value')
    if (token.type !== 'T_ARR_END') {
      for (let i = 1; ; i++) {
        this.value(token)
        api.lua_rawseti(L, -2, i)
        token = this.token('comma or array end')
        if (token.type === 'T_ARR_END') break
        if (token.type !== 'T_COMMA') this.unexpected('comma or array end', token)
        token = this.token('value')
      }
    }
    this.depth--
  }

  // ---- tokens

  /** `expected` is what an error says, of the text or of the parser. */
  private token(expected: string): Token {
    this.expected = expected
    const { text } = this
    while (this.at < text.length && isSpace(text[this.at] as number)) this.at++
    this.tokenAt = this.at
    const code = text[this.at]
    if (code === undefined) return { type: 'T_END' }
    const single = singles[String.fromCharCode(code)]
    if (single !== undefined) {
      this.at++
      return { type: single }
    }
    if (code === QUOTE) return this.string()
    const word = this.word()
    if (word !== undefined) return word
    const number = this.number()
    return number ?? this.fail(this.expected, 'invalid token', this.tokenAt)
  }

  private word(): Token | undefined {
    for (const [word, token] of words) {
      if (this.text.toString('latin1', this.at, this.at + word.length) === word) {
        this.at += word.length
        return token
      }
    }
    return undefined
  }

  /** Starts with a digit or a minus; or, when invalid numbers are allowed, with a plus, `i` or `n` as well. */
  private number(): Token | undefined {
    const rest = this.text.toString('latin1', this.at, this.at + NUMBER_MAX)
    const { decodeInvalid } = this.settings
    if (!/^[-0-9]/.test(rest) && !(decodeInvalid && /^(?:\+|[iI][nN][fF]|[nN][aA][nN])/.test(rest))) return undefined
    const found = LOOSE_NUMBER.exec(rest)
    if (found === null || (!decodeInvalid && !isStrict(rest)))
      return this.fail(this.expected, 'invalid number', this.at)
    this.at += found[0].length
    return { type: 'T_NUMBER', value: toNumber(found[0]) }
  }

  private string(): Token {
    const { text } = this
    const start = ++this.at
    let end = start
    while (end < text.length && text[end] !== QUOTE && text[end] !== BACKSLASH && text[end] !== 0) end++
    if (text[end] === QUOTE) {
      this.at = end + 1
      return { type: 'T_STRING', value: text.subarray(start, end) }
    }
    return { type: 'T_STRING', value: this.unescaped(start) }
  }

  private unescaped(start: number): Buffer {
    const { text } = this
    const out: number[] = []
    for (let i = start; ; i++) {
      const code = text[i]
      if (code === undefined || code === 0) return this.fail(this.expected, 'unexpected end of string', i)
      if (code === QUOTE) {
        this.at = i + 1
        return Buffer.from(out)
      }
      if (code !== BACKSLASH) {
        out.push(code)
        continue
      }
      const letter = String.fromCharCode(text[++i] ?? 0)
      if (letter === 'u') {
        i = this.unicode(i, out)
        continue
      }
      const plain = escapes[letter]
      if (plain === undefined) return this.fail(this.expected, 'invalid escape code', i - 1)
      out.push(plain)
    }
  }

  /** `\uXXXX` or a pair of surrogates, at the `u`; answers the index of the last character read. */
  private unicode(at: number, out: number[]): number {
    const hex = (index: number): number => {
      const digits = this.text.toString('latin1', index, index + 4)
      return /^[0-9a-fA-F]{4}$/.test(digits) ? Number.parseInt(digits, 16) : -1
    }
    const first = hex(at + 1)
    const bad = (): never => this.fail(this.expected, 'invalid unicode escape code', at - 1)
    if (first < 0) return bad()
    if ((first & 0xf800) !== 0xd800) {
      out.push(...utf8(first))
      return at + 4
    }
    if ((first & 0x400) !== 0 || this.text[at + 5] !== BACKSLASH || this.text[at + 6] !== 117) return bad()
    const second = hex(at + 7)
    if (second < 0 || (second & 0xfc00) !== 0xdc00) return bad()
    out.push(...utf8(0x10000 + ((first & 0x3ff) << 10) + (second & 0x3ff)))
    return at + 10
  }
}

function utf8(code: number): Buffer {
  return Buffer.from(String.fromCodePoint(code), 'utf8')
}

/** No hexadecimal number, no leading zero, no infinity. */
function isStrict(text: string): boolean {
  return !/^-?(?:0[0-9xX]|[iInN])/.test(text)
}

/** C's strtod, for what the patterns let through. */
function toNumber(text: string): number {
  const lower = text.toLowerCase().replace(/^\+/, '')
  if (/^-?inf/.test(lower)) return lower.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  if (/^-?nan/.test(lower)) return Number.NaN
  const hexadecimal = /^(-?)0x([0-9a-f]*)(?:\.([0-9a-f]*))?(?:p([-+]?\d+))?$/.exec(lower)
  if (hexadecimal === null) return Number(lower)
  const [, sign, whole = '', fraction = '', exponent = '0'] = hexadecimal
  const value = Number.parseInt(`${whole}${fraction}` || '0', 16) * 2 ** (Number(exponent) - 4 * fraction.length)
  return sign === '-' ? -value : value
}

function isSpace(code: number): boolean {
  return code === 32 || code === 9 || code === 10 || code === 13
}

const QUOTE = 34
const BACKSLASH = 92
const NUMBER_MAX = 1100
const LOOSE_NUMBER =
  /^[-+]?(?:0[xX][0-9a-fA-F]+(?:\.[0-9a-fA-F]*)?(?:[pP][-+]?\d+)?|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[iI][nN][fF](?:[iI][nN][iI][tT][yY])?|[nN][aA][nN])/

const singles: Readonly<
  Record<string, 'T_OBJ_BEGIN' | 'T_OBJ_END' | 'T_ARR_BEGIN' | 'T_ARR_END' | 'T_COLON' | 'T_COMMA'>
> = {
  '{': 'T_OBJ_BEGIN',
  '}': 'T_OBJ_END',
  '[': 'T_ARR_BEGIN',
  ']': 'T_ARR_END',
  ':': 'T_COLON',
  ',': 'T_COMMA',
}

const words: readonly (readonly [string, Token])[] = [
  ['true', { type: 'T_BOOLEAN', value: true }],
  ['false', { type: 'T_BOOLEAN', value: false }],
  ['null', { type: 'T_NULL' }],
]

const escapes: Readonly<Record<string, number>> = {
  '"': 34,
  '\\': 92,
  '/': 47,
  b: 8,
  t: 9,
  n: 10,
  f: 12,
  r: 13,
}
