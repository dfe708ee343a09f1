/**
 * What COMMAND DOCS tells about the commands of lists: the words of redis-server 7.0.15 (BSD 3-clause licence,
 * © 2006-2022 Redis Ltd.), since clients read them. How it is written down: `command-docs.ts`.
 */
export const listDocs = `
blmove
  = Pop an element from a list, push it to another list and return it; or block until one is available
  since 6.2.0
  cost O(1)
  arguments
    source key #0
    destination key #1
    wherefrom oneof
      left pure-token "LEFT"
      right pure-token "RIGHT"
    whereto oneof
      left pure-token "LEFT"
      right pure-token "RIGHT"
    timeout double
blmpop
  = Pop elements from a list, or block until one is available
  since 7.0.0
  cost O(N+M) where N is the number of provided keys and M is the number of elements returned.
  arguments
    timeout double
    numkeys integer
    key key #0 multiple
    where oneof
      left pure-token "LEFT"
      right pure-token "RIGHT"
    count integer "COUNT" optional
blpop
  = Remove and get the first element in a list, or block until one is available
  since 2.0.0
  cost O(N) where N is the number of provided keys.
  history 6.0.0 \`timeout\` is interpreted as a double instead of an integer.
  arguments
    key key #0 multiple
    timeout double
brpop
  = Remove and get the last element in a list, or block until one is available
  since 2.0.0
  cost O(N) where N is the number of provided keys.
  history 6.0.0 \`timeout\` is interpreted as a double instead of an integer.
  arguments
    key key #0 multiple
    timeout double
brpoplpush
  = Pop an element from a list, push it to another list and return it; or block until one is available
  since 2.2.0
  cost O(1)
  flag deprecated
  deprecated 6.2.0 \`BLMOVE\` with the \`RIGHT\` and \`LEFT\` arguments
  history 6.0.0 \`timeout\` is interpreted as a double instead of an integer.
  arguments
    source key #0
    destination key #1
    timeout double
lindex
  = Get an element from a list by its index
  since 1.0.0
  cost O(N) where N is the number of elements to traverse to get to the element at index. This makes asking for the first or the last element of the list O(1).
  arguments
    key key #0
    index integer
linsert
  = Insert an element before or after another element in a list
  since 2.2.0
  cost O(N) where N is the number of elements to traverse before seeing the value pivot. This means that inserting somewhere on the left end on the list (head) can be considered O(1) and inserting somewhere on the right end (tail) is O(N).
  arguments
    key key #0
    where oneof
      before pure-token "BEFORE"
      after pure-token "AFTER"
    pivot string
    element string
llen
  = Get the length of a list
  since 1.0.0
  cost O(1)
  arguments
    key key #0
lmove
  = Pop an element from a list, push it to another list and return it
  since 6.2.0
  cost O(1)
  arguments
    source key #0
    destination key #1
    wherefrom oneof
      left pure-token "LEFT"
      right pure-token "RIGHT"
    whereto oneof
      left pure-token "LEFT"
      right pure-token "RIGHT"
lmpop
  = Pop elements from a list
  since 7.0.0
  cost O(N+M) where N is the number of provided keys and M is the number of elements returned.
  arguments
    numkeys integer
    key key #0 multiple
    where oneof
      left pure-token "LEFT"
      right pure-token "RIGHT"
    count integer "COUNT" optional
lpop
  = Remove and get the first elements in a list
  since 1.0.0
  cost O(N) where N is the number of elements returned
  history 6.2.0 Added the \`count\` argument.
  arguments
    key key #0
    count integer optional since 6.2.0
lpos
  = Return the index of matching elements on a list
  since 6.0.6
  cost O(N) where N is the number of elements in the list, for the average case. When searching for elements near the head or the tail of the list, or when the MAXLEN option is provided, the command may run in constant time.
  arguments
    key key #0
    element string
    rank integer "RANK" optional
    num-matches integer "COUNT" optional
    len integer "MAXLEN" optional
lpush
  = Prepend one or multiple elements to a list
  since 1.0.0
  cost O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.
  history 2.4.0 Accepts multiple \`element\` arguments.
  arguments
    key key #0
    element string multiple
lpushx
  = Prepend an element to a list, only if the list exists
  since 2.2.0
  cost O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.
  history 4.0.0 Accepts multiple \`element\` arguments.
  arguments
    key key #0
    element string multiple
lrange
  = Get a range of elements from a list
  since 1.0.0
  cost O(S+N) where S is the distance of start offset from HEAD for small lists, from nearest end (HEAD or TAIL) for large lists; and N is the number of elements in the specified range.
  arguments
    key key #0
    start integer
    stop integer
lrem
  = Remove elements from a list
  since 1.0.0
  cost O(N+M) where N is the length of the list and M is the number of elements removed.
  arguments
    key key #0
    count integer
    element string
lset
  = Set the value of an element in a list by its index
  since 1.0.0
  cost O(N) where N is the length of the list. Setting either the first or the last element of the list is O(1).
  arguments
    key key #0
    index integer
    element string
ltrim
  = Trim a list to the specified range
  since 1.0.0
  cost O(N) where N is the number of elements to be removed by the operation.
  arguments
    key key #0
    start integer
    stop integer
rpop
  = Remove and get the last elements in a list
  since 1.0.0
  cost O(N) where N is the number of elements returned
  history 6.2.0 Added the \`count\` argument.
  arguments
    key key #0
    count integer optional since 6.2.0
rpoplpush
  = Remove the last element in a list, prepend it to another list and return it
  since 1.2.0
  cost O(1)
  flag deprecated
  deprecated 6.2.0 \`LMOVE\` with the \`RIGHT\` and \`LEFT\` arguments
  arguments
    source key #0
    destination key #1
rpush
  = Append one or multiple elements to a list
  since 1.0.0
  cost O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.
  history 2.4.0 Accepts multiple \`element\` arguments.
  arguments
    key key #0
    element string multiple
rpushx
  = Append an element to a list, only if the list exists
  since 2.2.0
  cost O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.
  history 4.0.0 Accepts multiple \`element\` arguments.
  arguments
    key key #0
    element string multiple
`
