/**
 * Builds `dist/faultline.js` and `dist/engine.js` with esbuild, when they are missing or out of date.
 *
 * Why a bundle: Node 20 cannot run TypeScript, a loader such as tsx costs over half a second per process, and a
 * scenario on real processes starts dozens of them. Why plain JavaScript: this file runs before anything is built.
 *
 * How "out of date" is decided, cheapest question first:
 *   1. every source has the times and size that the index (`dist/index.json`) noted, and none was written so shortly
 *      before the index that the file clock could not tell a second write: up to date;
 *   2. otherwise the changed files are hashed; the same digest over all files as before: up to date, index refreshed;
 *   3. otherwise: build.
 * The digest is also the first line of each output. So an index and an output that come from different builds (two
 * launches at the same time with an edit between them) are seen not to fit, without any lock. Outputs are written
 * beside their target and renamed, so that nobody ever reads half a file. The index is taken before esbuild reads the
 * sources: an edit during the build makes the index stale, never the bundle.
 */
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundlePlugin } from './scenario-registry.js'

/** The repository this file belongs to. */
export const repositoryRoot = dirname(dirname(fileURLToPath(import.meta.url)))

const sourceFolders = ['engine', 'harness', 'scenarios', 'reports', 'bin']
const sourceFiles = ['package.json', 'package-lock.json', 'tsconfig.json']

/** Output name → entry point. */
const entries = {
  'faultline.js': 'harness/cli/main.ts',
  'simulation-worker.js': 'harness/run/simulation-worker.ts',
  'load-worker.js': 'harness/load/load-worker.ts',
  'shop.js': 'harness/shop/shop-process.ts',
  'engine.js': 'engine/node/main.ts',
}

/** Packages that cannot live inside a bundle: they find files or native programs beside themselves. */
const externalPackages = ['autocannon', 'esbuild', 'playwright-core', 'wasmoon-lua5.1']

/** The sources did not bundle. `message` holds esbuild's own account, file and line included. */
export class BuildError extends Error {
  /** @override */
  name = 'BuildError'
}

/**
 * @typedef {{ stamp: string, hash: string }} SourceState `stamp` is what a write changes
 * @typedef {{ digest: string, takenAtMs: number, files: Record<string, SourceState> }} SourceIndex
 */

/** Files that take part in a bundle: everything in the source folders but tests. Paths use `/`. @param {string} root */
function listSources(root) {
  /** @type {Map<string, { stamp: string, changedAtMs: number }>} */
  const found = new Map()
  const note = (/** @type {string} */ path) => {
    const stat = statSync(join(root, path), { throwIfNoEntry: false })
    if (!stat?.isFile()) return
    const stamp = `${stat.mtimeMs} ${stat.ctimeMs} ${stat.size}`
    found.set(path.split(sep).join('/'), { stamp, changedAtMs: stat.ctimeMs })
  }
  const walk = (/** @type {string} */ folder) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) walk(path)
      else if (!entry.name.endsWith('.test.ts')) note(path)
    }
  }
  for (const path of sourceFiles) note(path)
  for (const folder of sourceFolders) {
    if (statSync(join(root, folder), { throwIfNoEntry: false })?.isDirectory()) walk(folder)
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** @param {string} path @returns {SourceIndex | undefined} */
function readIndex(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined // Absent, or half written by a killed process: build anew.
  }
}

