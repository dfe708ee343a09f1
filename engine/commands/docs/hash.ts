/**
 * What COMMAND DOCS tells about the commands of hashes: the words of redis-server 7.0.15 (BSD 3-clause licence,
 * © 2006-2022 Redis Ltd.), since clients read them. How it is written down: `command-docs.ts`.
 */
export const hashDocs = `
hdel
  = Delete one or more hash fields
  since 2.0.0
  cost O(N) where N is the number of fields to be removed.
  history 2.4.0 Accepts multiple \`field\` arguments.
  arguments
    key key #0
    field string multiple
hexists
  = Determine if a hash field exists
  since 2.0.0
  cost O(1)
  arguments
    key key #0
    field string
hget
  = Get the value of a hash field
  since 2.0.0
  cost O(1)
  arguments
    key key #0
    field string
hgetall
  = Get all the fields and values in a hash
  since 2.0.0
  cost O(N) where N is the size of the hash.
  arguments
    key key #0
hincrby
  = Increment the integer value of a hash field by the given number
  since 2.0.0
  cost O(1)
  arguments
    key key #0
    field string
    increment integer
hincrbyfloat
  = Increment the float value of a hash field by the given amount
  since 2.6.0
  cost O(1)
  arguments
    key key #0
    field string
    increment double
hkeys
  = Get all the fields in a hash
  since 2.0.0
  cost O(N) where N is the size of the hash.
  arguments
    key key #0
hlen
  = Get the number of fields in a hash
  since 2.0.0
  cost O(1)
  arguments
    key key #0
hmget
  = Get the values of all the given hash fields
  since 2.0.0
  cost O(N) where N is the number of fields being requested.
  arguments
    key key #0
    field string multiple
hmset
  = Set multiple hash fields to multiple values
  since 2.0.0
  cost O(N) where N is the number of fields being set.
  flag deprecated
  deprecated 4.0.0 \`HSET\` with multiple field-value pairs
  arguments
    key key #0
    field_value block multiple
      field string
      value string
hrandfield
  = Get one or multiple random fields from a hash
  since 6.2.0
  cost O(N) where N is the number of fields returned
  arguments
    key key #0
    options block optional
      count integer
      withvalues pure-token "WITHVALUES" optional
hscan
  = Incrementally iterate hash fields and associated values
  since 2.8.0
  cost O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to return back to 0. N is the number of elements inside the collection..
  arguments
    key key #0
    cursor integer
    pattern pattern "MATCH" optional
    count integer "COUNT" optional
hset
  = Set the string value of a hash field
  since 2.0.0
  cost O(1) for each field/value pair added, so O(N) to add N field/value pairs when the command is called with multiple field/value pairs.
  history 4.0.0 Accepts multiple \`field\` and \`value\` arguments.
  arguments
    key key #0
    field_value block multiple
      field string
      value string
hsetnx
  = Set the value of a hash field, only if the field does not exist
  since 2.0.0
  cost O(1)
  arguments
    key key #0
    field string
    value string
hstrlen
  = Get the length of the value of a hash field
  since 3.2.0
  cost O(1)
  arguments
    key key #0
    field string
hvals
  = Get all the values in a hash
  since 2.0.0
  cost O(N) where N is the size of the hash.
  arguments
    key key #0
`
