/**
 * The address plan of a run in the real world, on loopback addresses alone:
 *
 *   127.B.1.i   node i listens here and sends from here (`bind`, `bind-source-addr`)
 *   127.B.2.i   node i announces this address; the proxy in front of it listens here
 *   127.B.3.k   client machine k sends from here
 *   127.B.0.1   the lock of the block B
 *
 * So the source address of every connection tells who dialled, and the proxy it came in through tells whom: each link
 * can be cut by itself. Ports need no plan: two runs never share an address.
 *
 * Two runs on one machine get different blocks. A block is taken by listening on a fixed port of its lock address for
 * as long as the run lasts; the system releases it even when the run is killed. B starts at 1: in 127.0.x.x there are
 * other programs (127.0.0.1, Debian's host name on 127.0.1.1, resolvers on 127.0.0.53).
 *
 * Linux answers on all of 127.0.0.0/8. macOS and the BSDs answer on 127.0.0.1 only, until an alias is made for each
 * address; the error says which, and how.
 */
import { createServer, type Server } from 'node:net'
import { HarnessError } from '../../errors.ts'

/** Below the range that systems use for outgoing connections, and registered to nobody. */
const LOCK_PORT = 28474
const FIRST_BLOCK = 1
const LAST_BLOCK = 254
const LAST_HOST = 254

export interface AddressPlan {
  /** The second octet of every address of the run, 1..254. */
  readonly block: number
  /** Address of node `number`, 1..nodes, on which it listens and from which it dials. */
  node(number: number): string
  /** Address that node `number` announces. */
  proxy(number: number): string
  /** Source address of client machine `number`, 1..clients. */
  client(number: number): string
  /** Gives the block back. Idempotent. */
  release(): Promise<void>
}

export interface AddressNeeds {
  /** How many nodes, 1..254. */
  nodes: number
  /** How many client machines, 0..254. */
  clients: number
  /** Where the search for a free block starts; default 1. For runs that are numbered, their number keeps them apart. */
  firstBlock?: number
}

/**
 * Takes a free block and checks that the platform answers on every address the run needs.
 * @throws HarnessError BAD_OPTION for impossible numbers; ADDRESSES when the platform lacks an address, with the
 *   commands that add it, or when all blocks are taken.
 */
export async function allocateAddresses(needs: AddressNeeds): Promise<AddressPlan> {
  const { nodes, clients, firstBlock = FIRST_BLOCK } = needs
  checkCount('nodes', nodes, 1, LAST_HOST)
  checkCount('clients', clients, 0, LAST_HOST)
  checkCount('firstBlock', firstBlock, FIRST_BLOCK, LAST_BLOCK)
  const { block, lock } = await takeBlock(firstBlock, needs)
  const plan = planOf(block, needs, lock)
  try {
    await checkAddresses(addressesOf(block, needs))
  } catch (error) {
    await plan.release()
    throw error
  }
  return plan
}

/** Every address that a run with these needs uses in this block, the lock first. */
export function addressesOf(block: number, needs: AddressNeeds): string[] {
  const hosts = (network: number, count: number) =>
    Array.from({ length: count }, (_unused, index) => `127.${block}.${network}.${index + 1}`)
  return [`127.${block}.0.1`, ...hosts(1, needs.nodes), ...hosts(2, needs.nodes), ...hosts(3, needs.clients)]
}

async function takeBlock(firstBlock: number, needs: AddressNeeds): Promise<{ block: number; lock: Server }> {
  const count = LAST_BLOCK - FIRST_BLOCK + 1
  for (let tried = 0; tried < count; tried++) {
    const block = FIRST_BLOCK + ((firstBlock - FIRST_BLOCK + tried) % count)
    try {
      return { block, lock: await listen(`127.${block}.0.1`, LOCK_PORT) }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EADDRNOTAVAIL') throw unavailable(await missing(addressesOf(block, needs)))
      if (code !== 'EADDRINUSE') throw error
    }
  }
  throw new HarnessError(
    'ADDRESSES',
    `All address blocks 127.${FIRST_BLOCK}.0.0 to 127.${LAST_BLOCK}.0.0 are taken: ` +
      `end other runs, or whatever listens on port ${LOCK_PORT} of every address.`,
  )
}

function planOf(block: number, needs: AddressNeeds, lock: Server): AddressPlan {
  const host = (network: number, number: number, count: number) => {
    checkCount('number', number, 1, count)
    return `127.${block}.${network}.${number}`
  }
  return {
    block,
    node: (number) => host(1, number, needs.nodes),
    proxy: (number) => host(2, number, needs.nodes),
    client: (number) => host(3, number, needs.clients),
    release: () => new Promise((resolve) => lock.close(() => resolve())),
  }
}

async function checkAddresses(addresses: readonly string[]): Promise<void> {
  const absent = await missing(addresses)
  if (absent.length > 0) throw unavailable(absent)
}

async function missing(addresses: readonly string[]): Promise<string[]> {
  const absent: string[] = []
  for (const address of addresses) {
    try {
      const probe = await listen(address, 0)
      await new Promise<void>((resolve) => probe.close(() => resolve()))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRNOTAVAIL') throw error
      absent.push(address)
    }
  }
  return absent
}

/** Listens and accepts nothing: what connects is closed. */
function listen(host: string, port: number): Promise<Server> {
  const server = createServer((socket) => socket.destroy())
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, exclusive: true }, () => resolve(server))
  })
}

/** The error for a platform that has only some loopback addresses: what it lacks, and the commands that add it. */
export function unavailable(addresses: readonly string[]): HarnessError {
  const commands = addresses.map((address) => `  sudo ifconfig lo0 alias ${address} up`)
  const advice = [
    `This machine does not answer on ${addresses.length} loopback addresses that the run needs.`,
    'Linux answers on all of 127.0.0.0/8. On macOS and BSD make an alias for each, once per boot:',
    ...commands,
  ]
  return new HarnessError('ADDRESSES', advice.join('\n'))
}

function checkCount(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new HarnessError('BAD_OPTION', `${name} is ${value}; give a whole number of ${min} to ${max}.`)
  }
}
