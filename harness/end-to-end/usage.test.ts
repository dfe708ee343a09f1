/** Wrong usage, as a newcomer would have it: exit status 2 and a sentence that says what to do. */
import { closeSync, existsSync, openSync, readdirSync } from 'node:fs'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { ensureBundle } from '../../bin/bundle.js'
import { withNameService } from '../load/testing/name-service.ts'
import { makeWorkplace, runFaultline } from './testing/command-line.ts'

vi.setConfig({ testTimeout: 60_000 })
const workplace = makeWorkplace()
beforeAll(() => ensureBundle(), 60_000)
afterAll(() => workplace.dispose())

test.for([
  ['an unknown scenario', ['scenario', 'nope'], "There is no scenario 'nope'. There are: cluster/split-brain"],
  [
    'an unknown arm',
    ['scenario', 'split-brain', '--world', 'sim', '--arm', 'x'],
    'Its arms are: unprotected, max-lag-1',
  ],
  ['an unknown world', ['scenario', 'split-brain', '--world', 'moon'], 'Allowed choices are real, sim'],
  ['seeds without the simulator', ['scenario', 'split-brain', '--runs', '5'], 'add --world sim'],
  ['a seed that is no number', ['scenario', 'split-brain', '--seed', 'x1'], "'x1' is not a whole number"],
  ['a missing binary', ['scenario', 'split-brain', '--target', 'redis', '--binary', '/nope'], '/nope is no program'],
  ['a binary without its target', ['scenario', 'split-brain', '--binary', '/nope'], 'add --target redis'],
  ['redis in the simulator', ['scenario', 'split-brain', '--world', 'sim', '--target', 'redis'], 'our own engine only'],
  ['a setting without a value', ['scenario', 'split-brain', '--set', 'foo'], '--set takes name=value'],
  [
    'a setting that every arm has of its own',
    ['scenario', 'perf/encodings', '--set', 'hash-max-listpack-entries=9', '--arm', 'hash-entries'],
    'would change nothing',
  ],
  ['a surplus word', ['scenario', 'split-brain', 'extra'], 'too many arguments'],
  ['an unknown option', ['scenario', 'split-brain', '--bogus'], "unknown option '--bogus'"],
  ['a load on nobody', ['load', '127.0.0.1:1', '-n', '1'], 'Start a server there, or name another'],
  ['a load of an unknown test', ['load', '-t', 'nope'], "There is no test 'nope'. There are: ping"],
  ['a search without an objective', ['load', '--find-max'], 'add --slo p99=5ms'],
  ['a report of nothing', ['report', 'no-such-directory'], 'holds no result.json'],
  ['an unknown bench', ['bench', 'nope'], "unknown command 'nope'"],
  ['a bench of an unknown case', ['bench', 'engine', '--case', 'nope'], 'There is no case nope. Cases: get-p1'],
  ['a Node that is none', ['bench', 'engine', '--node', '/etc'], '/etc is no program that can be run. Give its path'],
  ['a bench of no length', ['bench', 'driver', '--seconds', '0'], '--seconds takes a whole number from 1 to 600'],
  ['structures of an unknown name', ['bench', 'micro', 'nope', '--quick'], "No case has 'nope' in its name"],
  ['a power table without a baseline', ['gate', 'power', '--baseline', 'no.json'], 'There is no baseline in no.json'],
  ['a budget that is no number', ['gate', '--budget', 'x'], 'It must be a number above 0'],
  ['a result that cannot be written', ['scenario', 'split-brain', '--json', 'no/x.json'], 'or name another place'],
  ['a page that cannot be written', ['load', '--report', '.'], 'Cannot write .: it is a directory'],
  ['a summary that cannot be written', ['gate', '--markdown', 'no/x.md'], 'Cannot write no/x.md'],
  [
    'a place where nothing can be written',
    ['scenario', 'split-brain', '--world', 'sim', '--report', '/dev/null/x'],
    'Choose another with --report',
  ],
] as const)('%s is refused', async ([, args, sentence]) => {
  const { status, stderr, stdout } = await runFaultline(args, workplace.path)
  expect(stderr).toContain(sentence)
  expect(stderr).not.toMatch(/\n\s+at /)
  expect(stdout).toBe('')
  expect(status).toBe(2)
})

test('without redis-server on the PATH, --target redis says how to get one', async () => {
  const { status, stderr } = await runFaultline(['scenario', 'split-brain', '--target', 'redis'], workplace.path, {
    PATH: '/nonexistent',
  })
  expect(stderr).toContain('Install one')
  expect(status).toBe(2)
})

test('without a name the scenarios are listed with their claims', async () => {
  const { status, stdout } = await runFaultline(['scenario'], workplace.path)
  expect(stdout).toContain('cluster/split-brain\n    A partition makes two primaries')
  expect(status).toBe(0)
})

test('a load on a name that leads nowhere is refused before anything is measured, and the program ends', async () => {
  const names = makeWorkplace()
  try {
    const options = { NODE_OPTIONS: withNameService(names.path, 'never') }
    const args = ['load', 'db.example:6379', '--duration', '1h']
    const { status, stdout, stderr } = await runFaultline(args, workplace.path, options)
    expect(stderr).toMatch(/^error: The name db\.example leads nowhere: no answer within 4 s/)
    expect(stdout).toBe('')
    expect(status).toBe(2)
  } finally {
    names.dispose()
  }
})

// Anything may be written there, and nothing ever fits.
test.runIf(existsSync('/dev/full'))('output that goes to a full disk is an error and no verdict', async () => {
  const full = openSync('/dev/full', 'w')
  try {
    const { status, stderr } = await runFaultline(['scenario'], workplace.path, {}, full)
    expect(stderr).toBe('error: ENOSPC: no space left on device, write. Make room on the disk, and run it again.\n')
    expect(status).toBe(2)
  } finally {
    closeSync(full)
  }
})

test('wrong usage leaves nothing in the working directory', async () => {
  await runFaultline(['scenario', 'split-brain', '--world', 'sim', '--arm', 'x'], workplace.path)
  expect(readdirSync(workplace.path)).toEqual([])
})
