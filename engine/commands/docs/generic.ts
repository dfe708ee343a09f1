/**
 * What COMMAND DOCS tells about the commands of keys of any type: the words of redis-server 7.0.15 (BSD 3-clause
 * licence, © 2006-2022 Redis Ltd.), since clients read them. How it is written down: `command-docs.ts`.
 */
export const genericDocs = `
copy
  = Copy a key
  since 6.2.0
  cost O(N) worst case for collections, where N is the number of nested items. O(1) for string values.
  arguments
    source key #0
    destination key #1
    destination-db integer "DB" optional
    replace pure-token "REPLACE" optional
del
  = Delete a key
  since 1.0.0
  cost O(N) where N is the number of keys that will be removed. When a key to remove holds a value other than a string, the individual complexity for this key is O(M) where M is the number of elements in the list, set, sorted set or hash. Removing a single key that holds a string value is O(1).
  arguments
    key key #0 multiple
dump
  = Return a serialized version of the value stored at the specified key.
  since 2.6.0
  cost O(1) to access the key and additional O(N*M) to serialize it, where N is the number of Redis objects composing the value and M their average size. For small string values the time complexity is thus O(1)+O(1*M) where M is small, so simply O(1).
  arguments
    key key #0
exists
  = Determine if a key exists
  since 1.0.0
  cost O(N) where N is the number of keys to check.
  history 3.0.3 Accepts multiple \`key\` arguments.
  arguments
    key key #0 multiple
expire
  = Set a key's time to live in seconds
  since 1.0.0
  cost O(1)
  history 7.0.0 Added options: \`NX\`, \`XX\`, \`GT\` and \`LT\`.
  arguments
    key key #0
    seconds integer
    condition oneof optional since 7.0.0
      nx pure-token "NX"
      xx pure-token "XX"
      gt pure-token "GT"
      lt pure-token "LT"
expireat
  = Set the expiration for a key as a UNIX timestamp
  since 1.2.0
  cost O(1)
  history 7.0.0 Added options: \`NX\`, \`XX\`, \`GT\` and \`LT\`.
  arguments
    key key #0
    unix-time-seconds unix-time
    condition oneof optional since 7.0.0
      nx pure-token "NX"
      xx pure-token "XX"
      gt pure-token "GT"
      lt pure-token "LT"
expiretime
  = Get the expiration Unix timestamp for a key
  since 7.0.0
  cost O(1)
  arguments
    key key #0
keys
  = Find all keys matching the given pattern
  since 1.0.0
  cost O(N) with N being the number of keys in the database, under the assumption that the key names in the database and the given pattern have limited length.
  arguments
    pattern pattern
migrate
  = Atomically transfer a key from a Redis instance to another one.
  since 2.6.0
  cost This command actually executes a DUMP+DEL in the source instance, and a RESTORE in the target instance. See the pages of these commands for time complexity. Also an O(N) data transfer between the two instances is performed.
  history 3.0.0 Added the \`COPY\` and \`REPLACE\` options.
  history 3.0.6 Added the \`KEYS\` option.
  history 4.0.7 Added the \`AUTH\` option.
  history 6.0.0 Added the \`AUTH2\` option.
  arguments
    host string
    port integer
    key_or_empty_string oneof
      key key #0
      empty_string pure-token ""
    destination-db integer
    timeout integer
    copy pure-token "COPY" optional since 3.0.0
    replace pure-token "REPLACE" optional since 3.0.0
    authentication oneof optional
      password string "AUTH" optional since 4.0.7
      username_password block "AUTH2" optional since 6.0.0
        username string
        password string
    key key "KEYS" #1 optional multiple since 3.0.6
move
  = Move a key to another database
  since 1.0.0
  cost O(1)
  arguments
    key key #0
    db integer
object
  = A container for object introspection commands
  since 2.2.3
  cost Depends on subcommand.
object|encoding
  = Inspect the internal encoding of a Redis object
  since 2.2.3
  cost O(1)
  arguments
    key key #0
object|freq
  = Get the logarithmic access frequency counter of a Redis object
  since 4.0.0
  cost O(1)
  arguments
    key key #0
object|help
  = Show helpful text about the different subcommands
  since 6.2.0
  cost O(1)
object|idletime
  = Get the time since a Redis object was last accessed
  since 2.2.3
  cost O(1)
  arguments
    key key #0
object|refcount
  = Get the number of references to the value of the key
  since 2.2.3
  cost O(1)
  arguments
    key key #0
persist
  = Remove the expiration from a key
  since 2.2.0
  cost O(1)
  arguments
    key key #0
pexpire
  = Set a key's time to live in milliseconds
  since 2.6.0
  cost O(1)
  history 7.0.0 Added options: \`NX\`, \`XX\`, \`GT\` and \`LT\`.
  arguments
    key key #0
    milliseconds integer
    condition oneof optional since 7.0.0
      nx pure-token "NX"
      xx pure-token "XX"
      gt pure-token "GT"
      lt pure-token "LT"
pexpireat
  = Set the expiration for a key as a UNIX timestamp specified in milliseconds
  since 2.6.0
  cost O(1)
  history 7.0.0 Added options: \`NX\`, \`XX\`, \`GT\` and \`LT\`.
  arguments
    key key #0
    unix-time-milliseconds unix-time
    condition oneof optional since 7.0.0
      nx pure-token "NX"
      xx pure-token "XX"
      gt pure-token "GT"
      lt pure-token "LT"
pexpiretime
  = Get the expiration Unix timestamp for a key in milliseconds
  since 7.0.0
  cost O(1)
  arguments
    key key #0
pttl
  = Get the time to live for a key in milliseconds
  since 2.6.0
  cost O(1)
  history 2.8.0 Added the -2 reply.
  arguments
    key key #0
randomkey
  = Return a random key from the keyspace
  since 1.0.0
  cost O(1)
rename
  = Rename a key
  since 1.0.0
  cost O(1)
  arguments
    key key #0
    newkey key #1
renamenx
  = Rename a key, only if the new key does not exist
  since 1.0.0
  cost O(1)
  history 3.2.0 The command no longer returns an error when source and destination names are the same.
  arguments
    key key #0
    newkey key #1
restore
  = Create a key using the provided serialized value, previously obtained using DUMP.
  since 2.6.0
  cost O(1) to create the new key and additional O(N*M) to reconstruct the serialized value, where N is the number of Redis objects composing the value and M their average size. For small string values the time complexity is thus O(1)+O(1*M) where M is small, so simply O(1). However for sorted set values the complexity is O(N*M*log(N)) because inserting values into sorted sets is O(log(N)).
  history 3.0.0 Added the \`REPLACE\` modifier.
  history 5.0.0 Added the \`ABSTTL\` modifier.
  history 5.0.0 Added the \`IDLETIME\` and \`FREQ\` options.
  arguments
    key key #0
    ttl integer
    serialized-value string
    replace pure-token "REPLACE" optional since 3.0.0
    absttl pure-token "ABSTTL" optional since 5.0.0
    seconds integer "IDLETIME" optional since 5.0.0
    frequency integer "FREQ" optional since 5.0.0
scan
  = Incrementally iterate the keys space
  since 2.8.0
  cost O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to return back to 0. N is the number of elements inside the collection.
  history 6.0.0 Added the \`TYPE\` subcommand.
  arguments
    cursor integer
    pattern pattern "MATCH" optional
    count integer "COUNT" optional
    type string "TYPE" optional since 6.0.0
sort
  = Sort the elements in a list, set or sorted set
  since 1.0.0
  cost O(N+M*log(M)) where N is the number of elements in the list or set to sort, and M the number of returned elements. When the elements are not sorted, complexity is O(N).
  arguments
    key key #0
    pattern pattern "BY" #1 optional
    offset_count block "LIMIT" optional
      offset integer
      count integer
    pattern pattern "GET" #1 optional multiple multiple_token
    order oneof optional
      asc pure-token "ASC"
      desc pure-token "DESC"
    sorting pure-token "ALPHA" optional
    destination key "STORE" #2 optional
sort_ro
  = Sort the elements in a list, set or sorted set. Read-only variant of SORT.
  since 7.0.0
  cost O(N+M*log(M)) where N is the number of elements in the list or set to sort, and M the number of returned elements. When the elements are not sorted, complexity is O(N).
  arguments
    key key #0
    pattern pattern "BY" #1 optional
    offset_count block "LIMIT" optional
      offset integer
      count integer
    pattern pattern "GET" #1 optional multiple multiple_token
    order oneof optional
      asc pure-token "ASC"
      desc pure-token "DESC"
    sorting pure-token "ALPHA" optional
touch
  = Alters the last access time of a key(s). Returns the number of existing keys specified.
  since 3.2.1
  cost O(N) where N is the number of keys that will be touched.
  arguments
    key key #0 multiple
ttl
  = Get the time to live for a key in seconds
  since 1.0.0
  cost O(1)
  history 2.8.0 Added the -2 reply.
  arguments
    key key #0
type
  = Determine the type stored at key
  since 1.0.0
  cost O(1)
  arguments
    key key #0
unlink
  = Delete a key asynchronously in another thread. Otherwise it is just as DEL, but non blocking.
  since 4.0.0
  cost O(1) for each key removed regardless of its size. Then the command does O(N) work in a different thread in order to reclaim memory, where N is the number of allocations the deleted objects where composed of.
  arguments
    key key #0 multiple
wait
  = Wait for the synchronous replication of all the write commands sent in the context of the current connection
  since 3.0.0
  cost O(1)
  arguments
    numreplicas integer
    timeout integer
`
