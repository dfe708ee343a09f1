/** HELP of container commands: simple strings in Redis's frame. */
import type { Reply } from '../resp/reply.ts'

/** `lines` are the subcommands with their indented explanations; the first and last lines come from here. */
export function replyHelp(reply: Reply, container: string, lines: readonly string[]): void {
  reply.array(lines.length + 3)
  reply.simple(`${container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`)
  for (const line of lines) reply.simple(line)
  reply.simple('HELP')
  reply.simple('    Prints this help.')
}
