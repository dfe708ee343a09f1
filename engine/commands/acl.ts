/** ACL: users, their rules, and what was refused. The rules themselves are `engine/acl`. */
import { denialText, mergeSelectors, userNameRefusal } from '../acl/access.ts'
import type { Selector } from '../acl/selector.ts'
import { readUserFile, writeUserFile } from '../acl/user-file.ts'
import { IoError } from '../io.ts'
import { Arguments } from './arguments.ts'
import { aclCategories, categoryNames } from './categories.ts'
import type { Command } from './command.ts'
import type { Context } from './context.ts'
import { errors, wrongArity } from './errors.ts'
import { replyHelp } from './help.ts'
import { readInteger } from './reading.ts'

function setUser({ reply, server }: Context, args: Arguments): void {
  const name = args.latin1(2)
  const refusal = userNameRefusal(name)
  if (refusal !== undefined) {
    reply.error(`ERR ${refusal}`)
    return
  }
  const words = wordsFrom(args, 3)
  const rules = mergeSelectors(words)
  if (typeof rules === 'number') {
    reply.error(`ERR Unmatched parenthesis in acl selector starting at '${words[rules]}'.`)
    return
  }
  const wrong = server.access.setUser(name, rules)
  if (wrong === undefined) reply.ok()
  else reply.error(`ERR Error in ACL SETUSER modifier '${rules[wrong.index]}': ${wrong.message}`)
}

function wordsFrom(args: Arguments, first: number): string[] {
  return Array.from({ length: args.count - first }, (_, i) => args.latin1(first + i))
}

function deleteUsers({ client, reply, server }: Context, args: Arguments): void {
  const names = wordsFrom(args, 2)
  if (names.includes('default')) {
    reply.error("ERR The 'default' user cannot be removed")
    return
  }
  reply.integer(names.filter((name) => server.access.deleteUser(name, client)).length)
}

function getUser({ reply, server }: Context, args: Arguments): void {
  const user = server.access.find(args.latin1(2))
  if (user === undefined) {
    reply.nil()
    return
  }
  const [root, ...others] = user.selectors
  reply.map(6)
  reply.text('flags')
  const flags = user.flags()
  reply.set(flags.length)
  for (const flag of flags) reply.text(flag)
  reply.text('passwords')
  reply.array(user.passwordHashes.length)
  for (const hash of user.passwordHashes) reply.text(hash)
  if (root !== undefined) replySelector(reply, root)
  reply.text('selectors')
  reply.array(others.length)
  for (const selector of others) {
    reply.map(3)
    replySelector(reply, selector)
  }
}

/** Three pairs of a map. */
function replySelector(reply: Context['reply'], selector: Selector): void {
  reply.text('commands')
  reply.latin1(selector.commandsText)
  reply.text('keys')
  reply.latin1(selector.keysText)
  reply.text('channels')
  reply.latin1(selector.channelsText)
}

function list({ reply, server }: Context): void {
  const users = server.access.list()
  reply.array(users.length)
  for (const user of users) reply.latin1(`user ${user.name} ${user.describe()}`)
}

function users({ reply, server }: Context): void {
  const all = server.access.list()
  reply.array(all.length)
  for (const user of all) reply.latin1(user.name)
}

function whoAmI({ client, reply }: Context): void {
  if (client.user === undefined) reply.nil()
  else reply.latin1(client.user.name)
}

const noFile =
  'ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration.'

function load({ client, reply, server }: Context): void {
  const { aclfile } = server.config.values
  if (aclfile === '') {
    reply.error(noFile)
    return
  }
  const users = readUserFile(server.access, server.io.disk, server.config.pathOf(aclfile))
  if (typeof users === 'string') {
    reply.error(`ERR ${users}`)
    return
  }
  server.access.replaceUsers(users, client)
  reply.ok()
}

function save({ reply, server }: Context): void {
  const { aclfile } = server.config.values
  if (aclfile === '') {
    reply.error(noFile)
    return
  }
  try {
    writeUserFile(server.access, server.io.disk, server.config.pathOf(aclfile))
    reply.ok()
  } catch (error) {
    if (!(error instanceof IoError)) throw error
    server.log.warning(`Writing ACL file for ACL SAVE: ${error.message}`)
    reply.error('ERR There was an error trying to save the ACLs. Please check the server logs for more information')
  }
}

function cat({ reply, server }: Context, args: Arguments): void {
  if (args.count === 2) {
    reply.array(categoryNames.length)
    for (const name of categoryNames) reply.text(name)
    return
  }
  const category = args.latin1(2).toLowerCase()
  if (!categoryNames.includes(category)) {
    reply.error(`ERR Unknown category '${args.latin1(2)}'`)
    return
  }
  const found = [...server.commands.everyRecord()].filter(({ command }) => aclCategories(command).includes(category))
  reply.array(found.length)
  for (const { fullName } of found) reply.text(fullName)
}

const BITS_MOST = 4096

function genPass({ reply, server }: Context, args: Arguments): void {
  const bits = args.count === 3 ? readInteger(args, 2) : 256
  if (bits === undefined) {
    reply.error(errors.notInteger)
    return
  }
  if (bits <= 0 || bits > BITS_MOST) {
    reply.error(
      `ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to ${BITS_MOST}`,
    )
    return
  }
  const digits = Math.ceil(bits / 4)
  reply.text(
    server.io.host
      .secretBytes(Math.ceil(digits / 2))
      .toString('hex')
      .slice(0, digits),
  )
}

