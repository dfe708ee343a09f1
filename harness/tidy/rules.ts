/**
 * The house rules as functions from sources to violations. `tidy.test.ts` applies them to this repository and
 * `rules.test.ts` shows each of them catching what it is there to catch. The rules are those of ARCHITECTURE.md:
 * dependencies point one way (`scenarios → harness → {engine, reports}`), the engine reaches the outside through its
 * Io port only, and names, comments and tests follow the house style.
 */
import { posix } from 'node:path'
import type { Exception } from './exceptions.ts'
import type { Mention, Source } from './source.ts'

export interface Violation {
  rule: string
  path: string
  line: number
  /** What is wrong and what to do instead. */
  message: string
}

type Rule = (sources: readonly Source[]) => Violation[]

/**
 * Tests, benchmarks and what they share (`testing/` folders, the Io contract suite, these rules) may do what shipped
 * code may not.
 */
const isForTests = (path: string): boolean =>
  /\.(test|bench)\.ts$|(^|\/)testing\/|^engine\/io-contract\/|^harness\/tidy\//.test(path)
const isSansIo = (path: string): boolean =>
  path.startsWith('engine/') && !path.startsWith('engine/node/') && !isForTests(path)

/** Folder → folders that its files may import, itself included. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  scenarios: ['harness'],
  harness: ['harness', 'engine', 'reports', 'bin'],
  engine: ['engine'],
  reports: ['reports'],
  bin: ['bin'],
}

/** Node modules that compute and touch nothing outside. */
const pureNodeModules = [
  'node:assert',
  'node:assert/strict',
  'node:buffer',
  'node:crypto',
  'node:string_decoder',
  'node:zlib',
]
/** Packages that compute and touch nothing outside. */
const purePackages = ['wasmoon-lua5.1']
const randomFromCrypto = [
  'randomBytes',
  'randomFill',
  'randomFillSync',
  'randomInt',
  'randomUUID',
  'getRandomValues',
  'webcrypto',
]

/** Global → what the engine uses instead. */
const bannedGlobals: Readonly<Record<string, string>> = {
  Date: 'io.clock',
  performance: 'io.clock',
  setTimeout: 'io.timers',
  setInterval: 'io.timers',
  setImmediate: 'io.timers',
  clearTimeout: 'io.timers',
  clearInterval: 'io.timers',
  clearImmediate: 'io.timers',
  queueMicrotask: 'io.timers',
  Promise: 'callbacks: execution is synchronous',
  process: 'the configuration or Io',
  console: 'the log of the server',
  crypto: 'io.random, or hashes from node:crypto',
  fetch: 'io.network',
  WebSocket: 'io.network',
  require: 'import',
  globalThis: 'the name itself',
  global: 'the name itself',
}

const isRelative = (specifier: string) => /^\.\.?\//.test(specifier)
/** Path of the file that a relative specifier means, from the repository's root. */
const targetOf = (source: Source, specifier: string) =>
  posix.normalize(posix.join(posix.dirname(source.path), specifier.replace(/\?raw$/, '')))
const folderOf = (path: string) => path.split('/')[0] ?? ''

/**
 * `scenarios → harness → {engine, reports}`; a scenario sees nothing but the public API; nothing shipped leans on test
 * code.
 */
export const dependencyDirection: Rule = (sources) =>
  sources.flatMap((source) =>
    source.imports.flatMap(({ specifier, line }) => {
      const violation = (message: string) => [{ rule: 'dependency-direction', path: source.path, line, message }]
      const folder = folderOf(source.path)
      const allowed = mayImport[folder]
      if (allowed === undefined) return []
      if (folder === 'scenarios' && !isForTests(source.path)) {
        const isPublic = isRelative(specifier) && targetOf(source, specifier) === 'harness/scenario.ts'
        return isPublic ? [] : violation(`a scenario imports harness/scenario.ts and nothing else, not ${specifier}`)
      }
      if (specifier === 'faultline:scenarios') {
        return folder === 'harness' || folder === 'bin' ? [] : violation('only harness/ loads the scenario registry')
      }
      if (!isRelative(specifier)) {
        return /^[/]|^file:/.test(specifier) ? violation(`import by relative path, not ${specifier}`) : []
      }
      const target = targetOf(source, specifier)
      if (target.startsWith('node_modules/')) return violation(`import a package by its name, not ${specifier}`)
      const known = folderOf(target) in mayImport || target.startsWith('..')
      if (known && !allowed.includes(folderOf(target))) {
        return violation(`${folder}/ must not import ${target}: scenarios → harness → {engine, reports}`)
      }
      if (isForTests(target) && !isForTests(source.path))
        return violation(`shipped code must not import the test code ${target}`)
      return []
    }),
  )

