/**
 * `bench micro`: what single structures cost, with tinybench. The cases stand beside the structures, in `*.bench.ts`
 * files that export `addCases(bench)`; they are found by their name and bundled for the run, since Node 20 cannot run
 * TypeScript. Each file runs in a process of its own: what V8 has learnt from one does not slow down the next.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { HarnessError, interrupted } from '../errors.ts'

export interface MicroCase {
  name: string
  /** Median time of one call in nanoseconds, and the relative margin of error of the mean in per cent. */
  medianNs: number
  marginPercent: number
}

export interface MicroBenchOptions {
  /** Holds `engine/` with the sources. */
  root: string
  /** Only cases whose name holds this. */
  filter?: string
  /** How long each case is measured. */
  timeMs: number
  nodePath: string
  signal: AbortSignal
  onCase(one: MicroCase): void
}

export async function runMicroBench(options: MicroBenchOptions): Promise<MicroCase[]> {
  const files = benchFiles(options.root)
  if (files.length === 0) {
    throw new HarnessError(
      'BAD_OPTION',
      `There are no *.bench.ts files below ${options.root}/engine: run it in a checkout.`,
    )
  }
  const directory = mkdtempSync(join(tmpdir(), 'faultline-micro-'))
  try {
    const cases: MicroCase[] = []
    for (const [index, file] of files.entries()) {
      if (options.signal.aborted) throw interrupted()
      const bundle = join(directory, `${index}.mjs`)
      await bundleFile(file, bundle, options)
      cases.push(...(await runFile(bundle, options)))
    }
    return cases
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function benchFiles(root: string): string[] {
  try {
    const names = readdirSync(join(root, 'engine'), { recursive: true, encoding: 'utf8' })
    return names
      .filter((name) => name.endsWith('.bench.ts'))
      .sort()
      .map((name) => join(root, 'engine', name))
  } catch {
    return []
  }
}

async function bundleFile(
  file: string,
  outfile: string,
  { root, filter = '', timeMs }: MicroBenchOptions,
): Promise<void> {
  const program = `
    import { Bench } from 'tinybench'
    import { addCases } from ${JSON.stringify(file)}
    const bench = new Bench({ time: ${timeMs}, warmupTime: ${timeMs / 4} })
    addCases(bench)
    for (const { name } of [...bench.tasks]) if (!name.includes(${JSON.stringify(filter)})) bench.remove(name)
    bench.addEventListener('cycle', ({ task }) => {
      const { latency, error } = task.result
      if (latency === undefined) throw error
      const [medianNs, marginPercent] = [latency.p50 * 1e6, latency.rme]
      process.stdout.write(JSON.stringify({ name: task.name, medianNs, marginPercent }) + '\\n')
    })
    await bench.run()`
  await build({
    stdin: { contents: program, resolveDir: root, loader: 'ts' },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    logLevel: 'silent',
  })
}

function runFile(bundle: string, { nodePath, signal, onCase }: MicroBenchOptions): Promise<MicroCase[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(nodePath, [bundle], { stdio: ['ignore', 'pipe', 'inherit'], signal })
    const cases: MicroCase[] = []
    let rest = ''
    child.stdout.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const one = JSON.parse(line) as MicroCase
        cases.push(one)
        onCase(one)
      }
    })
    child.on('error', (error) => reject(signal.aborted ? interrupted() : error))
    child.on('close', (status) => {
      if (status === 0) resolve(cases)
      else reject(new HarnessError('NODE_START', `A micro-benchmark ended with status ${status}.`))
    })
  })
}
