/**
 * The contract suite of `engine/io.ts`: each implementation runs it, by one call from a test file of its own.
 *
 * Every promise of the port has a test here. The suite knows no implementation: it gets a world of two nodes and lets
 * time pass through it, so that the same tests hold for real sockets and for virtual time.
 */

import { describe } from 'vitest'
import { addressContract } from './addresses.ts'
import { diskContract } from './disks.ts'
import { streamContract } from './streams.ts'
import { timeContract } from './times.ts'
import type { MakeWorld } from './world.ts'

export function ioContract(name: string, makeWorld: MakeWorld): void {
  describe(`the Io contract, ${name}`, () => {
    describe('streams', () => streamContract(makeWorld))
    describe('addresses', () => addressContract(makeWorld))
    describe('disk', () => diskContract(makeWorld))
    describe('time and chance', () => timeContract(makeWorld))
  })
}
