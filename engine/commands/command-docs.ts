/**
 * What COMMAND DOCS tells: one text a group of commands (`docs/`), read when somebody asks, so that a start costs
 * nothing.
 *
 *     config|set                                   full name
 *       = Set configuration parameters …           summary
 *       since 2.0.0
 *       cost O(N) …                                complexity
 *       flag syscmd
 *       deprecated 6.2.0 `BLMOVE` …                since when, and what replaces it
 *       history 7.0.0 Added …                      in which version, what
 *       arguments
 *         parameter_value block multiple           name, type, then in any order: "TOKEN", #key spec, flags,
 *           parameter string                       `since` and `deprecated` with a version; deeper: parts of it
 */
import { bitmapDocs } from './docs/bitmap.ts'
import { clusterDocs } from './docs/cluster.ts'
import { connectionDocs } from './docs/connection.ts'
import { genericDocs } from './docs/generic.ts'
import { geoDocs } from './docs/geo.ts'
import { hashDocs } from './docs/hash.ts'
import { hyperloglogDocs } from './docs/hyperloglog.ts'
import { listDocs } from './docs/list.ts'
import { pubsubDocs } from './docs/pubsub.ts'
import { scriptingDocs } from './docs/scripting.ts'
import { serverDocs } from './docs/server.ts'
import { setDocs } from './docs/set.ts'
import { sortedSetDocs } from './docs/sorted-set.ts'
import { streamDocs } from './docs/stream.ts'
import { stringDocs } from './docs/string.ts'
import { transactionsDocs } from './docs/transactions.ts'

/** One argument. */
export interface ArgumentDoc {
  name: string
  type: string
  token?: string
  keySpecIndex?: number
  flags: string[]
  since?: string
  deprecatedSince?: string
  arguments: ArgumentDoc[]
}

export interface CommandDoc {
  summary: string
  since: string
  complexity?: string
  flags: string[]
  deprecatedSince?: string
  replacedBy?: string
  history: (readonly [version: string, change: string])[]
  /** Undefined: it is not said whether there are any. */
  arguments?: ArgumentDoc[]
}

const texts: Readonly<Record<string, string>> = {
  bitmap: bitmapDocs,
  cluster: clusterDocs,
  connection: connectionDocs,
  generic: genericDocs,
  geo: geoDocs,
  hash: hashDocs,
  hyperloglog: hyperloglogDocs,
  list: listDocs,
  pubsub: pubsubDocs,
  scripting: scriptingDocs,
  server: serverDocs,
  set: setDocs,
  'sorted-set': sortedSetDocs,
  stream: streamDocs,
  string: stringDocs,
  transactions: transactionsDocs,
}

const parsed = new Map<string, Map<string, CommandDoc>>()

/** What is known of the command `fullName` (`config|get`) of a group. */
export function docOf(group: string, fullName: string): CommandDoc | undefined {
  let docs = parsed.get(group)
  if (docs === undefined) {
    docs = parse(texts[group] ?? '')
    parsed.set(group, docs)
  }
  return docs.get(fullName)
}

function parse(text: string): Map<string, CommandDoc> {
  const docs = new Map<string, CommandDoc>()
  let doc: CommandDoc = { summary: '', since: '', flags: [], history: [] }
  /** The arguments that a line of each depth belongs to. */
  let levels: ArgumentDoc[][] = []
  for (const line of text.split('\n')) {
    if (line === '') continue
    const depth = line.search(/\S/) / 2
    if (depth === 0) {
      doc = { summary: '', since: '', flags: [], history: [] }
      docs.set(line, doc)
    } else if (depth > 1) {
      const argument = parseArgument(line.trim())
      levels[depth - 2]?.push(argument)
      levels[depth - 1] = argument.arguments
    } else if (line.trim() === 'arguments') {
      doc.arguments = []
      levels = [doc.arguments]
    } else {
      readFact(doc, line.slice(2))
    }
  }
  return docs
}

function readFact(doc: CommandDoc, line: string): void {
  const [word, rest] = divide(line)
  if (word === '=') doc.summary = rest
  else if (word === 'since') doc.since = rest
  else if (word === 'cost') doc.complexity = rest
  else if (word === 'flag') doc.flags.push(rest)
  else if (word === 'history') doc.history.push(divide(rest))
  else if (word === 'deprecated') [doc.deprecatedSince, doc.replacedBy] = divide(rest)
  else throw new Error(`a line of the commands' documentation begins with ${word}`)
}

/** The first word, and what comes behind it. */
function divide(line: string): readonly [word: string, rest: string] {
  const space = line.indexOf(' ')
  return [line.slice(0, space), line.slice(space + 1)]
}

function parseArgument(line: string): ArgumentDoc {
  const [name = '', type = '', ...words] = line.split(' ')
  const argument: ArgumentDoc = { name, type, flags: [], arguments: [] }
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string
    if (word.startsWith('"')) argument.token = word.slice(1, -1)
    else if (word.startsWith('#')) argument.keySpecIndex = Number(word.slice(1))
    else if (word === 'since') argument.since = words[++i] as string
    else if (word === 'deprecated') argument.deprecatedSince = words[++i] as string
    else argument.flags.push(word)
  }
  return argument
}
