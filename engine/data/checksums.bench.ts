/** What is computed over bytes: hash slots, checksums of RDB files, keyed hashes, glob patterns. */
import type { Bench } from 'tinybench'
import { Crc64 } from '../persist/crc64.ts'
import { crc16 } from './crc16.ts'
import { globMatch } from './glob.ts'
import { keyedHash } from './keyed-hash.ts'

export function addCases(bench: Bench): void {
  const key = Buffer.from('key:000000012345')
  const large = Buffer.alloc(64 * 1024, 'x')
  const pattern = Buffer.from('key:*[0-9]?45')
  bench
    .add('CRC16 of 16 bytes', () => crc16(key))
    .add('CRC64 of 64 KB', () => new Crc64().update(large))
    .add('keyed hash of 16 bytes', () => keyedHash(1, 2, key, 0, key.length))
    .add('glob with two stars and a class on 16 bytes', () => globMatch(pattern, key))
}
