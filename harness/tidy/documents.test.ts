import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { repositoryRoot } from '../../bin/bundle.js'
import { anchorsOf, brokenLinks, listDocuments, unknownScripts } from './documents.ts'

function scriptNames(): string[] {
  return Object.keys(JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')).scripts)
}

test('every relative link in the documents leads to a file and a heading', () => {
  expect(listDocuments(repositoryRoot).flatMap((path) => brokenLinks(repositoryRoot, path))).toEqual([])
})

test('every npm command in the documents is a script of package.json', () => {
  const unknown = listDocuments(repositoryRoot).flatMap((path) =>
    unknownScripts(readFileSync(join(repositoryRoot, path), 'utf8'), scriptNames()).map((name) => `${path}: ${name}`),
  )
  expect(unknown).toEqual([])
})

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'faultline-documents-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function plant(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

test('links that lead somewhere are accepted, in every form', () => {
  plant('docs/guide.md', '# Guide\n## The *first* step: `run`\n[up](../README.md#start) [own](#guide)')
  plant('docs/a b.png', '')
  plant(
    'README.md',
    [
      '# Start',
      '[guide](docs/guide.md) [folder](docs/) [titled](docs/guide.md "The guide") [from root](/docs/guide.md)',
      '[step](docs/guide.md#the-first-step-run) [space](docs/a%20b.png) ![image](<docs/guide.md>)',
      '[elsewhere](https://example.org/x) [mail](mailto:a@example.org) [by name][guide]',
      '',
      '[guide]: docs/guide.md',
      '<img src="docs/a%20b.png"> `[code](none.md)`',
      '```md',
      '[code](none.md)',
      '```',
    ].join('\n'),
  )
  expect(listDocuments(root)).toEqual(['README.md', join('docs', 'guide.md')])
  expect(listDocuments(root).flatMap((path) => brokenLinks(root, path))).toEqual([])
})

test('a link that leads nowhere is caught, in every form', () => {
  plant('docs/guide.md', '# Guide')
  plant(
    'README.md',
    [
      '[a](none.md)',
      '![b](docs/none.png)',
      '[c][c]',
      '[c]: none-c.md',
      '<img src="none-d.png">',
      '[e](#none) [f](docs/guide.md#none)',
      '',
      '```',
      'x',
      '```',
      '[g](none-g.md)',
    ].join('\n'),
  )
  expect(brokenLinks(root, 'README.md').sort()).toEqual(
    [
      'README.md:11 none-g.md: there is no such file',
      'README.md:1 none.md: there is no such file',
      'README.md:2 docs/none.png: there is no such file',
      'README.md:4 none-c.md: there is no such file',
      'README.md:5 none-d.png: there is no such file',
      'README.md:6 #none: there is no such heading',
      'README.md:6 docs/guide.md#none: there is no such heading',
    ].sort(),
  )
})

test('headings that repeat get numbered anchors', () => {
  expect([...anchorsOf('# Run it\n## Run it\n```\n# no heading\n```\n<a id="own"></a>')]).toEqual([
    'run-it',
    'run-it-1',
    'own',
  ])
})

test('an npm command that is no script is caught', () => {
  const text =
    'Run `npm run scenario split-brain -- --world sim`, `npm test`.\n```\nnpm run -s lost\nnpm start\nnpm ci\n```'
  expect(unknownScripts(text, ['scenario', 'test'])).toEqual(['lost', 'start'])
  expect(unknownScripts(text, ['scenario', 'test', 'lost', 'start'])).toEqual([])
})
