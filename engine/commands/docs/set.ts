/**
 * What COMMAND DOCS tells about the commands of sets: the words of redis-server 7.0.15 (BSD 3-clause licence,
 * © 2006-2022 Redis Ltd.), since clients read them. How it is written down: `command-docs.ts`.
 */
export const setDocs = `
sadd
  = Add one or more members to a set
  since 1.0.0
  cost O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.
  history 2.4.0 Accepts multiple \`member\` arguments.
  arguments
    key key #0
    member string multiple
scard
  = Get the number of members in a set
  since 1.0.0
  cost O(1)
  arguments
    key key #0
sdiff
  = Subtract multiple sets
  since 1.0.0
  cost O(N) where N is the total number of elements in all given sets.
  arguments
    key key #0 multiple
sdiffstore
  = Subtract multiple sets and store the resulting set in a key
  since 1.0.0
  cost O(N) where N is the total number of elements in all given sets.
  arguments
    destination key #0
    key key #1 multiple
sinter
  = Intersect multiple sets
  since 1.0.0
  cost O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets.
  arguments
    key key #0 multiple
sintercard
  = Intersect multiple sets and return the cardinality of the result
  since 7.0.0
  cost O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets.
  arguments
    numkeys integer
    key key #0 multiple
    limit integer "LIMIT" optional
sinterstore
  = Intersect multiple sets and store the resulting set in a key
  since 1.0.0
  cost O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets.
  arguments
    destination key #0
    key key #1 multiple
sismember
  = Determine if a given value is a member of a set
  since 1.0.0
  cost O(1)
  arguments
    key key #0
    member string
smembers
  = Get all the members in a set
  since 1.0.0
  cost O(N) where N is the set cardinality.
  arguments
    key key #0
smismember
  = Returns the membership associated with the given elements for a set
  since 6.2.0
  cost O(N) where N is the number of elements being checked for membership
  arguments
    key key #0
    member string multiple
smove
  = Move a member from one set to another
  since 1.0.0
  cost O(1)
  arguments
    source key #0
    destination key #1
    member string
spop
  = Remove and return one or multiple random members from a set
  since 1.0.0
  cost Without the count argument O(1), otherwise O(N) where N is the value of the passed count.
  history 3.2.0 Added the \`count\` argument.
  arguments
    key key #0
    count integer optional since 3.2.0
srandmember
  = Get one or multiple random members from a set
  since 1.0.0
  cost Without the count argument O(1), otherwise O(N) where N is the absolute value of the passed count.
  history 2.6.0 Added the optional \`count\` argument.
  arguments
    key key #0
    count integer optional since 2.6.0
srem
  = Remove one or more members from a set
  since 1.0.0
  cost O(N) where N is the number of members to be removed.
  history 2.4.0 Accepts multiple \`member\` arguments.
  arguments
    key key #0
    member string multiple
sscan
  = Incrementally iterate Set elements
  since 2.8.0
  cost O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to return back to 0. N is the number of elements inside the collection..
  arguments
    key key #0
    cursor integer
    pattern pattern "MATCH" optional
    count integer "COUNT" optional
sunion
  = Add multiple sets
  since 1.0.0
  cost O(N) where N is the total number of elements in all given sets.
  arguments
    key key #0 multiple
sunionstore
  = Add multiple sets and store the resulting set in a key
  since 1.0.0
  cost O(N) where N is the total number of elements in all given sets.
  arguments
    destination key #0
    key key #1 multiple
`
