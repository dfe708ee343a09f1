/** Files that the user asks a command to write. `-` is for standard output, which is the command's own affair. */
import { accessSync, constants, existsSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { HarnessError } from '../errors.ts'

const STANDARD_OUTPUT = '-'

/**
 * To be called before the work, not after minutes of it. Writes nothing.
 * @throws {HarnessError} RESULT_FILE: one of them cannot be written
 */
export function checkOutputFiles(paths: readonly (string | undefined)[]): void {
  for (const path of paths) {
    if (path === undefined || path === STANDARD_OUTPUT) continue
    try {
      if (!existsSync(path)) accessSync(dirname(path), constants.W_OK)
      else if (statSync(path).isDirectory()) throw new Error('it is a directory')
      else accessSync(path, constants.W_OK)
    } catch (error) {
      throw unwritable(path, error)
    }
  }
}

/**
 * Does nothing without a path.
 * @throws {HarnessError} RESULT_FILE: it cannot be written
 */
export function writeOutputFile(path: string | undefined, text: () => string): void {
  if (path === undefined || path === STANDARD_OUTPUT) return
  try {
    writeFileSync(path, text())
  } catch (error) {
    throw unwritable(path, error)
  }
}

/** As every JSON file here is written. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

function unwritable(path: string, error: unknown): HarnessError {
  const reason = error instanceof Error ? error.message : String(error)
  return new HarnessError('RESULT_FILE', `Cannot write ${path}: ${reason}. Make room for it, or name another place.`)
}
