/**
 * What COMMAND DOCS tells about the commands of the cluster: the words of redis-server 7.0.15 (BSD 3-clause licence,
 * © 2006-2022 Redis Ltd.), since clients read them. How it is written down: `command-docs.ts`.
 */
export const clusterDocs = `
asking
  = Sent by cluster clients after an -ASK redirect
  since 3.0.0
  cost O(1)
cluster
  = A container for cluster commands
  since 3.0.0
  cost Depends on subcommand.
cluster|addslots
  = Assign new hash slots to receiving node
  since 3.0.0
  cost O(N) where N is the total number of hash slot arguments
  arguments
    slot integer multiple
cluster|addslotsrange
  = Assign new hash slots to receiving node
  since 7.0.0
  cost O(N) where N is the total number of the slots between the start slot and end slot arguments.
  arguments
    start-slot_end-slot block multiple
      start-slot integer
      end-slot integer
cluster|bumpepoch
  = Advance the cluster config epoch
  since 3.0.0
  cost O(1)
cluster|count-failure-reports
  = Return the number of failure reports active for a given node
  since 3.0.0
  cost O(N) where N is the number of failure reports
  arguments
    node-id string
cluster|countkeysinslot
  = Return the number of local keys in the specified hash slot
  since 3.0.0
  cost O(1)
  arguments
    slot integer
cluster|delslots
  = Set hash slots as unbound in receiving node
  since 3.0.0
  cost O(N) where N is the total number of hash slot arguments
  arguments
    slot integer multiple
cluster|delslotsrange
  = Set hash slots as unbound in receiving node
  since 7.0.0
  cost O(N) where N is the total number of the slots between the start slot and end slot arguments.
  arguments
    start-slot_end-slot block multiple
      start-slot integer
      end-slot integer
cluster|failover
  = Forces a replica to perform a manual failover of its master.
  since 3.0.0
  cost O(1)
  arguments
    options oneof optional
      force pure-token "FORCE"
      takeover pure-token "TAKEOVER"
cluster|flushslots
  = Delete a node's own slots information
  since 3.0.0
  cost O(1)
cluster|forget
  = Remove a node from the nodes table
  since 3.0.0
  cost O(1)
  arguments
    node-id string
cluster|getkeysinslot
  = Return local key names in the specified hash slot
  since 3.0.0
  cost O(log(N)) where N is the number of requested keys
  arguments
    slot integer
    count integer
cluster|help
  = Show helpful text about the different subcommands
  since 5.0.0
  cost O(1)
cluster|info
  = Provides info about Redis Cluster node state
  since 3.0.0
  cost O(1)
cluster|keyslot
  = Returns the hash slot of the specified key
  since 3.0.0
  cost O(N) where N is the number of bytes in the key
  arguments
    key string
cluster|links
  = Returns a list of all TCP links to and from peer nodes in cluster
  since 7.0.0
  cost O(N) where N is the total number of Cluster nodes
cluster|meet
  = Force a node cluster to handshake with another node
  since 3.0.0
  cost O(1)
  history 4.0.0 Added the optional \`cluster_bus_port\` argument.
  arguments
    ip string
    port integer
    cluster_bus_port integer optional since 4.0.0
cluster|myid
  = Return the node id
  since 3.0.0
  cost O(1)
cluster|nodes
  = Get Cluster config for the node
  since 3.0.0
  cost O(N) where N is the total number of Cluster nodes
cluster|replicas
  = List replica nodes of the specified master node
  since 5.0.0
  cost O(1)
  arguments
    node-id string
cluster|replicate
  = Reconfigure a node as a replica of the specified master node
  since 3.0.0
  cost O(1)
  arguments
    node-id string
cluster|reset
  = Reset a Redis Cluster node
  since 3.0.0
  cost O(N) where N is the number of known nodes. The command may execute a FLUSHALL as a side effect.
  arguments
    hard_soft oneof optional
      hard pure-token "HARD"
      soft pure-token "SOFT"
cluster|saveconfig
  = Forces the node to save cluster state on disk
  since 3.0.0
  cost O(1)
cluster|set-config-epoch
  = Set the configuration epoch in a new node
  since 3.0.0
  cost O(1)
  arguments
    config-epoch integer
cluster|setslot
  = Bind a hash slot to a specific node
  since 3.0.0
  cost O(1)
  arguments
    slot integer
    subcommand oneof
      node-id string "IMPORTING"
      node-id string "MIGRATING"
      node-id string "NODE"
      stable pure-token "STABLE"
cluster|shards
  = Get array of cluster slots to node mappings
  since 7.0.0
  cost O(N) where N is the total number of cluster nodes
cluster|slaves
  = List replica nodes of the specified master node
  since 3.0.0
  cost O(1)
  flag deprecated
  deprecated 5.0.0 \`CLUSTER REPLICAS\`
  arguments
    node-id string
cluster|slots
  = Get array of Cluster slot to node mappings
  since 3.0.0
  cost O(N) where N is the total number of Cluster nodes
  flag deprecated
  deprecated 7.0.0 \`CLUSTER SHARDS\`
  history 4.0.0 Added node IDs.
  history 7.0.0 Added additional networking metadata field.
readonly
  = Enables read queries for a connection to a cluster replica node
  since 3.0.0
  cost O(1)
readwrite
  = Disables read queries for a connection to a cluster replica node
  since 3.0.0
  cost O(1)
`