/** Outside engine/node/, the engine imports only modules that compute; everything else comes through Io. */
export const engineModules: Rule = (sources) =>
  sources
    .filter((source) => isSansIo(source.path))
    .flatMap((source) =>
      source.imports.flatMap(({ specifier, names, line }) => {
        const violation = (message: string) => [{ rule: 'engine-modules', path: source.path, line, message }]
        if (isRelative(specifier)) {
          const target = targetOf(source, specifier)
          return target.startsWith('engine/node/') ? violation(`only engine/node/ knows ${target}; take an Io`) : []
        }
        if (specifier === 'node:crypto' || specifier === 'crypto') {
          const random = names === 'all' ? randomFromCrypto : names.filter((name) => randomFromCrypto.includes(name))
          if (names === 'all' || names.includes('default')) return violation('import hashes from node:crypto by name')
          return random.length > 0 ? violation(`use io.random instead of ${random.join(', ')}`) : []
        }
        const pure = pureNodeModules.includes(specifier) || purePackages.includes(specifier)
        return pure ? [] : violation(`${specifier} reaches outside; go through Io (engine/io.ts)`)
      }),
    )

/** Outside engine/node/, the engine reads no clock, timer, random source, process or console, and makes no promise. */
export const engineGlobals: Rule = (sources) =>
  sources
    .filter((source) => isSansIo(source.path))
    .flatMap((source) => {
      const violation = ({ name, line }: Mention, instead: string) => {
        return { rule: 'engine-globals', path: source.path, line, message: `${name} is banned here; use ${instead}` }
      }
      return [
        ...source.names.flatMap((mention) => {
          const instead = Object.hasOwn(bannedGlobals, mention.name) ? bannedGlobals[mention.name] : undefined
          return instead === undefined ? [] : [violation(mention, instead)]
        }),
        ...source.members.filter(({ name }) => name === 'Math.random').map((it) => violation(it, 'io.random')),
        ...source.bareNames
          .filter(({ name }) => name === 'Math')
          .map((it) => violation(it, 'Math.<function> directly')),
        ...source.asyncLines.map((line) =>
          violation({ name: 'async/await', line }, 'callbacks: execution is synchronous'),
        ),
      ]
    })

const emptyNames = ['util', 'utils', 'helper', 'helpers', 'manager', 'misc']
const fileNamePattern = /^\.?[a-z0-9]+([-.][a-z0-9]+)*$/
const documents = /^(LICENSE|[A-Z]+\.md)$/

/** Names of files and folders: kebab-case, nouns of the domain, no barrels. `paths` are all files, not only sources. */
export function fileNames(paths: readonly string[]): Violation[] {
  return paths.flatMap((path) => {
    const violation = (message: string) => [{ rule: 'file-names', path, line: 1, message }]
    const parts = path.split('/')
    const file = parts.at(-1) ?? ''
    if (parts.length === 1 && documents.test(file)) return []
    const odd = parts.find((part) => !fileNamePattern.test(part) && part !== 'README.md')
    if (odd !== undefined) return violation(`${odd} is not in kebab-case`)
    const words = parts.flatMap((part) => part.split(/[-.]/))
    const empty = words.find((word) => emptyNames.includes(word))
    if (empty !== undefined) return violation(`"${empty}" says nothing; name the noun that the file is about`)
    return /^index\.[jt]s$/.test(file) ? violation('no barrels: import from the file that defines the name') : []
  })
}

const lineAt = (text: string, offset: number) => text.slice(0, offset).split('\n').length
const unfinished = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME'].join('|')})\\b`, 'g')

/** Nothing that is left for later, and no test that only runs, or never runs, for its author. */
export const unfinishedWork: Rule = (sources) =>
  sources.flatMap((source) => {
    const violation = (line: number, message: string) => ({ rule: 'unfinished-work', path: source.path, line, message })
    const marks = [...source.text.matchAll(unfinished)].map((match) =>
      violation(lineAt(source.text, match.index), `${match[0]}: finish it, or write it down where users will find it`),
    )
    const calls = source.calls.flatMap(({ name, line, literals }) => {
      const parts = name.split('.')
      const [first = '', last = ''] = [parts[0] ?? '', parts.at(-1) ?? '']
      const onSuite = /^(test|it|describe|suite|bench)(\(\))?$/.test(first)
      if (onSuite && parts.some((part) => /^only(\(\))?$/.test(part)))
        return [violation(line, `${name} hides every other test`)]
      if (onSuite && parts.some((part) => /^(skip|todo|fails)(\(\))?$/.test(part))) {
        return [violation(line, `${name} has no reason: call context.skip(condition, 'reason') inside the test`)]
      }
      const onContext = /^(context|ctx|t|skip)$/.test(first) && last === 'skip'
      if (onContext && literals.length < 2 && (literals[0] ?? '').length < 10) {
        return [violation(line, `${name} must say why: skip(condition, 'reason')`)]
      }
      const conditional = onSuite && /^(skipIf|runIf)$/.test(last)
      return conditional && !hasCommentAt(source.text, line)
        ? [violation(line, `${name} must say why in a comment on the line above`)]
        : []
    })
    return [...marks, ...calls]
  })

