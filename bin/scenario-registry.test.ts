import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { scenarioNames } from './scenario-registry.js'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'faultline-registry-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function plant(...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), 'export default {}\n')
  }
}

test('a repository without scenarios has no names', () => {
  expect(scenarioNames(root)).toEqual([])
})

test('a scenario is named by its theme and file, and tests are not scenarios', () => {
  plant('scenarios/lock/expiry.ts', 'scenarios/cluster/split-brain.ts', 'scenarios/cluster/split-brain.test.ts')
  plant('scenarios/loose.ts', 'scenarios/cluster/notes.md')
  expect(scenarioNames(root)).toEqual(['cluster/split-brain', 'lock/expiry'])
})

test('the registry that the tests see is the folder of this repository', async () => {
  const { scenarios } = await import('faultline:scenarios')
  expect(Object.keys(scenarios)).toEqual(scenarioNames(dirname(import.meta.dirname)))
})

test('`?raw` gives the text of a file beside the importer and of a file inside a package', async () => {
  const own: { default: string } = await import('./engine.js?raw')
  const packaged: { default: string } = await import('chart.js/dist/chart.umd.js?raw')
  expect(own.default).toContain("launch('engine')")
  expect(packaged.default).toContain('Chart')
})
