/** The command line: thin commands over `harness/run`. Exit status: 0 pass, 1 fail, 2 unknown or wrong usage. */
import { Command, CommanderError } from 'commander'
import { HarnessError } from '../errors.ts'
import { reapWhenOrphaned } from '../world/real/journal.ts'
import { addBenchCommand } from './bench-command.ts'
import { EXIT_STATUS } from './exit-status.ts'
import { addGateCommand } from './gate-command.ts'
import { addLoadCommand } from './load-command.ts'
import { addReportCommand } from './report-command.ts'
import { addScenarioCommand } from './scenario-command.ts'
import { faultlineVersion } from './version.ts'

async function main(): Promise<void> {
  const program = new Command('faultline')
  program
    .description('Puts claims about Redis-protocol systems to the test: real faults, real load, counted losses.')
    .version(faultlineVersion)
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(add --help for the options)')
    .exitOverride()
    // Options behind a subcommand are its own: `gate trend FILE --history OTHER`.
    .enablePositionalOptions()
  addScenarioCommand(program)
  addReportCommand(program)
  addBenchCommand(program)
  addGateCommand(program)
  addLoadCommand(program)
  program
    .command('reap', { hidden: true })
    .argument('<journal>')
    .action((path: string) => reapWhenOrphaned(path))
  try {
    await program.parseAsync()
  } catch (error) {
    process.exitCode = reportError(error)
  }
}

/** Prints what the user can do about it. Returns the exit status. */
function reportError(error: unknown): number {
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? EXIT_STATUS.pass : EXIT_STATUS.unknown
  }
  if (error instanceof HarnessError) {
    process.stderr.write(`error: ${error.message}\n`)
    return EXIT_STATUS.unknown
  }
  if (isFullDisk(error)) process.stderr.write(`error: ${error.message}. Make room on the disk, and run it again.\n`)
  else process.stderr.write(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  return EXIT_STATUS.unknown
}

/** Whatever was to be written: it is no fault of the program. */
function isFullDisk(error: unknown): error is Error {
  return error instanceof Error && ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '')
}

/**
 * `… | head` closes the pipe, or the output goes to a file on a disk that is full: nobody will read it, so the run
 * ends; what it started is reaped.
 */
function onOutputFailed(error: NodeJS.ErrnoException): void {
  process.exit(error.code === 'EPIPE' ? EXIT_STATUS.unknown : reportError(error))
}

process.stdout.on('error', onOutputFailed)
process.stderr.on('error', () => process.exit(EXIT_STATUS.unknown))
await main()
