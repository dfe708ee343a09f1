/** Where the programs are that worlds start. */
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HarnessError } from '../errors.ts'

/** How to start a server: its program and the arguments before redis-server's own. */
export interface ServerProgram {
  command: string
  args: readonly string[]
  /** Its disk takes faults and power cuts (engine/node/disk-faults.ts). */
  hasOwnDisk: boolean
}

/** Our own engine, from the bundle. */
export function engineProgram(): ServerProgram {
  return { command: process.execPath, args: [join(bundleDirectory(), 'engine.js')], hasOwnDisk: true }
}

/** The command line's own bundle: the reaper runs from it. */
export function faultlineBundle(): string {
  return join(bundleDirectory(), 'faultline.js')
}

/** The program of the threads that simulate. */
export function simulationWorkerBundle(): string {
  return join(bundleDirectory(), 'simulation-worker.js')
}

/** The program of the load driver's threads. */
export function loadWorkerBundle(): string {
  return join(bundleDirectory(), 'load-worker.js')
}

/** The program of an instance of the shop. */
export function shopBundle(): string {
  return join(bundleDirectory(), 'shop.js')
}

/** redis-server or valkey-server: the one of that path, or of that name on PATH; else the first on PATH. */
export function redisProgram(binary: string | undefined): ServerProgram {
  if (binary !== undefined) return { command: programNamed(binary), args: [], hasOwnDisk: false }
  const command = findOnPath(['redis-server', 'valkey-server'])
  if (command === undefined) {
    throw new HarnessError(
      'MISSING_BINARY',
      'No redis-server is on the PATH. Install one (Debian: apt-get install redis-server), name one with --binary, or leave out --target redis.',
    )
  }
  return { command, args: [], hasOwnDisk: false }
}

/** The Node of that path, or of that name on PATH; without one, the Node that runs this. */
export function nodeCommand(binary: string | undefined): string {
  return binary === undefined ? process.execPath : programNamed(binary)
}

function programNamed(binary: string): string {
  const command = binary.includes('/') ? binary : findOnPath([binary])
  if (command !== undefined && isExecutable(command)) return command
  throw new HarnessError('MISSING_BINARY', `${binary} is no program that can be run. Give its path.`)
}

function findOnPath(names: readonly string[]): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** This module is inside the bundle, or (in tests) below the repository whose `dist` holds it. */
function bundleDirectory(): string {
  const here = dirname(fileURLToPath(import.meta.url))
  if (existsSync(join(here, 'engine.js'))) return here
  return join(here, '../../dist')
}
