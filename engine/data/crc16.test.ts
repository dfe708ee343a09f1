import { expect, test } from 'vitest'
import { crc16, keyHashSlot } from './crc16.ts'

test('the check value of CRC-16/XMODEM', () => {
  expect(crc16(Buffer.from('123456789'))).toBe(0x31c3)
  expect(crc16(Buffer.from('xx123456789yy'), 2, 11)).toBe(0x31c3)
})

// Answers of CLUSTER KEYSLOT of redis-server 7.0.15.
test.each([
  ['', 0],
  ['foo', 12182],
  ['{foo}bar', 12182],
  ['a{foo}{bar}', 12182],
  ['foo{}{bar}', 8363],
  ['foo{{bar}}zap', 4015],
  ['{user1000}.following', 3443],
])('key %j is in slot %i', (key, slot) => {
  expect(keyHashSlot(Buffer.from(key))).toBe(slot)
  expect(keyHashSlot(Buffer.from(`{${key}}`), 1, 1 + key.length)).toBe(slot)
})
