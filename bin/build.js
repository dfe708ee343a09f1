#!/usr/bin/env node
/** `npm run build`: bundle whether or not the sources changed. */
import { BuildError, ensureBundle } from './bundle.js'

try {
  await ensureBundle({ force: true })
} catch (error) {
  if (!(error instanceof BuildError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}
