/**
 * What COMMAND DOCS tells about the commands of sorted sets: the words of redis-server 7.0.15 (BSD 3-clause licence,
 * © 2006-2022 Redis Ltd.), since clients read them. How it is written down: `command-docs.ts`.
 */
export const sortedSetDocs = `
bzmpop
  = Remove and return members with scores in a sorted set or block until one is available
  since 7.0.0
  cost O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of elements in the sorted set, and M being the number of elements popped.
  arguments
    timeout double
    numkeys integer
    key key #0 multiple
    where oneof
      min pure-token "MIN"
      max pure-token "MAX"
    count integer "COUNT" optional
bzpopmax
  = Remove and return the member with the highest score from one or more sorted sets, or block until one is available
  since 5.0.0
  cost O(log(N)) with N being the number of elements in the sorted set.
  history 6.0.0 \`timeout\` is interpreted as a double instead of an integer.
  arguments
    key key #0 multiple
    timeout double
bzpopmin
  = Remove and return the member with the lowest score from one or more sorted sets, or block until one is available
  since 5.0.0
  cost O(log(N)) with N being the number of elements in the sorted set.
  history 6.0.0 \`timeout\` is interpreted as a double instead of an integer.
  arguments
    key key #0 multiple
    timeout double
zadd
  = Add one or more members to a sorted set, or update its score if it already exists
  since 1.2.0
  cost O(log(N)) for each item added, where N is the number of elements in the sorted set.
  history 2.4.0 Accepts multiple elements.
  history 3.0.2 Added the \`XX\`, \`NX\`, \`CH\` and \`INCR\` options.
  history 6.2.0 Added the \`GT\` and \`LT\` options.
  arguments
    key key #0
    condition oneof optional since 3.0.2
      nx pure-token "NX"
      xx pure-token "XX"
    comparison oneof optional since 6.2.0
      gt pure-token "GT"
      lt pure-token "LT"
    change pure-token "CH" optional since 3.0.2
    increment pure-token "INCR" optional since 3.0.2
    score_member block multiple
      score double
      member string
zcard
  = Get the number of members in a sorted set
  since 1.2.0
  cost O(1)
  arguments
    key key #0
zcount
  = Count the members in a sorted set with scores within the given values
  since 2.0.0
  cost O(log(N)) with N being the number of elements in the sorted set.
  arguments
    key key #0
    min double
    max double
zdiff
  = Subtract multiple sorted sets
  since 6.2.0
  cost O(L + (N-K)log(N)) worst case where L is the total number of elements in all the sets, N is the size of the first set, and K is the size of the result set.
  arguments
    numkeys integer
    key key #0 multiple
    withscores pure-token "WITHSCORES" optional
zdiffstore
  = Subtract multiple sorted sets and store the resulting sorted set in a new key
  since 6.2.0
  cost O(L + (N-K)log(N)) worst case where L is the total number of elements in all the sets, N is the size of the first set, and K is the size of the result set.
  arguments
    destination key #0
    numkeys integer
    key key #1 multiple
zincrby
  = Increment the score of a member in a sorted set
  since 1.2.0
  cost O(log(N)) where N is the number of elements in the sorted set.
  arguments
    key key #0
    increment integer
    member string
zinter
  = Intersect multiple sorted sets
  since 6.2.0
  cost O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K being the number of input sorted sets and M being the number of elements in the resulting sorted set.
  arguments
    numkeys integer
    key key #0 multiple
    weight integer "WEIGHTS" optional multiple
    aggregate oneof "AGGREGATE" optional
      sum pure-token "SUM"
      min pure-token "MIN"
      max pure-token "MAX"
    withscores pure-token "WITHSCORES" optional
zintercard
  = Intersect multiple sorted sets and return the cardinality of the result
  since 7.0.0
  cost O(N*K) worst case with N being the smallest input sorted set, K being the number of input sorted sets.
  arguments
    numkeys integer
    key key #0 multiple
    limit integer "LIMIT" optional
zinterstore
  = Intersect multiple sorted sets and store the resulting sorted set in a new key
  since 2.0.0
  cost O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K being the number of input sorted sets and M being the number of elements in the resulting sorted set.
  arguments
    destination key #0
    numkeys integer
    key key #1 multiple
    weight integer "WEIGHTS" optional multiple
    aggregate oneof "AGGREGATE" optional
      sum pure-token "SUM"
      min pure-token "MIN"
      max pure-token "MAX"
zlexcount
  = Count the number of members in a sorted set between a given lexicographical range
  since 2.8.9
  cost O(log(N)) with N being the number of elements in the sorted set.
  arguments
    key key #0
    min string
    max string
zmpop
  = Remove and return members with scores in a sorted set
  since 7.0.0
  cost O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of elements in the sorted set, and M being the number of elements popped.
  arguments
    numkeys integer
    key key #0 multiple
    where oneof
      min pure-token "MIN"
      max pure-token "MAX"
    count integer "COUNT" optional
zmscore
  = Get the score associated with the given members in a sorted set
  since 6.2.0
  cost O(N) where N is the number of members being requested.
  arguments
    key key #0
    member string multiple
zpopmax
  = Remove and return members with the highest scores in a sorted set
  since 5.0.0
  cost O(log(N)*M) with N being the number of elements in the sorted set, and M being the number of elements popped.
  arguments
    key key #0
    count integer optional
zpopmin
  = Remove and return members with the lowest scores in a sorted set
  since 5.0.0
  cost O(log(N)*M) with N being the number of elements in the sorted set, and M being the number of elements popped.
  arguments
    key key #0
    count integer optional
zrandmember
  = Get one or multiple random elements from a sorted set
  since 6.2.0
  cost O(N) where N is the number of elements returned
  arguments
    key key #0
    options block optional
      count integer
      withscores pure-token "WITHSCORES" optional
zrange
  = Return a range of members in a sorted set
  since 1.2.0
  cost O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements returned.
  history 6.2.0 Added the \`REV\`, \`BYSCORE\`, \`BYLEX\` and \`LIMIT\` options.
  arguments
    key key #0
    start string
    stop string
    sortby oneof optional since 6.2.0
      byscore pure-token "BYSCORE"
      bylex pure-token "BYLEX"
    rev pure-token "REV" optional since 6.2.0
    offset_count block "LIMIT" optional since 6.2.0
      offset integer
      count integer
    withscores pure-token "WITHSCORES" optional
zrangebylex
  = Return a range of members in a sorted set, by lexicographical range
  since 2.8.9
  cost O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you can consider it O(log(N)).
  flag deprecated
  deprecated 6.2.0 \`ZRANGE\` with the \`BYLEX\` argument
  arguments
    key key #0
    min string
    max string
    offset_count block "LIMIT" optional
      offset integer
      count integer
zrangebyscore
  = Return a range of members in a sorted set, by score
  since 1.0.5
  cost O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you can consider it O(log(N)).
  flag deprecated
  deprecated 6.2.0 \`ZRANGE\` with the \`BYSCORE\` argument
  history 2.0.0 Added the \`WITHSCORES\` modifier.
  arguments
    key key #0
    min double
    max double
    withscores pure-token "WITHSCORES" optional since 2.0.0
    offset_count block "LIMIT" optional
      offset integer
      count integer
zrangestore
  = Store a range of members from sorted set into another key
  since 6.2.0
  cost O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements stored into the destination key.
  arguments
    dst key #0
    src key #1
    min string
    max string
    sortby oneof optional
      byscore pure-token "BYSCORE"
      bylex pure-token "BYLEX"
    rev pure-token "REV" optional
    offset_count block "LIMIT" optional
      offset integer
      count integer
zrank
  = Determine the index of a member in a sorted set
  since 2.0.0
  cost O(log(N))
  arguments
    key key #0
    member string
zrem
  = Remove one or more members from a sorted set
  since 1.2.0
  cost O(M*log(N)) with N being the number of elements in the sorted set and M the number of elements to be removed.
  history 2.4.0 Accepts multiple elements.
  arguments
    key key #0
    member string multiple
zremrangebylex
  = Remove all members in a sorted set between the given lexicographical range
  since 2.8.9
  cost O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements removed by the operation.
  arguments
    key key #0
    min string
    max string
zremrangebyrank
  = Remove all members in a sorted set within the given indexes
  since 2.0.0
  cost O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements removed by the operation.
  arguments
    key key #0
    start integer
    stop integer
zremrangebyscore
  = Remove all members in a sorted set within the given scores
  since 1.2.0
  cost O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements removed by the operation.
  arguments
    key key #0
    min double
    max double
zrevrange
  = Return a range of members in a sorted set, by index, with scores ordered from high to low
  since 1.2.0
  cost O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements returned.
  flag deprecated
  deprecated 6.2.0 \`ZRANGE\` with the \`REV\` argument
  arguments
    key key #0
    start integer
    stop integer
    withscores pure-token "WITHSCORES" optional
zrevrangebylex
  = Return a range of members in a sorted set, by lexicographical range, ordered from higher to lower strings.
  since 2.8.9
  cost O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you can consider it O(log(N)).
  flag deprecated
  deprecated 6.2.0 \`ZRANGE\` with the \`REV\` and \`BYLEX\` arguments
  arguments
    key key #0
    max string
    min string
    offset_count block "LIMIT" optional
      offset integer
      count integer
zrevrangebyscore
  = Return a range of members in a sorted set, by score, with scores ordered from high to low
  since 2.2.0
  cost O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you can consider it O(log(N)).
  flag deprecated
  deprecated 6.2.0 \`ZRANGE\` with the \`REV\` and \`BYSCORE\` arguments
  history 2.1.6 \`min\` and \`max\` can be exclusive.
  arguments
    key key #0
    max double
    min double
    withscores pure-token "WITHSCORES" optional
    offset_count block "LIMIT" optional
      offset integer
      count integer
zrevrank
  = Determine the index of a member in a sorted set, with scores ordered from high to low
  since 2.0.0
  cost O(log(N))
  arguments
    key key #0
    member string
zscan
  = Incrementally iterate sorted sets elements and associated scores
  since 2.8.0
  cost O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to return back to 0. N is the number of elements inside the collection..
  arguments
    key key #0
    cursor integer
    pattern pattern "MATCH" optional
    count integer "COUNT" optional
zscore
  = Get the score associated with the given member in a sorted set
  since 1.2.0
  cost O(1)
  arguments
    key key #0
    member string
zunion
  = Add multiple sorted sets
  since 6.2.0
  cost O(N)+O(M*log(M)) with N being the sum of the sizes of the input sorted sets, and M being the number of elements in the resulting sorted set.
  arguments
    numkeys integer
    key key #0 multiple
    weight integer "WEIGHTS" optional multiple
    aggregate oneof "AGGREGATE" optional
      sum pure-token "SUM"
      min pure-token "MIN"
      max pure-token "MAX"
    withscores pure-token "WITHSCORES" optional
zunionstore
  = Add multiple sorted sets and store the resulting sorted set in a new key
  since 2.0.0
  cost O(N)+O(M log(M)) with N being the sum of the sizes of the input sorted sets, and M being the number of elements in the resulting sorted set.
  arguments
    destination key #0
    numkeys integer
    key key #1 multiple
    weight integer "WEIGHTS" optional multiple
    aggregate oneof "AGGREGATE" optional
      sum pure-token "SUM"
      min pure-token "MIN"
      max pure-token "MAX"
`
