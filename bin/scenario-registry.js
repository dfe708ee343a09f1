/**
 * The module `faultline:scenarios`: a table from full scenario name (`theme/file-name`) to a function that loads it.
 * It is generated from the folder `scenarios/` at build time, so that adding a scenario touches one file. esbuild
 * and vitest resolve it through the two plugins below; its type is declared in `harness/scenario-registry.d.ts`.
 */
import { readdirSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

const moduleName = 'faultline:scenarios'

/**
 * Full names of the scenarios below `root`, sorted. A file directly in `scenarios/` is not a scenario: a theme is part
 * of the name.
 * @param {string} root
 */
export function scenarioNames(root) {
  const folder = join(root, 'scenarios')
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return []
  const themes = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const isScenario = (/** @type {string} */ file) => /\.ts$/.test(file) && !/\.(test|d)\.ts$/.test(file)
  return themes
    .flatMap((theme) =>
      readdirSync(join(folder, theme.name))
        .filter(isScenario)
        .map((file) => `${theme.name}/${file.slice(0, -'.ts'.length)}`),
    )
    .sort()
}

/** Source text of the module. @param {string} root */
export function registrySource(root) {
  const rows = scenarioNames(root).map((name) => {
    const path = join(root, 'scenarios', `${name}.ts`)
    return `  ${JSON.stringify(name)}: () => import(${JSON.stringify(path)}),`
  })
  return `export const scenarios = {\n${rows.join('\n')}\n}\n`
}

/**
 * The file that `id` (ending in `?raw`) means. A bare one such as `chart.js/dist/chart.umd.js?raw` is looked up in
 * `node_modules` directly, because packages do not export their browser scripts.
 * @param {string} root @param {string} id @param {string} fromFolder
 */
function rawFile(root, id, fromFolder) {
  const path = id.slice(0, -'?raw'.length)
  return /^[./]/.test(path) ? resolve(fromFolder, path) : join(root, 'node_modules', path)
}

/**
 * For esbuild. Also resolves `file?raw` to the file's text, as Vite does by itself.
 * @param {string} root @returns {import('esbuild').Plugin}
 */
export function bundlePlugin(root) {
  return {
    name: 'faultline',
    setup(build) {
      build.onResolve({ filter: /^faultline:scenarios$/ }, ({ path }) => ({ path, namespace: 'faultline' }))
      build.onLoad({ filter: /.*/, namespace: 'faultline' }, () => ({
        contents: registrySource(root),
        resolveDir: root,
      }))
      build.onResolve({ filter: /\?raw$/ }, ({ path, resolveDir }) => ({
        path: rawFile(root, path, resolveDir),
        namespace: 'raw',
      }))
      build.onLoad({ filter: /.*/, namespace: 'raw' }, async ({ path }) => {
        const { readFile } = await import('node:fs/promises')
        return { contents: await readFile(path, 'utf8'), loader: 'text' }
      })
    },
  }
}

/** For vitest. @param {string} root @returns {import('vite').Plugin} */
export function testPlugin(root) {
  return {
    name: 'faultline',
    enforce: 'pre',
    resolveId: (id, importer) => {
      if (id === moduleName) return `\0${moduleName}`
      return id.endsWith('?raw') ? `${rawFile(root, id, dirname(importer ?? root))}?raw` : null
    },
    load: (id) => (id === `\0${moduleName}` ? registrySource(root) : null),
  }
}
