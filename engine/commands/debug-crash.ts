/** DEBUG's ways to die: what whoever watches the process sees (signal, exit status, log) is as with redis-server. */
import { abort, panic, reportCrash, stackHere } from '../server/crash-report.ts'
import type { Context } from './context.ts'

/** What malloc is asked for in vain. */
const TOO_MANY_BYTES = '9223372036854775807'

export function debugSegfault({ server }: Context): void {
  reportCrash(server, ['Redis 7.0.15 crashed by signal: 11, si_code: 2'], stackHere())
  server.io.host.crash('SIGSEGV')
}

export function debugPanic({ server }: Context): void {
  panic(server, `DEBUG PANIC called at Unix time ${Math.floor(server.nowMs / 1000)}`)
}

export function debugAssert({ server, client, args }: Context): void {
  const headline = ['=== ASSERTION FAILED CLIENT CONTEXT ===', `client->argc = ${args.count}`]
  for (let i = 0; i < args.count; i++) headline.push(`client->argv[${i}] = "${args.latin1(i)}"`)
  headline.push(`client->conn = ${client.address}`, '=== ASSERTION FAILED ===', "==> '1 == 2' is not true")
  reportCrash(server, headline, stackHere())
  abort(server)
}

export function debugOutOfMemory({ server }: Context): void {
  server.log.warning(`Out Of Memory allocating ${TOO_MANY_BYTES} bytes!`)
  panic(server, `Redis aborting for OUT OF MEMORY. Allocating ${TOO_MANY_BYTES} bytes!`)
}

/** RESTART and CRASH-AND-RECOVER: a process cannot take its own place here, so they fail as when Redis cannot. */
export function debugRestart({ reply, server }: Context): void {
  server.log.warning("Can't restart: this process cannot be replaced by another one.")
  reply.error('ERR failed to restart the server. Check server logs.')
}
