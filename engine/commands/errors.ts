/** Every error text that goes over the wire, in Redis 7.0's words. Constants: nothing is built on the hot path. */
export const errors = {
  syntax: 'ERR syntax error',
  wrongType: 'WRONGTYPE Operation against a key holding the wrong kind of value',
  notInteger: 'ERR value is not an integer or out of range',
  notInt32: 'ERR value is out of range, value must between -2147483648 and 2147483647',
  notFloat: 'ERR value is not a valid float',
  noSuchKey: 'ERR no such key',
  outOfRange: 'ERR index out of range',
  sameObject: 'ERR source and destination objects are the same',
  overflow: 'ERR increment or decrement would overflow',
  noAuth: 'NOAUTH Authentication required.',
  wrongPass: 'WRONGPASS invalid username-password pair or user is disabled.',
  loading: 'LOADING Redis is loading the dataset in memory',
  masterDown: "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
  readOnly: "READONLY You can't write against a read only replica.",
  noReplicas: 'NOREPLICAS Not enough good replicas to write.',
  execAbort: 'EXECABORT Transaction discarded because of previous errors.',
  outOfMemory: "OOM command not allowed when used memory > 'maxmemory'.",
  crossSlot: "CROSSSLOT Keys in request don't hash to the same slot",
} as const

export function wrongArity(fullName: string): string {
  return `ERR wrong number of arguments for '${fullName}' command`
}
