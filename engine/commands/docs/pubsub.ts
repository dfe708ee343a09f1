/**
 * What COMMAND DOCS tells about the commands of publishing and subscribing: the words of redis-server 7.0.15 (BSD
 * 3-clause licence, © 2006-2022 Redis Ltd.), since clients read them. How it is written down: `command-docs.ts`.
 */
export const pubsubDocs = `
psubscribe
  = Listen for messages published to channels matching the given patterns
  since 2.0.0
  cost O(N) where N is the number of patterns the client is already subscribed to.
  arguments
    pattern block multiple
      pattern pattern
publish
  = Post a message to a channel
  since 2.0.0
  cost O(N+M) where N is the number of clients subscribed to the receiving channel and M is the total number of subscribed patterns (by any client).
  arguments
    channel string
    message string
pubsub
  = A container for Pub/Sub commands
  since 2.8.0
  cost Depends on subcommand.
pubsub|channels
  = List active channels
  since 2.8.0
  cost O(N) where N is the number of active channels, and assuming constant time pattern matching (relatively short channels and patterns)
  arguments
    pattern pattern optional
pubsub|help
  = Show helpful text about the different subcommands
  since 6.2.0
  cost O(1)
pubsub|numpat
  = Get the count of unique patterns pattern subscriptions
  since 2.8.0
  cost O(1)
pubsub|numsub
  = Get the count of subscribers for channels
  since 2.8.0
  cost O(N) for the NUMSUB subcommand, where N is the number of requested channels
  arguments
    channel string optional multiple
pubsub|shardchannels
  = List active shard channels
  since 7.0.0
  cost O(N) where N is the number of active shard channels, and assuming constant time pattern matching (relatively short shard channels).
  arguments
    pattern pattern optional
pubsub|shardnumsub
  = Get the count of subscribers for shard channels
  since 7.0.0
  cost O(N) for the SHARDNUMSUB subcommand, where N is the number of requested shard channels
  arguments
    shardchannel string optional multiple
punsubscribe
  = Stop listening for messages posted to channels matching the given patterns
  since 2.0.0
  cost O(N+M) where N is the number of patterns the client is already subscribed and M is the number of total patterns subscribed in the system (by any client).
  arguments
    pattern pattern optional multiple
spublish
  = Post a message to a shard channel
  since 7.0.0
  cost O(N) where N is the number of clients subscribed to the receiving shard channel.
  arguments
    shardchannel string
    message string
ssubscribe
  = Listen for messages published to the given shard channels
  since 7.0.0
  cost O(N) where N is the number of shard channels to subscribe to.
  arguments
    shardchannel string multiple
subscribe
  = Listen for messages published to the given channels
  since 2.0.0
  cost O(N) where N is the number of channels to subscribe to.
  arguments
    channel string multiple
sunsubscribe
  = Stop listening for messages posted to the given shard channels
  since 7.0.0
  cost O(N) where N is the number of clients already subscribed to a shard channel.
  arguments
    shardchannel string optional multiple
unsubscribe
  = Stop listening for messages posted to the given channels
  since 2.0.0
  cost O(N) where N is the number of clients already subscribed to a channel.
  arguments
    channel string optional multiple
`
