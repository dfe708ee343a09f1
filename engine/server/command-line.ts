/**
 * The command line of redis-server, as text: options become lines that are appended to the configuration file.
 *
 *     redis.conf --port 7000 --save 60 1 --loglevel verbose -
 *     └ file      └────── lines after the file ───────────┘ └ and standard input, between the two
 *
 * The word after an option is its value even when it starts with `--`; `--save` alone means `save ""`.
 */
import { quoteWord, splitWords } from './config-words.ts'

export type CommandLine =
  | { readonly action: 'version' | 'help' | 'test-memory' | 'check-system' }
  | {
      readonly action: 'start'
      /** As given; undefined: no configuration file. */
      readonly filePath: string | undefined
      readonly readsStandardInput: boolean
      /** Undefined when there were no words at all. */
      readonly options: string | undefined
      readonly isSentinel: boolean
    }

/** @param words the command line without the program's name */
export function parseCommandLine(words: readonly string[]): CommandLine {
  const [first] = words
  if (first === '-v' || first === '--version') return { action: 'version' }
  if (first === '-h' || first === '--help') return { action: 'help' }
  if (first === '--test-memory') return { action: 'test-memory' }
  if (first === '--check-system') return { action: 'check-system' }
  const filePath = first !== undefined && !first.startsWith('-') ? first : undefined
  const rest = filePath === undefined ? words : words.slice(1)
  const isDash = (index: number) =>
    rest[index] === '-' && ((index === 0 && filePath === undefined) || index === rest.length - 1)
  return {
    action: 'start',
    filePath,
    readsStandardInput: rest.some((_, index) => isDash(index)),
    options: first === undefined ? undefined : optionLines(rest.filter((_, index) => !isDash(index))),
    isSentinel: words.includes('--sentinel'),
  }
}

function optionLines(words: readonly string[]): string {
  const lines: string[] = []
  let mayBeOption = true
  for (const [index, word] of words.entries()) {
    if (!mayBeOption || !word.startsWith('--')) {
      if (lines.length === 0) lines.push('')
      lines[lines.length - 1] += `${quoteWord(word)} `
      mayBeOption = true
      continue
    }
    lines.push(`${word.slice(2)} `)
    // `--port 7000` in one word has its value already.
    if (splitWords(word)?.length !== 1) continue
    const next = words[index + 1]
    const standsAlone = next === undefined || next.startsWith('--')
    const name = word.toLowerCase()
    mayBeOption = standsAlone && (name === '--save' || name === '--sentinel')
    if (mayBeOption && name === '--save') lines[lines.length - 1] += '""'
    if (name === '--sentinel' && standsAlone) lines.pop()
  }
  return lines.join('\n')
}

/** The whole configuration as one text, whose line numbers are those that Redis reports. */
export function configText(file: string, standardInput: string, options: string | undefined): string {
  return options === undefined ? `${file}${standardInput}` : `${file}${standardInput}\n${options}`
}

/** `-v`. The version of Redis that the engine is compatible with comes first, where tools look for it. */
export function versionText(): string {
  return `Redis server v=${redisVersion} sha=00000000:0 malloc=libc bits=64 build=faultline`
}

export const redisVersion = '7.0.15'

export function usageText(program: string): string {
  return [
    `Usage: ${program} [/path/to/redis.conf] [options] [-]`,
    `       ${program} - (read config from stdin)`,
    `       ${program} -v or --version`,
    `       ${program} -h or --help`,
    '',
    'Examples:',
    `       ${program} (run the server with default conf)`,
    `       echo 'maxmemory 128mb' | ${program} -`,
    `       ${program} /etc/redis/6379.conf`,
    `       ${program} --port 7777`,
    `       ${program} --port 7777 --replicaof 127.0.0.1 8888`,
    `       ${program} /etc/myredis.conf --loglevel verbose -`,
    `       ${program} /etc/myredis.conf --loglevel verbose`,
  ].join('\n')
}
