/** Node's errors as `IoError`s: POSIX codes stay, Node's own argument errors (`ERR_…`) become EINVAL. */

import { getSystemErrorName } from 'node:util'
import { IoError } from '../io.ts'

export function ioErrorFrom(error: unknown): IoError {
  if (error instanceof IoError) return error
  const code = (error as NodeJS.ErrnoException).code
  const message = error instanceof Error ? error.message : String(error)
  return new IoError(code !== undefined && !code.startsWith('ERR_') ? code : 'EINVAL', message)
}

/** From libuv's negative error number. */
export function ioErrorFromNumber(number: number, what: string): IoError {
  const code = getSystemErrorName(number)
  return new IoError(code, `${what} ${code}`)
}