function dryRun({ reply, server }: Context, args: Arguments): void {
  const user = server.access.find(args.latin1(2))
  if (user === undefined) {
    reply.error(`ERR User '${args.latin1(2)}' not found`)
    return
  }
  const inner = Arguments.of(Array.from({ length: args.count - 3 }, (_, i) => args.copy(i + 3)))
  const record = server.commands.findFor(inner)
  if (record === undefined) {
    reply.error(`ERR Command '${args.latin1(3)}' not found`)
    return
  }
  if (!record.arityAllows(inner.count)) {
    reply.error(wrongArity(record.fullName))
    return
  }
  const denial = user.denial(record, inner)
  if (denial === undefined) reply.ok()
  else if (denial.reason === 'command') reply.latin1(`This user has no permissions to ${denialText(denial)}`)
  else reply.latin1(`This user has no permissions to access the '${denial.object}' ${denial.reason}`)
}

const ENTRIES_BY_DEFAULT = 10

function log({ nowMs, reply, server }: Context, args: Arguments): void {
  const { entries } = server.access.log
  if (args.count === 3 && args.is(2, 'reset')) {
    server.access.log.reset()
    reply.ok()
    return
  }
  const count = args.count === 3 ? readInteger(args, 2) : ENTRIES_BY_DEFAULT
  if (count === undefined) {
    reply.error(errors.notInteger)
    return
  }
  const shown = entries.slice(0, Math.max(0, count))
  reply.array(shown.length)
  for (const entry of shown) {
    reply.map(7)
    reply.text('count')
    reply.integer(entry.count)
    for (const name of ['reason', 'context', 'object'] as const) {
      reply.text(name)
      reply.latin1(entry[name])
    }
    reply.text('username')
    reply.latin1(entry.userName)
    reply.text('age-seconds')
    reply.double((nowMs - entry.atMs) / 1000)
    reply.text('client-info')
    reply.latin1(entry.client)
  }
}

function help({ reply }: Context): void {
  replyHelp(reply, 'ACL', [
    'CAT [<category>]',
    '    The categories, or the commands of one.',
    'DELUSER <username> [<username> ...]',
    '    Delete users.',
    'DRYRUN <username> <command> [<arg> ...]',
    '    Say whether the user may run the command, without running it.',
    'GETUSER <username>',
    '    What is known of a user.',
    'GENPASS [<bits>]',
    '    A random password of 256 bits, or of so many.',
    'LIST',
    '    All users, as in the configuration file.',
    'LOAD',
    '    Read the users from the ACL file again.',
    'LOG [<count> | RESET]',
    '    What was refused.',
    'SAVE',
    '    Write the users to the ACL file.',
    'SETUSER <username> <attribute> [<attribute> ...]',
    '    Make or change a user.',
    'USERS',
    '    The names of all users.',
    'WHOAMI',
    '    The name of the user of this connection.',
  ])
}

const anybody = ['noscript', 'loading', 'stale'] as const
const administration = ['admin', ...anybody] as const

export const aclCommands: readonly Command[] = [
  {
    name: 'acl',
    arity: -2,
    flags: [],
    categories: [],
    group: 'server',
    subcommands: [
      {
        name: 'help',
        arity: 2,
        flags: ['loading', 'stale'],
        categories: [],
        group: 'server',
        run: help,
      },
      {
        name: 'dryrun',
        arity: -4,
        flags: administration,
        categories: [],
        group: 'server',
        run: dryRun,
      },
      {
        name: 'genpass',
        arity: -2,
        flags: anybody,
        categories: [],
        group: 'server',
        run: genPass,
      },
      {
        name: 'load',
        arity: 2,
        flags: administration,
        categories: [],
        group: 'server',
        run: load,
      },
      {
        name: 'save',
        arity: 2,
        flags: administration,
        categories: [],
        group: 'server',
        run: save,
      },
      {
        name: 'deluser',
        arity: -3,
        flags: administration,
        categories: [],
        group: 'server',
        run: deleteUsers,
      },
      {
        name: 'list',
        arity: 2,
        flags: administration,
        categories: [],
        group: 'server',
        run: list,
      },
      {
        name: 'cat',
        arity: -2,
        flags: anybody,
        categories: [],
        group: 'server',
        run: cat,
      },
      {
        name: 'getuser',
        arity: 3,
        flags: administration,
        categories: [],
        group: 'server',
        run: getUser,
      },
      {
        name: 'users',
        arity: 2,
        flags: administration,
        categories: [],
        group: 'server',
        run: users,
      },
      {
        name: 'setuser',
        arity: -3,
        flags: administration,
        categories: [],
        group: 'server',
        secretArguments: (args) =>
          Array.from({ length: args.count }, (_, i) => i).filter((i) => i > 2 && /^[><#!]/.test(args.latin1(i))),
        run: setUser,
      },
      {
        name: 'whoami',
        arity: 2,
        flags: anybody,
        categories: [],
        group: 'server',
        run: whoAmI,
      },
      {
        name: 'log',
        arity: -2,
        flags: administration,
        categories: [],
        group: 'server',
        run: log,
      },
    ],
  },
]
