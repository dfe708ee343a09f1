/**
 * Commands by name: the tests of redis-benchmark (`-t`), with the same requests, and the parts of a `--mix`. Every key
 * of redis-benchmark is `key:` with 12 digits where `-r` is given; here ids are always drawn.
 */
import type { CommandSpec } from './load-spec.ts'

type Words = readonly string[]

const presets: Readonly<Record<string, Words>> = {
  ping: ['PING'],
  ping_mbulk: ['PING'],
  set: ['SET', '__key__', '__data__'],
  setex: ['SET', '__key__', '__data__', 'EX', '__ttl__'],
  get: ['GET', '__key__'],
  incr: ['INCR', 'counter:__id__'],
  lpush: ['LPUSH', 'mylist', '__data__'],
  rpush: ['RPUSH', 'mylist', '__data__'],
  lpop: ['LPOP', 'mylist'],
  rpop: ['RPOP', 'mylist'],
  sadd: ['SADD', 'myset', 'element:__id__'],
  hset: ['HSET', 'myhash', 'element:__id__', '__data__'],
  spop: ['SPOP', 'myset'],
  zadd: ['ZADD', 'myzset', '__id__', 'element:__again__'],
  zpopmin: ['ZPOPMIN', 'myzset'],
  lrange_100: ['LRANGE', 'mylist', '0', '99'],
  lrange_300: ['LRANGE', 'mylist', '0', '299'],
  lrange_500: ['LRANGE', 'mylist', '0', '499'],
  lrange_600: ['LRANGE', 'mylist', '0', '599'],
  mset: ['MSET', ...Array.from({ length: 10 }, () => ['__key__', '__data__']).flat()],
  // Ten keys of one slot, for Cluster.
  mset_tag: [
    'MSET',
    ...Array.from({ length: 10 }, (_, i) => [`{__${i === 0 ? 'id' : 'again'}__}:${i}`, '__data__']).flat(),
  ],
  mget_tag: ['MGET', ...Array.from({ length: 10 }, (_, i) => `{__${i === 0 ? 'id' : 'again'}__}:${i}`)],
}

export const presetNames: readonly string[] = Object.keys(presets)

/** Undefined: there is none of this name. */
export function presetCommand(name: string, weight = 1): CommandSpec | undefined {
  const words = presets[name.toLowerCase()]
  return words === undefined ? undefined : { name: name.toUpperCase(), words, weight }
}
