/** Every command that the engine knows, by family: one line per family. */
import { aclCommands } from './acl.ts'
import { bitmapCommands } from './bitmap.ts'
import { clientCommands } from './client.ts'
import { clusterCommands } from './cluster.ts'
import type { Command } from './command.ts'
import { commandCommands } from './command-info.ts'
import { configCommands } from './config.ts'
import { connectionCommands } from './connection.ts'
import { counterCommands } from './counter.ts'
import { debugCommands } from './debug.ts'
import { expireCommands } from './expire.ts'
import { functionCommands } from './function.ts'
import { genericCommands } from './generic.ts'
import { geoCommands } from './geo.ts'
import { geoSearchCommands } from './geo-search.ts'
import { hashCommands } from './hash.ts'
import { hashCounterCommands } from './hash-counter.ts'
import { hyperloglogCommands } from './hyperloglog.ts'
import { latencyCommands } from './latency.ts'
import { listCommands } from './list.ts'
import { listPopCommands } from './list-pop.ts'
import { lolwutCommands } from './lolwut.ts'
import { memoryCommands } from './memory.ts'
import { migrateCommands } from './migrate.ts'
import { moduleCommands } from './module.ts'
import { persistenceCommands } from './persistence.ts'
import { pubsubCommands } from './pubsub.ts'
import { replicationCommands } from './replication.ts'
import { scriptCommands } from './script.ts'
import { serverCommands } from './server.ts'
import { setCommands } from './set.ts'
import { setAlgebraCommands } from './set-algebra.ts'
import { slowlogCommands } from './slowlog.ts'
import { sortCommands } from './sort.ts'
import { sortedSetCommands } from './sorted-set.ts'
import { sortedSetAlgebraCommands } from './sorted-set-algebra.ts'
import { sortedSetPopCommands } from './sorted-set-pop.ts'
import { sortedSetRangeCommands } from './sorted-set-range.ts'
import { streamCommands } from './stream.ts'
import { streamGroupCommands } from './stream-group.ts'
import { streamInfoCommands } from './stream-info.ts'
import { streamPendingCommands } from './stream-pending.ts'
import { streamReadCommands } from './stream-read.ts'
import { stringCommands } from './string.ts'
import { transactionCommands } from './transaction.ts'

export const commandFamilies: readonly (readonly Command[])[] = [
  connectionCommands,
  aclCommands,
  clientCommands,
  commandCommands,
  configCommands,
  serverCommands,
  lolwutCommands,
  debugCommands,
  transactionCommands,
  scriptCommands,
  functionCommands,
  pubsubCommands,
  slowlogCommands,
  latencyCommands,
  memoryCommands,
  moduleCommands,
  stringCommands,
  counterCommands,
  bitmapCommands,
  hyperloglogCommands,
  listCommands,
  listPopCommands,
  hashCommands,
  hashCounterCommands,
  setCommands,
  setAlgebraCommands,
  sortedSetCommands,
  sortedSetRangeCommands,
  sortedSetPopCommands,
  sortedSetAlgebraCommands,
  geoCommands,
  geoSearchCommands,
  streamCommands,
  streamReadCommands,
  streamGroupCommands,
  streamPendingCommands,
  streamInfoCommands,
  genericCommands,
  sortCommands,
  expireCommands,
  clusterCommands,
  migrateCommands,
  persistenceCommands,
  replicationCommands,
]
