import { expect, test } from 'vitest'
import type { Command } from '../commands/command.ts'
import { slowDownFromEnvironment } from './busy-loop.ts'

function row(name: string, run: Command['run'], subcommands?: Command[]): Command {
  return { name, arity: 1, flags: [], run, subcommands } as unknown as Command
}

test('without the variable, or with one that is no number above 0, commands stay as they are', () => {
  const run = () => {}
  const command = row('ping', run)
  for (const value of [undefined, '', '0', '-5', 'much']) {
    slowDownFromEnvironment([command], { FAULTLINE_BUSY_NS: value })
    expect(command.run).toBe(run)
  }
})

test('with it a command costs so much more CPU time, and still runs once, subcommands too', () => {
  let calls = 0
  const run: Command['run'] = () => {
    calls++
  }
  const sub = row('get', run)
  const command = row('config', run, [sub])
  slowDownFromEnvironment([command], { FAULTLINE_BUSY_NS: '5000000' })
  const context = undefined as never
  const args = undefined as never
  const before = process.cpuUsage()
  for (let i = 0; i < 20; i++) {
    command.run?.(context, args)
    sub.run?.(context, args)
  }
  const { user, system } = process.cpuUsage(before)
  expect(calls).toBe(40)
  // 40 × 5 ms; a neighbour during calibration makes the loop shorter, never longer than asked for.
  expect(user + system).toBeGreaterThan(40_000)
})
