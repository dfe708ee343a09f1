/**
 * What COMMAND DOCS tells about the commands of streams: the words of redis-server 7.0.15 (BSD 3-clause licence,
 * © 2006-2022 Redis Ltd.), since clients read them. How it is written down: `command-docs.ts`.
 */
export const streamDocs = `
xack
  = Marks a pending message as correctly processed, effectively removing it from the pending entries list of the consumer group. Return value of the command is the number of messages successfully acknowledged, that is, the IDs we were actually able to resolve in the PEL.
  since 5.0.0
  cost O(1) for each message ID processed.
  arguments
    key key #0
    group string
    id string multiple
xadd
  = Appends a new entry to a stream
  since 5.0.0
  cost O(1) when adding a new entry, O(N) when trimming where N being the number of entries evicted.
  history 6.2.0 Added the \`NOMKSTREAM\` option, \`MINID\` trimming strategy and the \`LIMIT\` option.
  history 7.0.0 Added support for the \`<ms>-*\` explicit ID form.
  arguments
    key key #0
    nomkstream pure-token "NOMKSTREAM" optional since 6.2.0
    trim block optional
      strategy oneof
        maxlen pure-token "MAXLEN"
        minid pure-token "MINID" since 6.2.0
      operator oneof optional
        equal pure-token "="
        approximately pure-token "~"
      threshold string
      count integer "LIMIT" optional since 6.2.0
    id_or_auto oneof
      auto_id pure-token "*"
      id string
    field_value block multiple
      field string
      value string
xautoclaim
  = Changes (or acquires) ownership of messages in a consumer group, as if the messages were delivered to the specified consumer.
  since 6.2.0
  cost O(1) if COUNT is small.
  history 7.0.0 Added an element to the reply array, containing deleted entries the command cleared from the PEL
  arguments
    key key #0
    group string
    consumer string
    min-idle-time string
    start string
    count integer "COUNT" optional
    justid pure-token "JUSTID" optional
xclaim
  = Changes (or acquires) ownership of a message in a consumer group, as if the message was delivered to the specified consumer.
  since 5.0.0
  cost O(log N) with N being the number of messages in the PEL of the consumer group.
  arguments
    key key #0
    group string
    consumer string
    min-idle-time string
    id string multiple
    ms integer "IDLE" optional
    unix-time-milliseconds unix-time "TIME" optional
    count integer "RETRYCOUNT" optional
    force pure-token "FORCE" optional
    justid pure-token "JUSTID" optional
    id string "LASTID" optional
xdel
  = Removes the specified entries from the stream. Returns the number of items actually deleted, that may be different from the number of IDs passed in case certain IDs do not exist.
  since 5.0.0
  cost O(1) for each single item to delete in the stream, regardless of the stream size.
  arguments
    key key #0
    id string multiple
xgroup
  = A container for consumer groups commands
  since 5.0.0
  cost Depends on subcommand.
xgroup|create
  = Create a consumer group.
  since 5.0.0
  cost O(1)
  history 7.0.0 Added the \`entries_read\` named argument.
  arguments
    key key #0
    groupname string
    id oneof
      id string
      new_id pure-token "$"
    mkstream pure-token "MKSTREAM" optional
    entries_read integer "ENTRIESREAD" optional
xgroup|createconsumer
  = Create a consumer in a consumer group.
  since 6.2.0
  cost O(1)
  arguments
    key key #0
    groupname string
    consumername string
xgroup|delconsumer
  = Delete a consumer from a consumer group.
  since 5.0.0
  cost O(1)
  arguments
    key key #0
    groupname string
    consumername string
xgroup|destroy
  = Destroy a consumer group.
  since 5.0.0
  cost O(N) where N is the number of entries in the group's pending entries list (PEL).
  arguments
    key key #0
    groupname string
xgroup|help
  = Show helpful text about the different subcommands
  since 5.0.0
  cost O(1)
xgroup|setid
  = Set a consumer group to an arbitrary last delivered ID value.
  since 5.0.0
  cost O(1)
  history 7.0.0 Added the optional \`entries_read\` argument.
  arguments
    key key #0
    groupname string
    id oneof
      id string
      new_id pure-token "$"
    entries_read integer "ENTRIESREAD" optional
xinfo
  = A container for stream introspection commands
  since 5.0.0
  cost Depends on subcommand.
xinfo|consumers
  = List the consumers in a consumer group
  since 5.0.0
  cost O(1)
  arguments
    key key #0
    groupname string
xinfo|groups
  = List the consumer groups of a stream
  since 5.0.0
  cost O(1)
  history 7.0.0 Added the \`entries-read\` and \`lag\` fields
  arguments
    key key #0
xinfo|help
  = Show helpful text about the different subcommands
  since 5.0.0
  cost O(1)
xinfo|stream
  = Get information about a stream
  since 5.0.0
  cost O(1)
  history 6.0.0 Added the \`FULL\` modifier.
  history 7.0.0 Added the \`max-deleted-entry-id\`, \`entries-added\`, \`recorded-first-entry-id\`, \`entries-read\` and \`lag\` fields
  arguments
    key key #0
    full block "FULL" optional
      count integer "COUNT" optional
xlen
  = Return the number of entries in a stream
  since 5.0.0
  cost O(1)
  arguments
    key key #0
xpending
  = Return information and entries from a stream consumer group pending entries list, that are messages fetched but never acknowledged.
  since 5.0.0
  cost O(N) with N being the number of elements returned, so asking for a small fixed number of entries per call is O(1). O(M), where M is the total number of entries scanned when used with the IDLE filter. When the command returns just the summary and the list of consumers is small, it runs in O(1) time; otherwise, an additional O(N) time for iterating every consumer.
  history 6.2.0 Added the \`IDLE\` option and exclusive range intervals.
  arguments
    key key #0
    group string
    filters block optional
      min-idle-time integer "IDLE" optional since 6.2.0
      start string
      end string
      count integer
      consumer string optional
xrange
  = Return a range of elements in a stream, with IDs matching the specified IDs interval
  since 5.0.0
  cost O(N) with N being the number of elements being returned. If N is constant (e.g. always asking for the first 10 elements with COUNT), you can consider it O(1).
  history 6.2.0 Added exclusive ranges.
  arguments
    key key #0
    start string
    end string
    count integer "COUNT" optional
xread
  = Return never seen elements in multiple streams, with IDs greater than the ones reported by the caller for each stream. Can block.
  since 5.0.0
  cost For each stream mentioned: O(N) with N being the number of elements being returned, it means that XREAD-ing with a fixed COUNT is O(1). Note that when the BLOCK option is used, XADD will pay O(M) time in order to serve the M clients blocked on the stream getting new data.
  arguments
    count integer "COUNT" optional
    milliseconds integer "BLOCK" optional
    streams block "STREAMS"
      key key #0 multiple
      id string multiple
xreadgroup
  = Return new entries from a stream using a consumer group, or access the history of the pending entries for a given consumer. Can block.
  since 5.0.0
  cost For each stream mentioned: O(M) with M being the number of elements returned. If M is constant (e.g. always asking for the first 10 elements with COUNT), you can consider it O(1). On the other side when XREADGROUP blocks, XADD will pay the O(N) time in order to serve the N clients blocked on the stream getting new data.
  arguments
    group_consumer block "GROUP"
      group string
      consumer string
    count integer "COUNT" optional
    milliseconds integer "BLOCK" optional
    noack pure-token "NOACK" optional
    streams block "STREAMS"
      key key #0 multiple
      id string multiple
xrevrange
  = Return a range of elements in a stream, with IDs matching the specified IDs interval, in reverse order (from greater to smaller IDs) compared to XRANGE
  since 5.0.0
  cost O(N) with N being the number of elements returned. If N is constant (e.g. always asking for the first 10 elements with COUNT), you can consider it O(1).
  history 6.2.0 Added exclusive ranges.
  arguments
    key key #0
    end string
    start string
    count integer "COUNT" optional
xsetid
  = An internal command for replicating stream values
  since 5.0.0
  cost O(1)
  history 7.0.0 Added the \`entries_added\` and \`max_deleted_entry_id\` arguments.
  arguments
    key key #0
    last-id string
    entries_added integer "ENTRIESADDED" optional since 7.0.0
    max_deleted_entry_id string "MAXDELETEDID" optional since 7.0.0
xtrim
  = Trims the stream to (approximately if '~' is passed) a certain size
  since 5.0.0
  cost O(N), with N being the number of evicted entries. Constant times are very small however, since entries are organized in macro nodes containing multiple entries that can be released with a single deallocation.
  history 6.2.0 Added the \`MINID\` trimming strategy and the \`LIMIT\` option.
  arguments
    key key #0
    trim block
      strategy oneof
        maxlen pure-token "MAXLEN"
        minid pure-token "MINID" since 6.2.0
      operator oneof optional
        equal pure-token "="
        approximately pure-token "~"
      threshold string
      count integer "LIMIT" optional since 6.2.0
`