/** Whether the line, or the one above it, has a `//` comment or ends a block comment. */
function hasCommentAt(text: string, line: number): boolean {
  const [above = '', own = ''] = text.split('\n').slice(Math.max(0, line - 2), line)
  return [above, own].some((it) => /\/\/ .{10}|\*\//.test(it))
}

const linesMax = 600

/** A file fits in one reading: at most 600 lines. Tests are exempt; tables are listed as exceptions. */
export const fileLength: Rule = (sources) =>
  sources
    .filter((source) => !isForTests(source.path))
    .flatMap((source) => {
      const lines = source.text.split('\n').length - 1
      if (lines <= linesMax) return []
      const message = `${lines} lines; split it by noun at ${linesMax}, or list it as a table with a reason`
      return [{ rule: 'file-length', path: source.path, line: lines, message }]
    })

const columnsMax = 120

/** A comment is no wider than code, for which the formatter sees to it. An address is never broken. */
export const commentWidth: Rule = (sources) =>
  sources.flatMap(({ path, text }) =>
    text.split('\n').flatMap((content, index) => {
      const columns = [...content].length
      if (columns <= columnsMax || !/^\s*(\/\/|\/?\*)/.test(content) || /\w:\/\//.test(content)) return []
      const message = `a comment of ${columns} columns; break the line at ${columnsMax}`
      return [{ rule: 'comment-width', path, line: index + 1, message }]
    }),
  )

/** A file begins by saying what it is and why it is so. */
export const openingComment: Rule = (sources) =>
  sources
    .filter((source) => !isForTests(source.path) && folderOf(source.path) !== 'scenarios' && source.path.includes('/'))
    .filter((source) => !/^(#!.*\n)?\s*\/[/*]/.test(source.text))
    .map((source) => {
      const message = 'start the file with a comment: what it is and why it is so'
      return { rule: 'opening-comment', path: source.path, line: 1, message }
    })

/** Files that are started from outside or are an API for others; their exports need no importer. */
const isEntry = (path: string) =>
  /^(bin\/[^/]+\.js|harness\/cli\/main\.ts|engine\/node\/main\.ts|harness\/scenario\.ts|[^/]+\.config\.ts)$/.test(
    path,
  ) ||
  path.startsWith('scenarios/') ||
  path.endsWith('.d.ts') ||
  isForTests(path)

/** No dead code: a shipped file is imported, and a name it exports is used, by shipped code. */
export const deadCode: Rule = (sources) => {
  const usedNames = new Map<string, Set<string> | 'all'>()
  for (const source of sources.filter(({ path }) => !isForTests(path))) {
    for (const { specifier, names } of source.imports.filter((it) => isRelative(it.specifier))) {
      const target = targetOf(source, specifier)
      const before = usedNames.get(target)
      if (names === 'all' || before === 'all') usedNames.set(target, 'all')
      else usedNames.set(target, new Set([...(before ?? []), ...names]))
    }
  }
  return sources
    .filter(({ path }) => !isEntry(path))
    .flatMap(({ path, exports }) => {
      const used = usedNames.get(path)
      const violation = (line: number, message: string) => ({ rule: 'dead-code', path, line, message })
      if (used === undefined) return [violation(1, 'no shipped file imports this one')]
      if (used === 'all') return []
      return exports
        .filter(({ name, usedInFile }) => name !== '*' && !usedInFile && !used.has(name))
        .map(({ name, line }) => violation(line, `nothing shipped uses ${name}`))
    })
}

/** Every rule over every file. `paths` are all files of the repository, `sources` those that hold code. */
export function violationsOf(paths: readonly string[], sources: readonly Source[]): Violation[] {
  const rules = [
    dependencyDirection,
    engineModules,
    engineGlobals,
    unfinishedWork,
    fileLength,
    commentWidth,
    openingComment,
    deadCode,
  ]
  return [...fileNames(paths), ...rules.flatMap((rule) => rule(sources))]
}

/** Take out what is excused; an exception that excuses nothing becomes a violation in its turn. */
export function excuse(violations: readonly Violation[], exceptions: readonly Exception[]): Violation[] {
  const covers = (exception: Exception, { rule, path }: Violation) =>
    rule === exception.rule &&
    (exception.path.endsWith('/') ? path.startsWith(exception.path) : path === exception.path)
  const stale = exceptions
    .filter((exception) => !violations.some((violation) => covers(exception, violation)))
    .map(({ rule, path }) => ({ rule, path, line: 1, message: 'this exception excuses nothing any more; remove it' }))
  const left = violations.filter((violation) => !exceptions.some((exception) => covers(exception, violation)))
  return [...left, ...stale]
}

/** One line a violation, in the form that editors and terminals turn into a link. */
export function describeViolations(violations: readonly Violation[]): string {
  return violations.map(({ rule, path, line, message }) => `${path}:${line} ${rule}: ${message}`).join('\n')
}
