/**
 * What COMMAND DOCS tells about the commands of transactions: the words of redis-server 7.0.15 (BSD 3-clause licence,
 * © 2006-2022 Redis Ltd.), since clients read them. How it is written down: `command-docs.ts`.
 */
export const transactionsDocs = `
discard
  = Discard all commands issued after MULTI
  since 2.0.0
  cost O(N), when N is the number of queued commands
exec
  = Execute all commands issued after MULTI
  since 1.2.0
  cost Depends on commands in the transaction
multi
  = Mark the start of a transaction block
  since 1.2.0
  cost O(1)
unwatch
  = Forget about all watched keys
  since 2.2.0
  cost O(1)
watch
  = Watch the given keys to determine execution of the MULTI/EXEC block
  since 2.2.0
  cost O(1) for every key.
  arguments
    key key #0 multiple
`
