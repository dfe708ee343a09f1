/**
 * The process: redis-server's command line, signals, terminal and process title around a server. Everything else,
 * the start's log lines included, is in `engine/server` and runs in the simulator as well.
 *
 * Differences from redis-server: `daemonize yes` starts this program again, detached, because Node cannot fork (the
 * configuration is checked before, in the foreground); `supervised` only warns; `dir` resolves paths without changing
 * the working directory of the process.
 */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { commandFamilies } from '../commands/registry.ts'
import type { Io } from '../io.ts'
import { type AssembledServer, createServer } from '../server/assembly.ts'
import { configText, parseCommandLine, usageText, versionText } from '../server/command-line.ts'
import { type Config, createConfig } from '../server/config.ts'
import { ConfigError, ConfigFileMissing, fatalConfigText, linesOf, readConfigText } from '../server/config-file.ts'
import { fillTitle, type TitleVariable } from '../server/config-lists.ts'
import { reportCrash } from '../server/crash-report.ts'
import { createLog, logLine } from '../server/log.ts'
import { logBanner } from '../server/start.ts'
import { slowDownFromEnvironment } from './busy-loop.ts'
import { tuneCompiler } from './compiler.ts'
import { diskFromEnvironment } from './disk-faults.ts'
import { createNodeIo } from './io.ts'

/** Set in the process that `daemonize yes` starts: it must not start another one. */
const DETACHED = 'FAULTLINE_DETACHED'

type StartOptions = Extract<ReturnType<typeof parseCommandLine>, { action: 'start' }>

function main(words: readonly string[]): void {
  tuneCompiler()
  // Whoever reads our output may go away; the server goes on.
  process.stdout.on('error', () => {})
  process.stderr.on('error', () => {})
  const line = parseCommandLine(words)
  if (line.action === 'start') start(line)
  else if (line.action === 'version') console.log(versionText())
  else if (line.action === 'help') console.log(usageText('faultline-engine'))
  else {
    console.error(`--${line.action} is redis-server's own: it examines the memory or kernel of the host, not a server.`)
    process.exitCode = 1
  }
}

function start(options: StartOptions): void {
  const plain = createNodeIo()
  const io: Io = { ...plain, disk: diskFromEnvironment(plain.disk, plain.timers, process.env) }
  if (options.isSentinel) {
    console.error('This program has no Sentinel mode: start redis-sentinel instead.')
    process.exitCode = 1
    return
  }
  const input = options.readsStandardInput ? readFileSync(0, 'utf8') : ''
  let server: AssembledServer | undefined
  const config = readConfig(io, options, input, () => server?.loading === true)
  if (config === undefined) {
    process.exitCode = 1
    return
  }
  if (config.values.daemonize && process.env[DETACHED] === undefined) {
    detach(input)
    return
  }
  const log = createLog(io, config, () => 'C')
  if (options.readsStandardInput) log.warning('Reading config from stdin')
  logBanner(io, log, options.options !== undefined)
  if (config.values.supervised !== 'no') log.warning('WARNING supervised is not supported: nobody is notified')
  slowDownFromEnvironment(commandFamilies.flat(), process.env)
  server = createServer(io, { config })
  installSignals(io, config, server)
  installCrashReport(io, server)
  installTitle(config)
  server.start({ onReady: () => {}, onFailure: () => io.host.exit(1) })
}

/** Undefined: it was refused, and said so as redis-server does. */
function readConfig(io: Io, options: StartOptions, input: string, isLoading: () => boolean): Config | undefined {
  const filePath = options.filePath === undefined ? undefined : resolve(options.filePath)
  const commands = new Set(commandFamilies.flat().map(({ name }) => name))
  try {
    const file = filePath === undefined ? '' : readConfigText(io.disk, filePath)
    return createConfig(io.disk, {
      lines: linesOf(configText(file, input, options.options)),
      workingDirectory: process.cwd(),
      isLoading,
      isCommand: (name) => commands.has(name),
      ...(filePath === undefined ? {} : { filePath }),
    })
  } catch (error) {
    if (error instanceof ConfigError) console.error(fatalConfigText(error))
    else if (error instanceof ConfigFileMissing) io.host.print(logLine(io, 'C', 'warning', error.message))
    else throw error
    return undefined
  }
}

