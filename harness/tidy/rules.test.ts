import { afterAll, expect, test } from 'vitest'
import {
  commentWidth,
  deadCode,
  dependencyDirection,
  engineGlobals,
  engineModules,
  excuse,
  fileLength,
  fileNames,
  openingComment,
  unfinishedWork,
  type Violation,
} from './rules.ts'
import { openParser } from './source.ts'

const parser = openParser()
afterAll(() => parser.close())

/** `path:line` of what a rule finds in planted files. */
function places(violations: readonly Violation[]): string[] {
  return violations.map(({ path, line }) => `${path}:${line}`)
}

const direction = (path: string, text: string) => places(dependencyDirection(parser.parse({ [path]: text })))
const modules = (path: string, text: string) => places(engineModules(parser.parse({ [path]: text })))
const globals = (path: string, text: string) => places(engineGlobals(parser.parse({ [path]: text })))
const unfinished = (path: string, text: string) => places(unfinishedWork(parser.parse({ [path]: text })))

test.each([
  ["import { a } from '../../harness/run/runner.ts'"],
  ["import '../../harness/run/runner.ts'"],
  ["import type { A } from '../../harness/scenario.ts'"],
  ["import * as a from '../../reports/result.ts'"],
  ["export * from '../../harness/scenario.ts'"],
  ["export { a } from '../../reports/result.ts'"],
  ["const a = await import('../../reports/result.ts')"],
  ['const a = await import(`../../reports/result.ts`)'],
  ["let a: import('../../reports/result.ts').Result"],
  ["const a = new URL('../../harness/worker.ts', import.meta.url)"],
  ["const a = require('../../harness/scenario.ts')"],
  ["import { a } from '/engine/io.ts'"],
  ["import { a } from '../../../elsewhere/x.ts'"],
])('the engine must not depend on a sibling: %s', (text) => {
  expect(direction('engine/data/dict.ts', `\n${text}\n`)).toEqual(['engine/data/dict.ts:2'])
  expect(direction('engine/data/dict.test.ts', `\n${text}\n`)).toEqual(['engine/data/dict.test.ts:2'])
})

test('reports import no sibling, harness imports engine and reports but no scenario', () => {
  expect(direction('reports/page.ts', "import { a } from '../engine/io.ts'")).toEqual(['reports/page.ts:1'])
  expect(direction('reports/page.ts', "import { a } from './result.ts'")).toEqual([])
  expect(direction('harness/run/a.ts', "import { a } from '../../scenarios/x/a.ts'")).toEqual(['harness/run/a.ts:1'])
  const text = "import { a } from '../../engine/io.ts'\nimport { b } from '../../reports/result.ts'\nimport 'zod'"
  expect(direction('harness/run/a.ts', text)).toEqual([])
})

test('a scenario imports the public API and nothing else', () => {
  expect(direction('scenarios/x/a.ts', "import { scenario } from '../../harness/scenario.ts'")).toEqual([])
  const others = ["'../../harness/run/runner.ts'", "'../../engine/io.ts'", "'./b.ts'", "'node:fs'", "'zod'"]
  for (const other of others) {
    expect(direction('scenarios/x/a.ts', `import { b } from ${other}`), other).toEqual(['scenarios/x/a.ts:1'])
  }
})

test('an import in a comment, a string or a regular expression is none', () => {
  const text = [
    "// import { a } from '../../harness/scenario.ts'",
    'const text = "import { a } from \'../../harness/scenario.ts\'"',
    'const template = `$' + '{text} import("../../harness/scenario.ts")`',
    "const pattern = /import('..\\/..\\/harness\\/scenario.ts')/",
  ]
  expect(direction('engine/data/dict.ts', text.join('\n'))).toEqual([])
})

test('shipped code must not import test code, tests may', () => {
  const text = "import { oracle } from '../testing/real-redis.ts'"
  expect(direction('engine/data/dict.ts', text)).toEqual(['engine/data/dict.ts:1'])
  expect(direction('engine/data/dict.test.ts', text)).toEqual([])
})

