/** Every command that the engine knows, by family: one line per family. */
import { clientCommands } from './client.ts'
import { clusterCommands } from './cluster.ts'
import type { Command } from './command.ts'
import { configCommands } from './config.ts'
import { connectionCommands } from './connection.ts'
import { counterCommands } from './counter.ts'
import { expireCommands } from './expire.ts'
import { genericCommands } from './generic.ts'
import { migrateCommands } from './migrate.ts'
import { persistenceCommands } from './persistence.ts'
import { replicationCommands } from './replication.ts'
import { stringCommands } from './string.ts'

export const commandFamilies: readonly (readonly Command[])[] = [
  connectionCommands,
  clientCommands,
  configCommands,
  stringCommands,
  counterCommands,
  genericCommands,
  expireCommands,
  clusterCommands,
  migrateCommands,
  persistenceCommands,
  replicationCommands,
]
