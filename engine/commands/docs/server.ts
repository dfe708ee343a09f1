/**
 * What COMMAND DOCS tells about the commands of the server itself: the words of redis-server 7.0.15 (BSD 3-clause
 * licence, © 2006-2022 Redis Ltd.), since clients read them. How it is written down: `command-docs.ts`.
 */
export const serverDocs = `
acl
  = A container for Access List Control commands\x20
  since 6.0.0
  cost Depends on subcommand.
acl|cat
  = List the ACL categories or the commands inside a category
  since 6.0.0
  cost O(1) since the categories and commands are a fixed set.
  arguments
    categoryname string optional
acl|deluser
  = Remove the specified ACL users and the associated rules
  since 6.0.0
  cost O(1) amortized time considering the typical user.
  arguments
    username string multiple
acl|dryrun
  = Returns whether the user can execute the given command without executing the command.
  since 7.0.0
  cost O(1).
  arguments
    username string
    command string
    arg string optional multiple
acl|genpass
  = Generate a pseudorandom secure password to use for ACL users
  since 6.0.0
  cost O(1)
  arguments
    bits integer optional
acl|getuser
  = Get the rules for a specific ACL user
  since 6.0.0
  cost O(N). Where N is the number of password, command and pattern rules that the user has.
  history 6.2.0 Added Pub/Sub channel patterns.
  history 7.0.0 Added selectors and changed the format of key and channel patterns from a list to their rule representation.
  arguments
    username string
acl|help
  = Show helpful text about the different subcommands
  since 6.0.0
  cost O(1)
acl|list
  = List the current ACL rules in ACL config file format
  since 6.0.0
  cost O(N). Where N is the number of configured users.
acl|load
  = Reload the ACLs from the configured ACL file
  since 6.0.0
  cost O(N). Where N is the number of configured users.
acl|log
  = List latest events denied because of ACLs in place
  since 6.0.0
  cost O(N) with N being the number of entries shown.
  arguments
    operation oneof optional
      count integer
      reset pure-token "RESET"
acl|save
  = Save the current ACL rules in the configured ACL file
  since 6.0.0
  cost O(N). Where N is the number of configured users.
acl|setuser
  = Modify or create the rules for a specific ACL user
  since 6.0.0
  cost O(N). Where N is the number of rules provided.
  history 6.2.0 Added Pub/Sub channel patterns.
  history 7.0.0 Added selectors and key based permissions.
  arguments
    username string
    rule string optional multiple
acl|users
  = List the username of all the configured ACL rules
  since 6.0.0
  cost O(N). Where N is the number of configured users.
acl|whoami
  = Return the name of the user associated to the current connection
  since 6.0.0
  cost O(1)
bgrewriteaof
  = Asynchronously rewrite the append-only file
  since 1.0.0
  cost O(1)
bgsave
  = Asynchronously save the dataset to disk
  since 1.0.0
  cost O(1)
  history 3.2.2 Added the \`SCHEDULE\` option.
  arguments
    schedule pure-token "SCHEDULE" optional since 3.2.2
command
  = Get array of Redis command details
  since 2.8.13
  cost O(N) where N is the total number of Redis commands
command|count
  = Get total number of Redis commands
  since 2.8.13
  cost O(1)
command|docs
  = Get array of specific Redis command documentation
  since 7.0.0
  cost O(N) where N is the number of commands to look up
  arguments
    command-name string optional multiple
command|getkeys
  = Extract keys given a full Redis command
  since 2.8.13
  cost O(N) where N is the number of arguments to the command
command|getkeysandflags
  = Extract keys and access flags given a full Redis command
  since 7.0.0
  cost O(N) where N is the number of arguments to the command
command|help
  = Show helpful text about the different subcommands
  since 5.0.0
  cost O(1)
command|info
  = Get array of specific Redis command details, or all when no argument is given.
  since 2.8.13
  cost O(N) where N is the number of commands to look up
  history 7.0.0 Allowed to be called with no argument to get info on all commands.
  arguments
    command-name string optional multiple
command|list
  = Get an array of Redis command names
  since 7.0.0
  cost O(N) where N is the total number of Redis commands
  arguments
    filterby oneof "FILTERBY" optional
      module-name string "MODULE"
      category string "ACLCAT"
      pattern pattern "PATTERN"
config
  = A container for server configuration commands
  since 2.0.0
  cost Depends on subcommand.
config|get
  = Get the values of configuration parameters
  since 2.0.0
  cost O(N) when N is the number of configuration parameters provided
  history 7.0.0 Added the ability to pass multiple pattern parameters in one call
  arguments
    parameter block multiple
      parameter string
config|help
  = Show helpful text about the different subcommands
  since 5.0.0
  cost O(1)
config|resetstat
  = Reset the stats returned by INFO
  since 2.0.0
  cost O(1)
config|rewrite
  = Rewrite the configuration file with the in memory configuration
  since 2.8.0
  cost O(1)
config|set
  = Set configuration parameters to the given values
  since 2.0.0
  cost O(N) when N is the number of configuration parameters provided
  history 7.0.0 Added the ability to set multiple parameters in one call.
  arguments
    parameter_value block multiple
      parameter string
      value string
dbsize
  = Return the number of keys in the selected database
  since 1.0.0
  cost O(1)
debug
  = A container for debugging commands
  since 1.0.0
  cost Depends on subcommand.
  flag syscmd
failover
  = Start a coordinated failover between this server and one of its replicas.
  since 6.2.0
  cost O(1)
  arguments
    target block "TO" optional
      host string
      port integer
      force pure-token "FORCE" optional
    abort pure-token "ABORT" optional
    milliseconds integer "TIMEOUT" optional
flushall
  = Remove all keys from all databases
  since 1.0.0
  cost O(N) where N is the total number of keys in all databases
  history 4.0.0 Added the \`ASYNC\` flushing mode modifier.
  history 6.2.0 Added the \`SYNC\` flushing mode modifier.
  arguments
    async oneof optional
      async pure-token "ASYNC" since 4.0.0
      sync pure-token "SYNC" since 6.2.0
flushdb
  = Remove all keys from the current database
  since 1.0.0
  cost O(N) where N is the number of keys in the selected database
  history 4.0.0 Added the \`ASYNC\` flushing mode modifier.
  history 6.2.0 Added the \`SYNC\` flushing mode modifier.
  arguments
    async oneof optional
      async pure-token "ASYNC" since 4.0.0
      sync pure-token "SYNC" since 6.2.0
info
  = Get information and statistics about the server
  since 1.0.0
  cost O(1)
  history 7.0.0 Added support for taking multiple section arguments.
  arguments
    section string optional multiple
lastsave
  = Get the UNIX time stamp of the last successful save to disk
  since 1.0.0
  cost O(1)
latency
  = A container for latency diagnostics commands
  since 2.8.13
  cost Depends on subcommand.
latency|doctor
  = Return a human readable latency analysis report.
  since 2.8.13
  cost O(1)
latency|graph
  = Return a latency graph for the event.
  since 2.8.13
  cost O(1)
  arguments
    event string
latency|help
  = Show helpful text about the different subcommands.
  since 2.8.13
  cost O(1)
latency|histogram
  = Return the cumulative distribution of latencies of a subset of commands or all.
  since 7.0.0
  cost O(N) where N is the number of commands with latency information being retrieved.
  arguments
    command string optional multiple
latency|history
  = Return timestamp-latency samples for the event.
  since 2.8.13
  cost O(1)
  arguments
    event string
latency|latest
  = Return the latest latency samples for all events.
  since 2.8.13
  cost O(1)
latency|reset
  = Reset latency data for one or more events.
  since 2.8.13
  cost O(1)
  arguments
    event string optional multiple
lolwut
  = Display some computer art and the Redis version
  since 5.0.0
  arguments
    version integer "VERSION" optional
memory
  = A container for memory diagnostics commands
  since 4.0.0
  cost Depends on subcommand.
memory|doctor
  = Outputs memory problems report
  since 4.0.0
  cost O(1)
memory|help
  = Show helpful text about the different subcommands
  since 4.0.0
  cost O(1)
memory|malloc-stats
  = Show allocator internal stats
  since 4.0.0
  cost Depends on how much memory is allocated, could be slow
memory|purge
  = Ask the allocator to release memory
  since 4.0.0
  cost Depends on how much memory is allocated, could be slow
memory|stats
  = Show memory usage details
  since 4.0.0
  cost O(1)
memory|usage
  = Estimate the memory usage of a key
  since 4.0.0
  cost O(N) where N is the number of samples.
  arguments
    key key #0
    count integer "SAMPLES" optional
module
  = A container for module commands
  since 4.0.0
  cost Depends on subcommand.
module|help
  = Show helpful text about the different subcommands
  since 5.0.0
  cost O(1)
module|list
  = List all modules loaded by the server
  since 4.0.0
  cost O(N) where N is the number of loaded modules.
module|load
  = Load a module
  since 4.0.0
  cost O(1)
  arguments
    path string
    arg string optional multiple
module|loadex
  = Load a module with extended parameters
  since 7.0.0
  cost O(1)
  arguments
    path string
    configs block "CONFIG" optional multiple multiple_token
      name string
      value string
    args block "ARGS" optional multiple
      arg string
module|unload
  = Unload a module
  since 4.0.0
  cost O(1)
  arguments
    name string
monitor
  = Listen for all requests received by the server in real time
  since 1.0.0
psync
  = Internal command used for replication
  since 2.8.0
  arguments
    replicationid string
    offset integer
replconf
  = An internal command for configuring the replication stream
  since 3.0.0
  cost O(1)
  flag syscmd
replicaof
  = Make the server a replica of another instance, or promote it as master.
  since 5.0.0
  cost O(1)
  arguments
    args oneof
      host-port block
        host string
        port integer
      no-one block
        no pure-token "NO"
        one pure-token "ONE"
restore-asking
  = An internal command for migrating keys in a cluster
  since 3.0.0
  cost O(1) to create the new key and additional O(N*M) to reconstruct the serialized value, where N is the number of Redis objects composing the value and M their average size. For small string values the time complexity is thus O(1)+O(1*M) where M is small, so simply O(1). However for sorted set values the complexity is O(N*M*log(N)) because inserting values into sorted sets is O(log(N)).
  flag syscmd
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
role
  = Return the role of the instance in the context of replication
  since 2.8.12
  cost O(1)
save
  = Synchronously save the dataset to disk
  since 1.0.0
  cost O(N) where N is the total number of keys in all databases
shutdown
  = Synchronously save the dataset to disk and then shut down the server
  since 1.0.0
  cost O(N) when saving, where N is the total number of keys in all databases when saving data, otherwise O(1)
  history 7.0.0 Added the \`NOW\`, \`FORCE\` and \`ABORT\` modifiers.
  arguments
    nosave_save oneof optional
      nosave pure-token "NOSAVE"
      save pure-token "SAVE"
    now pure-token "NOW" optional since 7.0.0
    force pure-token "FORCE" optional since 7.0.0
    abort pure-token "ABORT" optional since 7.0.0
slaveof
  = Make the server a replica of another instance, or promote it as master.
  since 1.0.0
  cost O(1)
  flag deprecated
  deprecated 5.0.0 \`REPLICAOF\`
  arguments
    args oneof
      host-port block
        host string
        port integer
      no-one block
        no pure-token "NO"
        one pure-token "ONE"
slowlog
  = A container for slow log commands
  since 2.2.12
  cost Depends on subcommand.
slowlog|get
  = Get the slow log's entries
  since 2.2.12
  cost O(N) where N is the number of entries returned
  history 4.0.0 Added client IP address, port and name to the reply.
  arguments
    count integer optional
slowlog|help
  = Show helpful text about the different subcommands
  since 6.2.0
  cost O(1)
slowlog|len
  = Get the slow log's length
  since 2.2.12
  cost O(1)
slowlog|reset
  = Clear all entries from the slow log
  since 2.2.12
  cost O(N) where N is the number of entries in the slowlog
swapdb
  = Swaps two Redis databases
  since 4.0.0
  cost O(N) where N is the count of clients watching or blocking on keys from both databases.
  arguments
    index1 integer
    index2 integer
sync
  = Internal command used for replication
  since 1.0.0
time
  = Return the current server time
  since 2.6.0
  cost O(1)
`
