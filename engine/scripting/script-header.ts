/** The first line of a script, `#!lua flags=no-writes,allow-oom`: what it declares about itself. */
import { splitWords } from '../resp/inline-words.ts'
import { compatibleFlags, parseFlags, type ScriptFlags } from './script-run.ts'

export interface ScriptHeader {
  readonly flags: ScriptFlags
  /** The source with the header's line empty, so that line numbers stay. */
  readonly code: Buffer
}

/** The header of a script for EVAL, or the complete error. */
export function parseScriptHeader(source: Buffer): ScriptHeader | string {
  if (!(source[0] === 35 && source[1] === 33)) return { flags: compatibleFlags, code: source }
  const end = source.indexOf(10)
  if (end < 0) return 'ERR Invalid script shebang'
  const words = splitWords(source.toString('latin1', 0, end))
  if (words === undefined || words.length === 0) return 'ERR Invalid engine in script shebang'
  const [engine, ...options] = words
  if (engine !== '#!lua') return `ERR Unexpected engine in script shebang: ${engine}`
  let flags: ScriptFlags = { ...compatibleFlags, compatible: false }
  for (const option of options) {
    if (!option.startsWith('flags=')) return `ERR Unknown lua shebang option: ${option}`
    let unknown = ''
    const list = option.slice('flags='.length)
    const parsed = parseFlags(list === '' ? [] : list.split(','), (word) => {
      unknown = word
    })
    if (parsed === undefined) return `ERR Unexpected flag in script shebang: ${unknown}`
    flags = mergeFlags(flags, parsed)
  }
  return { flags, code: source.subarray(end) }
}

function mergeFlags(first: ScriptFlags, second: ScriptFlags): ScriptFlags {
  return {
    compatible: false,
    noWrites: first.noWrites || second.noWrites,
    allowOom: first.allowOom || second.allowOom,
    allowStale: first.allowStale || second.allowStale,
    noCluster: first.noCluster || second.noCluster,
    allowCrossSlot: first.allowCrossSlot || second.allowCrossSlot,
  }
}