test.each([
  ['node:net'],
  ['node:fs'],
  ['fs'],
  ['node:timers/promises'],
  ['node:perf_hooks'],
  ['node:worker_threads'],
  ['ioredis'],
  ['../node/main.ts'],
])('the engine reaches the outside through Io, not %s', (specifier) => {
  expect(modules('engine/server/a.ts', `import { x } from '${specifier}'`)).toEqual(['engine/server/a.ts:1'])
  expect(modules('engine/server/a.ts', `const x = import('${specifier}')`)).toEqual(['engine/server/a.ts:1'])
  expect(modules('engine/node/a.ts', `import { x } from '${specifier}'`)).toEqual([])
  expect(modules('engine/server/a.test.ts', `import { x } from '${specifier}'`)).toEqual([])
})

test('the engine takes hashes from node:crypto but no randomness', () => {
  expect(modules('engine/server/a.ts', "import { createHash } from 'node:crypto'")).toEqual([])
  const random = ["{ randomBytes } from 'node:crypto'", "* as c from 'node:crypto'", "c from 'node:crypto'"]
  for (const it of [...random, "{ createHash, randomUUID as id } from 'node:crypto'"]) {
    expect(modules('engine/server/a.ts', `import ${it}`), it).toEqual(['engine/server/a.ts:1'])
  }
})

test.each([
  ['const now = Date.now()'],
  ['const now = new Date()'],
  ['type When = Date'],
  ['const x = Math.random()'],
  ['const { random } = Math'],
  ["const x = Math['random']()"],
  ['setTimeout(() => 0, 1)'],
  ['const later = { queueMicrotask }'],
  ['const t = performance.now()'],
  ['process.nextTick(run)'],
  ['console.log(1)'],
  ['globalThis.x = 1'],
  ['async function f() {}'],
  ['const f = async () => 0'],
  ['const x = await y'],
  ['for await (const x of y) z(x)'],
  ['class A { async run() {} }'],
  ['let p: Promise<void>'],
  ['const s = `$' + '{Date.now()}`'],
])('the engine must not use what makes it unrepeatable: %s', (text) => {
  expect([...new Set(globals('engine/server/a.ts', `\n${text}`))]).toEqual(['engine/server/a.ts:2'])
  expect(globals('engine/node/a.ts', text)).toEqual([])
  expect(globals('engine/server/a.test.ts', text)).toEqual([])
  expect(globals('harness/run/a.ts', text)).toEqual([])
})

test('a property, a key, a string or a comment may bear the name of a banned global', () => {
  const text = [
    'client.process(entry.Date)',
    'const row = { process: 1, Date: 2, console() {} }',
    'class Row { performance = 1; get Promise() { return 1 } }',
    'interface Port { setTimeout(run: () => void): void; console: string }',
    "import { process as handle } from './b.ts'",
    'const { Date: date } = row',
    "const text = 'Date.now() async await'; /* Date */ // process",
    'Math.floor(1)',
    'type T = Row.Date',
  ]
  expect(globals('engine/server/a.ts', text.join('\n'))).toEqual([])
})

test('files are named in kebab-case by a noun, and there are no barrels', () => {
  const bad = [
    'engine/data/skipList.ts',
    'engine/data/dict_iterator.ts',
    'engine/Data/dict.ts',
    'engine/string-utils.ts',
  ]
  const empty = ['harness/helpers/a.ts', 'harness/misc.ts', 'harness/run-manager.ts', 'reports/index.ts']
  expect(places(fileNames([...bad, ...empty]))).toEqual([...bad, ...empty].map((path) => `${path}:1`))
  const good = ['README.md', 'LICENSE', 'package-lock.json', 'engine/data/skip-list.test.ts', '.editorconfig']
  expect(fileNames([...good, 'harness/world/sim/README.md', 'reports/trends/rdb-v12.rdb'])).toEqual([])
})

test('nothing is left for later, and no test is hidden', () => {
  const marks = ['TO' + 'DO', 'FIX' + 'ME']
  for (const mark of marks) expect(unfinished('engine/a.ts', `\n// ${mark}: later`)).toEqual(['engine/a.ts:2'])
  const hidden = [
    "test.only('a', f)",
    "describe.only('a', f)",
    "it.skip('a', f)",
    "test.todo('a')",
    "test.each(x).only('a', f)",
  ]
  const bare = ['context.skip()', 'ctx.skip(true)', "test.skipIf(absent)('a', f)", "describe.runIf(present)('a', f)"]
  for (const text of [...hidden, ...bare]) {
    expect(new Set(unfinished('engine/a.test.ts', `\n\n${text}`)), text).toEqual(new Set(['engine/a.test.ts:3']))
  }
})

