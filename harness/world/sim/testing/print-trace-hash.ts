/** A process of its own that runs a world and prints its trace's hash: for the test that compares processes. */

import { eventfulRun } from './echo.ts'

process.stdout.write(await eventfulRun(process.argv[2] ?? ''))
