/** cjson, cmsgpack, struct and bit do what they do in redis-server: a table of cases, and random ones. */
import fc from 'fast-check'
import { test } from 'vitest'
import { againstRedis, usePair, type Words } from '../testing/differential.ts'
import { libraries } from './testing/scripts.ts'

/** A string as a Lua literal. */
function literal(bytes: Uint8Array): string {
  return `"${[...bytes].map((byte) => `\\${String(byte).padStart(3, '0')}`).join('')}"`
}

const call = (body: string, ...args: (string | Buffer)[]): Words => ['EVAL', body, '0', ...args]

againstRedis('libraries of scripts', () => {
  const pair = usePair()

  test('known cases of encodings, settings, limits and errors', async () => {
    const scripts = libraries.split('\n').filter((line) => line !== '')
    await pair().same(scripts.map((script) => ['EVAL', script, '0']))
  })

  test('cjson decodes and encodes any JSON alike, and any text that is not JSON', async () => {
    const round = 'local ok, v = pcall(cjson.decode, ARGV[1]) if not ok then return v end return cjson.encode({v})'
    const json = fc.json({ maxDepth: 4 })
    const nearly = fc.string({ unit: fc.constantFrom(...'{}[]",:0123456789.-+eEtrufalsn\\ \n'), maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(json, nearly), { minLength: 20, maxLength: 40 }), async (texts) => {
        await pair().same(texts.map((text) => call(round, text)))
      }),
      { numRuns: 15 },
    )
  })

  test('cmsgpack packs numbers and strings alike, and reads any bytes alike', async () => {
    const value = fc.oneof(
      fc.double().map((number) => `cmsgpack.unpack(${literal(packedDouble(number))})`),
      fc.maxSafeInteger().map(String),
      fc.uint8Array({ maxLength: 40 }).map(literal),
    )
    const packing = fc
      .array(value, { minLength: 1, maxLength: 5 })
      .map((values) => call(`return cmsgpack.pack({${values}})`))
    const body = 'return {pcall(function() return cmsgpack.pack(cmsgpack.unpack(ARGV[1])) end)}'
    const reading = fc.uint8Array({ minLength: 1, maxLength: 24 }).map((bytes) => call(body, Buffer.from(bytes)))
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(packing, reading), { minLength: 20, maxLength: 40 }), (commands) =>
        pair().same(commands),
      ),
      { numRuns: 15 },
    )
  })

  test('struct packs and unpacks alike in all sizes, orders and alignments', async () => {
    const option = fc.constantFrom('b', 'B', 'h', 'H', 'l', 'L', 'T', 'i', 'I', 'i2', 'I3', 'i8', 'f', 'd', 'x')
    const control = fc.constantFrom('<', '>', '!', '!2', '!4', ' ')
    const format = fc.array(fc.oneof({ weight: 3, arbitrary: option }, { weight: 1, arbitrary: control }), {
      maxLength: 8,
    })
    const numbers = fc.array(fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.constantFrom(0, -1, 255, 1.5)), {
      minLength: 8,
      maxLength: 8,
    })
    const body = `local n = {} for i = 2, #ARGV do n[#n+1] = tonumber(ARGV[i]) end
      local p = struct.pack(ARGV[1], unpack(n)) local r = {struct.unpack(ARGV[1], p)}
      for i = 1, #r do r[i] = string.format('%.17g', r[i]) end return {p, struct.size(ARGV[1]), r}`
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(format, numbers), { minLength: 20, maxLength: 40 }), (cases) =>
        pair().same(cases.map(([options, values]) => call(body, options.join(''), ...values.map(String)))),
      ),
      { numRuns: 15 },
    )
  })

  test('bit works on any number alike', async () => {
    const body = `local a, b = tonumber(ARGV[1]), tonumber(ARGV[2])
      return {bit.tobit(a), bit.bnot(a), bit.bswap(a), bit.band(a,b), bit.bor(a,b), bit.bxor(a,b), bit.lshift(a,b),
        bit.rshift(a,b), bit.arshift(a,b), bit.rol(a,b), bit.ror(a,b), bit.tohex(a,b), bit.tohex(a)}`
    const number = fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.double({ min: -1e10, max: 1e10, noNaN: true }))
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(number, number), { minLength: 20, maxLength: 40 }), (cases) =>
        pair().same(cases.map(([a, b]) => call(body, String(a), String(b)))),
      ),
      { numRuns: 15 },
    )
  })
})

/** MessagePack's float 64. */
function packedDouble(value: number): Buffer {
  const bytes = Buffer.alloc(9)
  bytes[0] = 0xcb
  bytes.writeDoubleBE(value, 1)
  return bytes
}
