import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { randomFromText } from '../../engine/data/random.ts'
import { encodeRequest } from '../../engine/resp/request.ts'
import { compileCommand, type Draws } from './command-shape.ts'
import { createNumberSource } from './key-distribution.ts'
import type { NumberSpec } from './load-spec.ts'

const VALUE = Buffer.from('abcdefghij'.repeat(40))

function drawsOf(ids: readonly number[], valueBytes: NumberSpec = { kind: 'fixed', value: 3 }): Draws {
  let next = 0
  return {
    ids: { next: () => ids[next++ % ids.length]! },
    uniformIds: { next: () => 7 },
    valueBytes: createNumberSource(valueBytes, randomFromText('v')),
    ttlSeconds: () => 90,
    lastId: 0,
    sequence: 41,
    wallUs: () => 1_700_000_000_123_456,
  }
}

function encode(words: readonly string[], draws: Draws, fixedValueBytes: number | null = 3): string {
  const shape = compileCommand([words], {
    keyPrefix: 'k:',
    idDigits: 12,
    valueBytesMax: 400,
    fixedValueBytes: fixedValueBytes ?? undefined,
    valueText: VALUE,
  })
  const target = Buffer.alloc(shape.maxBytes + 10, '#')
  const end = shape.encode(target, 5, draws)
  expect(end).toBeLessThanOrEqual(5 + shape.maxBytes)
  expect(target.toString('latin1', end)).toMatch(/^#*$/)
  return target.toString('latin1', 5, end)
}

const request = (...words: string[]): string => encodeRequest(words).toString('latin1')

describe('requests from words with placeholders', () => {
  it('draws every key anew, and repeats it where asked', () => {
    expect(encode(['MSET', '__key__', '__data__', '{__id__}:a', '{__again__}:b', '__seq__'], drawsOf([5, 6]))).toBe(
      request('MSET', 'k:000000000005', 'abc', '{000000000006}:a', '{000000000006}:b', '000000000041'),
    )
    expect(encode(['GET', 'x__rand_int__y'], drawsOf([5]))).toBe(request('GET', 'x000000000007y'))
  })

  it('writes the time, and a second request behind the first', () => {
    expect(encode(['PUBLISH', 'c', '__time__ x'], drawsOf([5]))).toBe(request('PUBLISH', 'c', '1700000000123456 x'))
    for (const fixedValueBytes of [3, undefined]) {
      const options = { keyPrefix: 'k:', idDigits: 5, valueBytesMax: 3, fixedValueBytes, valueText: VALUE }
      const shape = compileCommand(
        [
          ['SET', '__key__', '__data__'],
          ['WAIT', '1', '100'],
        ],
        options,
      )
      const target = Buffer.alloc(shape.maxBytes)
      const end = shape.encode(target, 0, drawsOf([1]))
      const both = request('SET', 'k:000000000001', 'abc') + request('WAIT', '1', '100')
      expect(target.toString('latin1', 0, end)).toBe(both)
    }
  })

  it('leaves words without placeholders as they are, UTF-8 included', () => {
    expect(encode(['SET', 'schlüssel', '__other__'], drawsOf([1]))).toBe(
      Buffer.from(encodeRequest(['SET', 'schlüssel', '__other__'])).toString('latin1'),
    )
  })

  it('writes any id of twelve digits', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999_999_999_999 }), (id) => {
        expect(encode(['GET', '__key__'], drawsOf([id]))).toBe(request('GET', `k:${String(id).padStart(12, '0')}`))
      }),
    )
  })

  it('overwrites the ids of an earlier request', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 99_999 }), { minLength: 4, maxLength: 4 }), (ids) => {
        const options = { keyPrefix: 'k:', idDigits: 5, valueBytesMax: 3, fixedValueBytes: 3, valueText: VALUE }
        const shape = compileCommand([['MSET', '__key__', '__data__', 'x__id__', '__seq__']], options)
        expect(shape.isFixed).toBe(true)
        const draws = drawsOf(ids)
        const target = Buffer.alloc(shape.maxBytes)
        shape.encode(target, 0, draws)
        shape.overwrite(target, 0, draws)
        const [key, id] = ids.slice(2).map((value) => String(value).padStart(12, '0'))
        expect(target.toString('latin1')).toBe(request('MSET', `k:${key}`, 'abc', `x${id}`, '000000000042'))
      }),
    )
  })

  it('counts the length of what is drawn', () => {
    const draws = drawsOf([3], { kind: 'uniform', low: 0, high: 400 })
    const lengths = new Set<number>()
    for (let i = 0; i < 50; i++) {
      const text = encode(['SET', '__key__', 'v=__data__', 'EX', '__ttl__'], draws, null)
      const value = /v=([a-j]*)\r\n/.exec(text)![1]!
      lengths.add(value.length)
      expect(text).toBe(request('SET', 'k:000000000003', `v=${value}`, 'EX', '90'))
    }
    expect(lengths.size).toBeGreaterThan(20)
  })
})
