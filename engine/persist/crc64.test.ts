import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Crc64 } from './crc64.ts'

/** The definition, bit by bit, in big integers. */
function reference(bytes: Uint8Array): string {
  let crc = 0n
  for (const byte of bytes) {
    crc ^= BigInt(byte)
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0x95ac9329ac4bc9b5n : crc >> 1n
  }
  return crc.toString(16).padStart(16, '0')
}

test('gives the check value of the algorithm', () => {
  const crc = new Crc64()
  crc.update(Buffer.from('123456789'))
  expect(crc.hex()).toBe('e9c6d914c4b8d9ca')
})

test('agrees with the definition, however the bytes are cut', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }), (parts) => {
      const crc = new Crc64()
      for (const part of parts) crc.update(part)
      expect(crc.hex()).toBe(reference(Buffer.concat(parts)))
    }),
  )
})