test('a skip with a reason is allowed, and so is a method called skip', () => {
  const text = [
    "context.skip(absent, 'redis-server is not installed')",
    "context.skip('redis-server is not installed')",
    '// redis-server is not installed everywhere',
    "test.skipIf(absent)('a', f)",
    'reader.skip(4)',
  ]
  expect(unfinished('engine/a.test.ts', text.join('\n'))).toEqual([])
})

test('a file has at most 600 lines, tests aside', () => {
  const lines = (count: number) => 'a()\n'.repeat(count)
  expect(fileLength(parser.parse({ 'engine/a.ts': lines(600), 'engine/a.test.ts': lines(601) }))).toEqual([])
  expect(places(fileLength(parser.parse({ 'engine/a.ts': lines(601) })))).toEqual(['engine/a.ts:601'])
})

test('a line of a comment has at most 120 columns, unless it holds an address', () => {
  const width = (line: string) => places(commentWidth(parser.parse({ 'engine/a.ts': `a()\n${line}\n` })))
  const words = (start: string, columns: number) => start.padEnd(columns, ' x')
  expect(width(words('  // a', 120))).toEqual([])
  expect(width(words('  // a', 121))).toEqual(['engine/a.ts:2'])
  expect(width(`/** ${words('a', 114)} */`)).toEqual(['engine/a.ts:2'])
  expect(width(`/**\n${words(' * a', 121)}\n */`)).toEqual(['engine/a.ts:3'])
  expect(width(words('// see https://example.com/', 121))).toEqual([])
  // A column a character, whatever its bytes.
  expect(width(`// ${'💾'.repeat(117)}`)).toEqual([])
  expect(width(`const text = '${words('// a', 121)}'`)).toEqual([])
})

test('a file starts with a comment', () => {
  const files = { 'engine/a.ts': '/** A thing. */\na()', 'bin/b.js': '#!/usr/bin/env node\n// A launcher.\nb()' }
  expect(openingComment(parser.parse(files))).toEqual([])
  const bare = { 'engine/a.ts': "import './b.ts' // after\n", 'bin/b.js': '#!/usr/bin/env node\nb()' }
  expect(places(openingComment(parser.parse(bare)))).toEqual(['engine/a.ts:1', 'bin/b.js:1'])
})

test('an export that only tests use is dead, and so is a file that nobody imports', () => {
  const found = deadCode(
    parser.parse({
      'harness/cli/main.ts': "import { used } from '../run/a.ts'\nused()",
      'harness/run/a.ts':
        'export function used() { return inner() }\nexport function inner() {}\nexport const tested = 1\nexport type T = 1\nconst late = 1\nexport { late }',
      'harness/run/a.test.ts': "import { tested } from './a.ts'\nimport { b } from './b.ts'",
      'harness/run/b.ts': 'export const b = 1',
    }),
  )
  expect(found.map(({ path, line, message }) => `${path}:${line} ${message}`)).toEqual([
    'harness/run/a.ts:3 nothing shipped uses tested',
    'harness/run/a.ts:4 nothing shipped uses T',
    'harness/run/a.ts:6 nothing shipped uses late',
    'harness/run/b.ts:1 no shipped file imports this one',
  ])
})

test('a namespace import, a dynamic import and a worker URL use a whole file', () => {
  const files = {
    'harness/cli/main.ts':
      "import * as a from '../a.ts'\nconst b = import('../b.ts')\nnew URL('../c.ts', import.meta.url)\nexport { d as e } from '../d.ts'",
    'harness/a.ts': 'export const a = 1',
    'harness/b.ts': 'export const b = 1',
    'harness/c.ts': 'export const c = 1',
    'harness/d.ts': 'export const d = 1',
  }
  expect(deadCode(parser.parse(files))).toEqual([])
})

test('an exception excuses its rule in its place, and becomes a violation once it excuses nothing', () => {
  const violation = { rule: 'file-length', path: 'engine/data/table.ts', line: 700, message: '700 lines' }
  const exception = { rule: 'file-length', path: 'engine/data/table.ts', reason: 'a table' }
  expect(excuse([violation], [exception])).toEqual([])
  expect(excuse([violation], [{ ...exception, path: 'engine/data/' }])).toEqual([])
  expect(excuse([violation], [])).toEqual([violation])
  const stale = excuse([violation], [{ ...exception, rule: 'dead-code' }])
  expect(places(stale)).toEqual(['engine/data/table.ts:700', 'engine/data/table.ts:1'])
})
