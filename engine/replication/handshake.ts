/**
 * What a replica and its primary say to each other before data flows, line by line:
 *
 *     PING                        +PONG (or an error that asks for AUTH)
 *     AUTH … REPLCONF …           one answer each, sent in one go
 *     PSYNC id offset | ? -1      +FULLRESYNC id offset | +CONTINUE [id] | an error
 *
 * Error answers to REPLCONF are not fatal: old primaries do not know all of it.
 */
import { encodeRequest } from '../resp/request.ts'
import type { Server } from '../server/server.ts'
import type { StreamPosition } from './replication-port.ts'

export type HandshakeResult =
  /** A snapshot follows; it stands at `offset` of stream `id`. Offset -1: the primary only knows SYNC. */
  | { kind: 'full'; id: string; offset: number }
  /** The stream follows, from where we were; it may have a new name. */
  | { kind: 'continue'; id: string | undefined }
  /** No: try again later. What the primary said is in the log. */
  | { kind: 'failed' }

type Step = 'pong' | 'auth' | 'port' | 'address' | 'capabilities' | 'psync'

export class Handshake {
  private readonly server: Server
  private readonly cached: StreamPosition | undefined
  private readonly send: (request: Buffer) => void
  /** PSYNC asks the other one to take over (FAILOVER). */
  private readonly isFailover: boolean
  private steps: Step[] = ['pong']

  /** `cached`: where we were in the stream. Begins at once. */
  constructor(server: Server, cached: StreamPosition | undefined, send: (request: Buffer) => void, isFailover = false) {
    this.server = server
    this.isFailover = isFailover
    this.cached = cached
    this.send = send
    send(encodeRequest(['PING']))
  }

  /** Takes one line from the primary, without its end. Undefined: the dialogue goes on. */
  line(text: string): HandshakeResult | undefined {
    const { log } = this.server
    const step = this.steps[0]
    const isError = text.startsWith('-')
    // While it prepares, the primary sends empty lines.
    if (step === 'psync') return text === '' ? undefined : this.readSynchronization(text)
    this.steps.shift()
    if (step === 'pong') {
      if (isError && !/^-(NOAUTH|NOPERM|ERR operation not permitted)/.test(text)) {
        log.warning(`Error reply to PING from master: '${text}'`)
        return { kind: 'failed' }
      }
      log.notice('Master replied to PING, replication can continue...')
      this.introduce()
    } else if (step === 'auth' && isError) {
      log.warning(`Unable to AUTH to MASTER: ${text}`)
      return { kind: 'failed' }
    } else if (step !== 'auth' && isError) {
      log.notice(`(Non critical) Master does not understand REPLCONF ${topics[step ?? '']}: ${text}`)
    }
    if (this.steps.length === 0) this.askForStream()
    return undefined
  }

  private introduce(): void {
    const { values } = this.server.config
    const request = (step: Step, words: readonly string[]): void => {
      this.steps.push(step)
      this.send(encodeRequest(words))
    }
    if (values.masterauth !== '') {
      request('auth', ['AUTH', ...(values.masteruser === '' ? [] : [values.masteruser]), values.masterauth])
    }
    const port = values['replica-announce-port'] || this.server.port
    request('port', ['REPLCONF', 'listening-port', String(port)])
    if (values['replica-announce-ip'] !== '') {
      request('address', ['REPLCONF', 'ip-address', values['replica-announce-ip']])
    }
    request('capabilities', ['REPLCONF', 'capa', 'eof', 'capa', 'psync2'])
  }

  private askForStream(): void {
    const { log } = this.server
    this.steps = ['psync']
    if (this.cached === undefined) {
      log.notice('Partial resynchronization not possible (no cached master)')
      this.send(encodeRequest(['PSYNC', '?', '-1']))
      return
    }
    const { id, offset } = this.cached
    log.notice(`Trying a partial resynchronization (request ${id}:${offset + 1}).`)
    this.send(encodeRequest(['PSYNC', id, String(offset + 1), ...(this.isFailover ? ['FAILOVER'] : [])]))
  }

  private readSynchronization(text: string): HandshakeResult {
    const { log } = this.server
    const words = text.split(' ')
    if (words[0] === '+FULLRESYNC') {
      const [, id = '', offset = ''] = words
      if (id.length !== 40 || !/^\d+$/.test(offset)) {
        log.warning('Master replied with wrong +FULLRESYNC syntax.')
        return { kind: 'failed' }
      }
      log.notice(`Full resync from master: ${id}:${offset}`)
      return { kind: 'full', id, offset: Number(offset) }
    }
    if (words[0] === '+CONTINUE') {
      log.notice('Successful partial resynchronization with master.')
      return { kind: 'continue', id: words[1]?.length === 40 ? words[1] : undefined }
    }
    if (text.startsWith('-NOMASTERLINK') || text.startsWith('-LOADING')) {
      log.notice(`Master is currently unable to PSYNC but should be in the future: ${text}`)
      return { kind: 'failed' }
    }
    if (this.isFailover) {
      log.warning(`Unexpected reply to PSYNC from master: ${text}`)
      return { kind: 'failed' }
    }
    if (text.startsWith('-ERR')) {
      log.notice(`Master does not support PSYNC or is in error state (reply: ${text})`)
    } else log.warning(`Unexpected reply to PSYNC from master: ${text}`)
    log.notice('Retrying with SYNC...')
    this.send(encodeRequest(['SYNC']))
    return { kind: 'full', id: '', offset: -1 }
  }
}

const topics: Readonly<Record<string, string>> = { port: 'listening-port', address: 'ip-address', capabilities: 'capa' }