/** Starts this program again without a terminal; this process ends. */
function detach(input: string): void {
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    detached: true,
    stdio: [input === '' ? 'ignore' : 'pipe', 'ignore', 'ignore'],
    env: { ...process.env, [DETACHED]: '1' },
  })
  child.on('error', (error) => {
    console.error(`Can't daemonize: ${error.message}`)
    process.exitCode = 1
  })
  child.stdin?.end(input)
  child.unref()
}

function installSignals(io: Io, config: Config, server: AssembledServer): void {
  let asked = false
  const shutDown = (signal: 'SIGINT' | 'SIGTERM', parameter: 'shutdown-on-sigint' | 'shutdown-on-sigterm') => {
    if (asked && signal === 'SIGINT') {
      printFromSignal(io, config, 'You insist... exiting now.')
      process.exit(1)
    }
    printFromSignal(io, config, `Received ${signal} scheduling shutdown...`)
    asked = true
    const flags: readonly string[] = config.values[parameter]
    const save = flags.includes('save') ? { save: true } : flags.includes('nosave') ? { save: false } : {}
    const refused = server.shutdown({ ...save, now: flags.includes('now'), force: flags.includes('force') }, () => {
      asked = false
    })
    if (refused !== undefined) asked = false
  }
  process.on('SIGINT', () => shutDown('SIGINT', 'shutdown-on-sigint'))
  process.on('SIGTERM', () => shutDown('SIGTERM', 'shutdown-on-sigterm'))
  process.on('SIGHUP', () => {})
}

/** Redis logs from a signal handler in a format of its own. */
function printFromSignal(io: Io, config: Config, message: string): void {
  const text = `${process.pid}:signal-handler (${Math.floor(io.clock.wallMs() / 1000)}) ${message}`
  if (config.values.logfile === '') io.host.print(text)
  else {
    const file = io.disk.open(config.pathOf(config.values.logfile), 'append')
    file.write(Buffer.from(`${text}\n`))
    file.close()
  }
}

/** A bug: say everything that helps to find it, then end. The data set is not saved: it may be what is broken. */
function installCrashReport(io: Io, server: AssembledServer): void {
  const crash = (error: unknown) => {
    try {
      const trace = error instanceof Error ? (error.stack ?? '').split('\n') : []
      reportCrash(
        server,
        [`${versionText()} crashed: ${error instanceof Error ? error.message : String(error)}`],
        trace,
      )
    } finally {
      io.host.exit(1)
    }
  }
  process.on('uncaughtException', crash)
  process.on('unhandledRejection', crash)
}

function installTitle(config: Config): void {
  const show = () => {
    const title = fillTitle(config.values['proc-title-template'], (variable) => titlePart(config, variable))
    if (title !== undefined) process.title = title
  }
  if (!config.values['set-proc-title']) return
  show()
  for (const name of ['proc-title-template', 'port', 'bind'] as const) config.onChange(name, show)
}

function titlePart(config: Config, variable: TitleVariable): string {
  const { port, bind, unixsocket } = config.values
  const address = port === 0 ? unixsocket : `${bind[0] ?? '*'}:${port}`
  const parts: Readonly<Record<TitleVariable, string>> = {
    title: 'redis-server',
    'listen-addr': address,
    'server-mode': config.values['cluster-enabled'] ? '[cluster]' : '',
    port: String(port),
    'tls-port': String(config.values['tls-port']),
    unixsocket,
    'config-file': config.filePath === undefined ? '' : basename(config.filePath),
  }
  return parts[variable]
}

main(process.argv.slice(2))
