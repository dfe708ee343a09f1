/** Programs that are started find a name service of the test's own: nothing is asked of the network. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** `never`: it does not answer. Otherwise a POSIX code, or addresses after so long. */
export type NameService = 'never' | { error: string } | { addresses: readonly string[]; delayMs: number }

/** What NODE_OPTIONS must be for it. Writes a file into the directory. */
export function withNameService(directory: string, service: NameService): string {
  const file = join(directory, `name-service-${Math.random()}.cjs`)
  writeFileSync(file, `(${patch})(${JSON.stringify(service)})`)
  return `--require=${file}`
}

/** Runs in the program: it must stand for itself. */
const patch = `(service) => {
  require('node:dns').lookup = (name, options, callback) => {
    if (service === 'never') setInterval(() => {}, 1000)
    else if ('error' in service) setImmediate(() => callback(Object.assign(new Error(service.error), { code: service.error })))
    else {
      const found = service.addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
      const tell = () => options.all ? callback(null, found) : callback(null, found[0].address, found[0].family)
      setTimeout(tell, service.delayMs)
    }
  }
}`
