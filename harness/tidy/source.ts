/**
 * What the house rules need to know about a source file, as plain data: its imports, exports, names and calls.
 *
 * The facts come from TypeScript's own parser, not from patterns over text, so that a name inside a string, a comment
 * or a property (`entry.process`) is never taken for the global. TypeScript 7 offers its parser under
 * `typescript/unstable/*`; this is the only file that touches it, and the version is pinned. The files are handed over
 * in memory with `noResolve`, so that planted sources in a test are read in exactly the way of the real ones.
 */
import { type Dirent, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import {
  type CallExpression,
  type ExportDeclaration,
  getTokenPosOfNode,
  type Identifier,
  type ImportDeclaration,
  type Node,
  type SourceFile,
  SyntaxKind,
} from 'typescript/unstable/ast'
import * as is from 'typescript/unstable/ast/is'
import { API } from 'typescript/unstable/sync'

/**
 * One dependency on another module, however it is written: import, export-from, `import()`, `import type`, `new URL`.
 */
export interface Import {
  specifier: string
  /** Names taken from the module (`default` for the default export), or `all` for a namespace or `import()`. */
  names: readonly string[] | 'all'
  line: number
}

/** A name at a line. */
export interface Mention {
  name: string
  line: number
}

export interface Export extends Mention {
  /** Whether the file itself mentions the name apart from declaring and exporting it. */
  usedInFile: boolean
}

export interface Call extends Mention {
  /** `name` is the dotted callee, such as `test.skip`. The arguments that are string literals, others as undefined. */
  literals: readonly (string | undefined)[]
}

export interface Source {
  /** Path from the repository's root, with `/`. */
  path: string
  text: string
  imports: readonly Import[]
  exports: readonly Export[]
  /** Identifiers that stand for a variable or a type; property names are not among them. */
  names: readonly Mention[]
  /** Dotted accesses on a plain name, such as `Math.random`. */
  members: readonly Mention[]
  /** Names used otherwise than as the left side of a dot: `const { random } = Math`. */
  bareNames: readonly Mention[]
  /** Lines with `async` or `await`. */
  asyncLines: readonly number[]
  calls: readonly Call[]
}

type Facts = { -readonly [key in keyof Source]: Source[key] extends readonly (infer T)[] ? T[] : Source[key] }

const sourceFolders = ['bin', 'engine', 'harness', 'scenarios', 'reports']
const isSourceFile = (name: string) => /\.(ts|js|mjs|cjs)$/.test(name)

/** Every file (source or not) in the source folders, plus the files at the root, as paths from the root. */
export function listFiles(root: string): string[] {
  const walk = (folder: string): string[] =>
    readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry: Dirent) =>
      entry.isDirectory() ? walk(posix.join(folder, entry.name)) : [posix.join(folder, entry.name)],
    )
  const atRoot = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isFile())
  const folders = sourceFolders.filter((folder) => existsSync(join(root, folder)))
  return [...atRoot.map((entry) => entry.name), ...folders.flatMap(walk)].sort()
}

