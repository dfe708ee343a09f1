/**
 * What COMMAND DOCS tells about the commands of HyperLogLogs: the words of redis-server 7.0.15 (BSD 3-clause licence,
 * © 2006-2022 Redis Ltd.), since clients read them. How it is written down: `command-docs.ts`.
 */
export const hyperloglogDocs = `
pfadd
  = Adds the specified elements to the specified HyperLogLog.
  since 2.8.9
  cost O(1) to add every element.
  arguments
    key key #0
    element string optional multiple
pfcount
  = Return the approximated cardinality of the set(s) observed by the HyperLogLog at key(s).
  since 2.8.9
  cost O(1) with a very small average constant time when called with a single key. O(N) with N being the number of keys, and much bigger constant times, when called with multiple keys.
  arguments
    key key #0 multiple
pfdebug
  = Internal commands for debugging HyperLogLog values
  since 2.8.9
  cost N/A
  flag syscmd
  arguments
    subcommand string
    key key #0
pfmerge
  = Merge N different HyperLogLogs into a single one.
  since 2.8.9
  cost O(N) to merge N HyperLogLogs, but with high constant times.
  arguments
    destkey key #0
    sourcekey key #1 multiple
pfselftest
  = An internal command for testing HyperLogLog values
  since 2.8.9
  cost N/A
  flag syscmd
`
