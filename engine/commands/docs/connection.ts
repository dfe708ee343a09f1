/**
 * What COMMAND DOCS tells about the commands of connections: the words of redis-server 7.0.15 (BSD 3-clause licence,
 * © 2006-2022 Redis Ltd.), since clients read them. How it is written down: `command-docs.ts`.
 */
export const connectionDocs = `
auth
  = Authenticate to the server
  since 1.0.0
  cost O(N) where N is the number of passwords defined for the user
  history 6.0.0 Added ACL style (username and password).
  arguments
    username string optional since 6.0.0
    password string
client
  = A container for client connection commands
  since 2.4.0
  cost Depends on subcommand.
client|caching
  = Instruct the server about tracking or not keys in the next request
  since 6.0.0
  cost O(1)
  arguments
    mode oneof
      yes pure-token "YES"
      no pure-token "NO"
client|getname
  = Get the current connection name
  since 2.6.9
  cost O(1)
client|getredir
  = Get tracking notifications redirection client ID if any
  since 6.0.0
  cost O(1)
client|help
  = Show helpful text about the different subcommands
  since 5.0.0
  cost O(1)
client|id
  = Returns the client ID for the current connection
  since 5.0.0
  cost O(1)
client|info
  = Returns information about the current client connection.
  since 6.2.0
  cost O(1)
client|kill
  = Kill the connection of a client
  since 2.4.0
  cost O(N) where N is the number of client connections
  history 2.8.12 Added new filter format.
  history 2.8.12 \`ID\` option.
  history 3.2.0 Added \`master\` type in for \`TYPE\` option.
  history 5.0.0 Replaced \`slave\` \`TYPE\` with \`replica\`. \`slave\` still supported for backward compatibility.
  history 6.2.0 \`LADDR\` option.
  arguments
    filter oneof
      ip:port string deprecated 2.8.12
      new-format oneof multiple
        client-id integer "ID" optional since 2.8.12
        normal_master_slave_pubsub oneof "TYPE" optional since 2.8.12
          normal pure-token "NORMAL"
          master pure-token "MASTER" since 3.2.0
          slave pure-token "SLAVE"
          replica pure-token "REPLICA" since 5.0.0
          pubsub pure-token "PUBSUB"
        username string "USER" optional
        ip:port string "ADDR" optional
        ip:port string "LADDR" optional since 6.2.0
        yes/no string "SKIPME" optional
client|list
  = Get the list of client connections
  since 2.4.0
  cost O(N) where N is the number of client connections
  history 2.8.12 Added unique client \`id\` field.
  history 5.0.0 Added optional \`TYPE\` filter.
  history 6.0.0 Added \`user\` field.
  history 6.2.0 Added \`argv-mem\`, \`tot-mem\`, \`laddr\` and \`redir\` fields and the optional \`ID\` filter.
  history 7.0.0 Added \`resp\`, \`multi-mem\`, \`rbs\` and \`rbp\` fields.
  history 7.0.3 Added \`ssub\` field.
  arguments
    normal_master_replica_pubsub oneof "TYPE" optional since 5.0.0
      normal pure-token "NORMAL"
      master pure-token "MASTER"
      replica pure-token "REPLICA"
      pubsub pure-token "PUBSUB"
    id block "ID" optional since 6.2.0
      client-id integer multiple
client|no-evict
  = Set client eviction mode for the current connection
  since 7.0.0
  cost O(1)
  arguments
    enabled oneof
      on pure-token "ON"
      off pure-token "OFF"
client|pause
  = Stop processing commands from clients for some time
  since 2.9.50
  cost O(1)
  history 6.2.0 \`CLIENT PAUSE WRITE\` mode added along with the \`mode\` option.
  arguments
    timeout integer
    mode oneof optional since 6.2.0
      write pure-token "WRITE"
      all pure-token "ALL"
client|reply
  = Instruct the server whether to reply to commands
  since 3.2.0
  cost O(1)
  arguments
    on_off_skip oneof
      on pure-token "ON"
      off pure-token "OFF"
      skip pure-token "SKIP"
client|setname
  = Set the current connection name
  since 2.6.9
  cost O(1)
  arguments
    connection-name string
client|tracking
  = Enable or disable server assisted client side caching support
  since 6.0.0
  cost O(1). Some options may introduce additional complexity.
  arguments
    status oneof
      on pure-token "ON"
      off pure-token "OFF"
    client-id integer "REDIRECT" optional
    prefix string "PREFIX" optional multiple multiple_token
    bcast pure-token "BCAST" optional
    optin pure-token "OPTIN" optional
    optout pure-token "OPTOUT" optional
    noloop pure-token "NOLOOP" optional
client|trackinginfo
  = Return information about server assisted client side caching for the current connection
  since 6.2.0
  cost O(1)
client|unblock
  = Unblock a client blocked in a blocking command from a different connection
  since 5.0.0
  cost O(log N) where N is the number of client connections
  arguments
    client-id integer
    timeout_error oneof optional
      timeout pure-token "TIMEOUT"
      error pure-token "ERROR"
client|unpause
  = Resume processing of clients that were paused
  since 6.2.0
  cost O(N) Where N is the number of paused clients
echo
  = Echo the given string
  since 1.0.0
  cost O(1)
  arguments
    message string
hello
  = Handshake with Redis
  since 6.0.0
  cost O(1)
  history 6.2.0 \`protover\` made optional; when called without arguments the command reports the current connection's context.
  arguments
    arguments block optional
      protover integer
      username_password block "AUTH" optional
        username string
        password string
      clientname string "SETNAME" optional
ping
  = Ping the server
  since 1.0.0
  cost O(1)
  arguments
    message string optional
quit
  = Close the connection
  since 1.0.0
  cost O(1)
reset
  = Reset the connection
  since 6.2.0
  cost O(1)
select
  = Change the selected database for the current connection
  since 1.0.0
  cost O(1)
  arguments
    index integer
`