/** The digest in the first line of an output, or undefined when there is none. @param {string} path */
function digestOf(path) {
  let file
  try {
    file = openSync(path, 'r')
    const head = Buffer.alloc(128)
    return /^\/\/ faultline ([0-9a-f]+)\n/.exec(head.toString('latin1', 0, readSync(file, head)))?.[1]
  } catch {
    return undefined
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

/** Write beside, then rename. @param {string} path @param {string | Uint8Array} content */
function replaceFile(path, content) {
  const temporary = `${path}.${process.pid}-${Math.random().toString(36).slice(2)}.tmp`
  try {
    writeFileSync(temporary, content)
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

/** Ticks of file clocks are at most this long; 2 s on FAT, a few ms elsewhere. */
const fileClockTickMs = 2000

/**
 * The hash that the index noted for a file, if the file surely did not change since.
 * @param {SourceIndex | undefined} index @param {string} path @param {{ stamp: string, changedAtMs: number }} state
 */
function knownHash(index, path, { stamp, changedAtMs }) {
  const known = index?.files[path]
  if (index === undefined || known === undefined || known.stamp !== stamp) return undefined
  return changedAtMs < index.takenAtMs - fileClockTickMs ? known.hash : undefined
}

/**
 * Hash of every source; files that surely did not change keep the hash that the index noted.
 * @param {string} root @param {SourceIndex | undefined} before @returns {Promise<SourceIndex>}
 */
async function takeIndex(root, before) {
  const { createHash } = await import('node:crypto')
  const takenAtMs = Date.now()
  /** @type {Record<string, SourceState>} */
  const files = {}
  const total = createHash('sha256')
  for (const [path, state] of listSources(root)) {
    const hash =
      knownHash(before, path, state) ??
      createHash('sha256')
        .update(readFileSync(join(root, path)))
        .digest('hex')
    files[path] = { stamp: state.stamp, hash }
    total.update(`${path}\0${hash}\0`)
  }
  return { digest: total.digest('hex'), takenAtMs, files }
}

/** @param {string} root @param {SourceIndex} index */
function sourcesUntouched(root, index) {
  const sources = listSources(root)
  if (sources.size !== Object.keys(index.files).length) return false
  return [...sources].every(([path, state]) => knownHash(index, path, state) !== undefined)
}

/** @param {string} root @param {string} digest */
async function build(root, digest) {
  const esbuild = await import('esbuild')
  /** @type {import('esbuild').BuildResult<{ write: false }>} */
  let result
  try {
    result = await esbuild.build({
      absWorkingDir: root,
      entryPoints: Object.entries(entries).map(([output, source]) => ({
        in: source,
        out: output.replace(/\.js$/, ''),
      })),
      outdir: 'dist',
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      // V8 holds the text of a program as long as it runs: short, an idle engine takes 3.7 MB less. The map has the
      // names.
      minify: true,
      sourcemap: true,
      // Node reads the map at every start; positions are enough for a stack trace.
      sourcesContent: false,
      legalComments: 'none',
      logLevel: 'silent',
      external: externalPackages,
      plugins: [bundlePlugin(root)],
      // CommonJS packages inside an ES module call `require` for Node's own modules.
      banner: {
        js: `// faultline ${digest}\nimport { createRequire as __createRequire } from 'node:module';const require = __createRequire(import.meta.url);`,
      },
    })
  } catch (error) {
    const errors = /** @type {import('esbuild').BuildFailure} */ (error).errors
    if (!Array.isArray(errors)) throw error
    const account = await esbuild.formatMessages(errors, { kind: 'error', color: false })
    throw new BuildError(
      `The sources do not bundle (${errors.length} error${errors.length === 1 ? '' : 's'}):\n${account.join('')}`,
    )
  }
  // Source maps first: a bundle must not be seen before its map.
  for (const file of result.outputFiles.sort(
    (a, b) => Number(a.path.endsWith('.js')) - Number(b.path.endsWith('.js')),
  )) {
    replaceFile(file.path, file.contents)
  }
}

/**
 * Make the bundles fit the sources.
 * @param {{ root?: string, force?: boolean }} [options] `force` builds even when nothing changed
 * @returns {Promise<{ built: boolean, faultline: string, engine: string }>} whether it had to build, and the absolute
 *   paths of the two bundles
 * @throws {BuildError} when the sources do not bundle
 */
export async function ensureBundle({ root = repositoryRoot, force = false } = {}) {
  const dist = join(root, 'dist')
  const indexPath = join(dist, 'index.json')
  const paths = { faultline: join(dist, 'faultline.js'), engine: join(dist, 'engine.js') }
  const outputsFit = (/** @type {string} */ digest) =>
    Object.keys(entries).every((output) => digestOf(join(dist, output)) === digest)

  const before = readIndex(indexPath)
  if (!force && before !== undefined && outputsFit(before.digest) && sourcesUntouched(root, before)) {
    return { built: false, ...paths }
  }
  const index = await takeIndex(root, before)
  const built = force || !outputsFit(index.digest)
  mkdirSync(dist, { recursive: true })
  if (built) await build(root, index.digest)
  replaceFile(indexPath, JSON.stringify(index))
  return { built, ...paths }
}

/**
 * What the launchers do: make the bundle fit, then run it in this process, so that arguments, exit code and signals
 * are the program's own.
 * @param {'faultline' | 'engine'} program
 */
export async function launch(program) {
  let path
  try {
    path = (await ensureBundle())[program]
  } catch (error) {
    if (!(error instanceof BuildError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exit(1)
  }
  process.setSourceMapsEnabled(true)
  await import(path)
}