/** The facts about every TypeScript and JavaScript file of the repository at `root`. */
export function readSources(root: string): Source[] {
  const paths = listFiles(root).filter(isSourceFile)
  const parser = openParser()
  try {
    return parser.parse(Object.fromEntries(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')])))
  } finally {
    parser.close()
  }
}

/** A running parser: a process of its own, to be closed. */
export interface Parser {
  /** The facts about the given files: path → text. Throws when the parser does not return one of them. */
  parse(files: Readonly<Record<string, string>>): Source[]
  close(): void
}

/** Start TypeScript's parser. Every call of `parse` sees only the files handed to it. */
export function openParser(): Parser {
  const compilerOptions = { noLib: true, noResolve: true, allowJs: true, types: [], module: 'esnext', target: 'esnext' }
  let folders = 0
  let contents: Record<string, string> = {}
  const api = new API({
    cwd: '/',
    fs: {
      readFile: (path) => contents[path] ?? null,
      fileExists: (path) => Object.hasOwn(contents, path),
      directoryExists: () => true,
      getAccessibleEntries: () => ({ files: [], directories: [] }),
      realpath: (path) => path,
    },
  })

  function parse(files: Readonly<Record<string, string>>): Source[] {
    const folder = `/repository-${folders++}`
    const project = `${folder}/tsconfig.json`
    contents = { [project]: JSON.stringify({ compilerOptions, files: Object.keys(files) }) }
    for (const [path, text] of Object.entries(files)) contents[`${folder}/${path}`] = text
    const snapshot = api.updateSnapshot({ openProjects: [project] })
    const program = snapshot.getProjects().find(({ configFileName }) => configFileName === project)?.program
    return Object.entries(files).map(([path, text]) => {
      const file = program?.getSourceFile(`${folder}/${path}`)
      if (file === undefined) throw new Error(`The TypeScript parser gave no syntax tree for ${path}`)
      return gatherFacts(path, text, file)
    })
  }
  return { parse, close: () => api.close() }
}

function gatherFacts(path: string, text: string, file: SourceFile): Source {
  const lineOf = (node: Node) => file.getLineAndCharacterOfPosition(getTokenPosOfNode(node, file)).line + 1
  const facts: Facts = {
    path,
    text,
    imports: [],
    exports: [],
    names: [],
    members: [],
    bareNames: [],
    asyncLines: [],
    calls: [],
  }
  const exported: Mention[] = []
  const mentions = new Map<string, number>()

  const visit = (node: Node): void => {
    const line = lineOf(node)
    if (is.isImportDeclaration(node) || is.isExportDeclaration(node)) noteDeclaration(node, line, facts, exported)
    else if (is.isImportTypeNode(node)) noteImportType(node, line, facts)
    else if (is.isCallExpression(node)) noteCall(node, line, facts)
    else if (is.isNewExpression(node)) noteUrl(node, line, facts)
    else if (node.kind === SyntaxKind.AsyncKeyword || node.kind === SyntaxKind.AwaitKeyword) facts.asyncLines.push(line)
    else if (is.isAwaitExpression(node)) facts.asyncLines.push(line)
    else if (is.isIdentifier(node) && standsForItself(node)) {
      facts.names.push({ name: node.text, line })
      const parent = node.parent
      if (is.isPropertyAccessExpression(parent) && parent.expression === node) {
        facts.members.push({ name: `${node.text}.${parent.name.text}`, line })
      } else {
        facts.bareNames.push({ name: node.text, line })
      }
      if (!is.isExportSpecifier(parent)) mentions.set(node.text, (mentions.get(node.text) ?? 0) + 1)
    }
    if (hasModifier(node, SyntaxKind.ExportKeyword)) exported.push(...declaredNames(node, line))
    node.forEachChild(visit)
  }
  visit(file)

  // An exported declaration mentions its name once itself.
  facts.exports = exported.map(({ name, line }) => ({ name, line, usedInFile: (mentions.get(name) ?? 0) > 1 }))
  return facts
}

/** Whether the identifier names a variable or type, rather than a property, a label or the other side of an alias. */
function standsForItself(node: Identifier): boolean {
  const parent = node.parent
  if (is.isPropertyAccessExpression(parent)) return parent.expression === node
  if (is.isQualifiedName(parent)) return parent.left === node
  if (is.isImportSpecifier(parent)) return parent.name === node
  if (is.isExportSpecifier(parent)) return (parent.propertyName ?? parent.name) === node
  if (is.isBindingElement(parent)) return parent.propertyName !== node
  const named =
    is.isPropertyAssignment(parent) ||
    is.isMethodDeclaration(parent) ||
    is.isMethodSignatureDeclaration(parent) ||
    is.isPropertyDeclaration(parent) ||
    is.isPropertySignatureDeclaration(parent) ||
    is.isGetAccessorDeclaration(parent) ||
    is.isSetAccessorDeclaration(parent) ||
    is.isNamedTupleMember(parent)
  if (named) return parent.name !== node
  return !is.isMetaProperty(parent) && !is.isImportTypeNode(parent)
}

function noteDeclaration(node: ImportDeclaration | ExportDeclaration, line: number, facts: Facts, exported: Mention[]) {
  const specifier = node.moduleSpecifier
  if (specifier !== undefined && is.isStringLiteral(specifier)) {
    facts.imports.push({ specifier: specifier.text, names: namesTaken(node), line })
  }
  if (!is.isExportDeclaration(node)) return
  const clause = node.exportClause
  if (clause === undefined) exported.push({ name: '*', line })
  else if (is.isNamespaceExport(clause)) exported.push({ name: clause.name.text, line })
  else for (const element of clause.elements) exported.push({ name: element.name.text, line })
}

function namesTaken(node: ImportDeclaration | ExportDeclaration): readonly string[] | 'all' {
  if (is.isExportDeclaration(node)) {
    if (node.exportClause === undefined || is.isNamespaceExport(node.exportClause)) return 'all'
    return node.exportClause.elements.map((element) => (element.propertyName ?? element.name).text)
  }
  const clause = node.importClause
  if (clause === undefined) return []
  const bindings = clause.namedBindings
  if (bindings !== undefined && is.isNamespaceImport(bindings)) return 'all'
  const named = bindings?.elements.map((element) => (element.propertyName ?? element.name).text) ?? []
  return clause.name === undefined ? named : ['default', ...named]
}

function noteImportType(node: Node & { argument?: Node; qualifier?: Node }, line: number, facts: Facts): void {
  const literal = node.argument !== undefined && is.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined
  if (literal === undefined || !is.isStringLiteral(literal)) return
  const names = node.qualifier !== undefined && is.isIdentifier(node.qualifier) ? [node.qualifier.text] : 'all'
  facts.imports.push({ specifier: literal.text, names, line })
}

function noteCall(node: CallExpression, line: number, facts: Facts): void {
  const literals = node.arguments.map((argument) => (is.isStringLiteralLikeNode(argument) ? argument.text : undefined))
  const name = dottedName(node.expression)
  if (node.expression.kind === SyntaxKind.ImportKeyword || name === 'require') {
    facts.imports.push({ specifier: literals[0] ?? '(computed)', names: 'all', line })
  }
  facts.calls.push({ name, literals, line })
}

/** `new URL('./worker.ts', import.meta.url)` is how a worker or an asset is named. */
function noteUrl(node: Node & { expression: Node; arguments?: readonly Node[] }, line: number, facts: Facts): void {
  const [first, second] = node.arguments ?? []
  if (dottedName(node.expression) !== 'URL' || first === undefined || second === undefined) return
  if (is.isStringLiteralLikeNode(first)) facts.imports.push({ specifier: first.text, names: 'all', line })
}

/**
 * `a.b.c` for a chain of property accesses; a part that is no plain name reads `()`, so `test.skipIf(x)(…)` is
 * `test.skipIf()`.
 */
function dottedName(node: Node): string {
  if (is.isIdentifier(node)) return node.text
  if (is.isPropertyAccessExpression(node)) return `${dottedName(node.expression)}.${node.name.text}`
  if (is.isCallExpression(node)) return `${dottedName(node.expression)}()`
  return '()'
}

function hasModifier(node: Node, kind: SyntaxKind): boolean {
  const modifiers = (node as Node & { modifiers?: readonly Node[] }).modifiers
  return modifiers?.some((modifier) => modifier.kind === kind) ?? false
}

function declaredNames(node: Node, line: number): Mention[] {
  if (hasModifier(node, SyntaxKind.DefaultKeyword)) return [{ name: 'default', line }]
  if (is.isVariableStatement(node)) {
    return node.declarationList.declarations.flatMap(({ name }) =>
      is.isIdentifier(name) ? [{ name: name.text, line }] : [],
    )
  }
  const name = (node as Node & { name?: Node }).name
  return name !== undefined && is.isIdentifier(name) ? [{ name: name.text, line }] : []
}
