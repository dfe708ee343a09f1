/**
 * What COMMAND DOCS tells about the commands of strings: the words of redis-server 7.0.15 (BSD 3-clause licence,
 * © 2006-2022 Redis Ltd.), since clients read them. How it is written down: `command-docs.ts`.
 */
export const stringDocs = `
append
  = Append a value to a key
  since 2.0.0
  cost O(1). The amortized time complexity is O(1) assuming the appended value is small and the already present value is of any size, since the dynamic string library used by Redis will double the free space available on every reallocation.
  arguments
    key key #0
    value string
decr
  = Decrement the integer value of a key by one
  since 1.0.0
  cost O(1)
  arguments
    key key #0
decrby
  = Decrement the integer value of a key by the given number
  since 1.0.0
  cost O(1)
  arguments
    key key #0
    decrement integer
get
  = Get the value of a key
  since 1.0.0
  cost O(1)
  arguments
    key key #0
getdel
  = Get the value of a key and delete the key
  since 6.2.0
  cost O(1)
  arguments
    key key #0
getex
  = Get the value of a key and optionally set its expiration
  since 6.2.0
  cost O(1)
  arguments
    key key #0
    expiration oneof optional
      seconds integer "EX"
      milliseconds integer "PX"
      unix-time-seconds unix-time "EXAT"
      unix-time-milliseconds unix-time "PXAT"
      persist pure-token "PERSIST"
getrange
  = Get a substring of the string stored at a key
  since 2.4.0
  cost O(N) where N is the length of the returned string. The complexity is ultimately determined by the returned length, but because creating a substring from an existing string is very cheap, it can be considered O(1) for small strings.
  arguments
    key key #0
    start integer
    end integer
getset
  = Set the string value of a key and return its old value
  since 1.0.0
  cost O(1)
  flag deprecated
  deprecated 6.2.0 \`SET\` with the \`!GET\` argument
  arguments
    key key #0
    value string
incr
  = Increment the integer value of a key by one
  since 1.0.0
  cost O(1)
  arguments
    key key #0
incrby
  = Increment the integer value of a key by the given amount
  since 1.0.0
  cost O(1)
  arguments
    key key #0
    increment integer
incrbyfloat
  = Increment the float value of a key by the given amount
  since 2.6.0
  cost O(1)
  arguments
    key key #0
    increment double
lcs
  = Find longest common substring
  since 7.0.0
  cost O(N*M) where N and M are the lengths of s1 and s2, respectively
  arguments
    key1 key #0
    key2 key #0
    len pure-token "LEN" optional
    idx pure-token "IDX" optional
    len integer "MINMATCHLEN" optional
    withmatchlen pure-token "WITHMATCHLEN" optional
mget
  = Get the values of all the given keys
  since 1.0.0
  cost O(N) where N is the number of keys to retrieve.
  arguments
    key key #0 multiple
mset
  = Set multiple keys to multiple values
  since 1.0.1
  cost O(N) where N is the number of keys to set.
  arguments
    key_value block multiple
      key key #0
      value string
msetnx
  = Set multiple keys to multiple values, only if none of the keys exist
  since 1.0.1
  cost O(N) where N is the number of keys to set.
  arguments
    key_value block multiple
      key key #0
      value string
psetex
  = Set the value and expiration in milliseconds of a key
  since 2.6.0
  cost O(1)
  arguments
    key key #0
    milliseconds integer
    value string
set
  = Set the string value of a key
  since 1.0.0
  cost O(1)
  history 2.6.12 Added the \`EX\`, \`PX\`, \`NX\` and \`XX\` options.
  history 6.0.0 Added the \`KEEPTTL\` option.
  history 6.2.0 Added the \`GET\`, \`EXAT\` and \`PXAT\` option.
  history 7.0.0 Allowed the \`NX\` and \`GET\` options to be used together.
  arguments
    key key #0
    value string
    condition oneof optional since 2.6.12
      nx pure-token "NX"
      xx pure-token "XX"
    get pure-token "GET" optional since 6.2.0
    expiration oneof optional
      seconds integer "EX" since 2.6.12
      milliseconds integer "PX" since 2.6.12
      unix-time-seconds unix-time "EXAT" since 6.2.0
      unix-time-milliseconds unix-time "PXAT" since 6.2.0
      keepttl pure-token "KEEPTTL" since 6.0.0
setex
  = Set the value and expiration of a key
  since 2.0.0
  cost O(1)
  arguments
    key key #0
    seconds integer
    value string
setnx
  = Set the value of a key, only if the key does not exist
  since 1.0.0
  cost O(1)
  arguments
    key key #0
    value string
setrange
  = Overwrite part of a string at key starting at the specified offset
  since 2.2.0
  cost O(1), not counting the time taken to copy the new string in place. Usually, this string is very small so the amortized complexity is O(1). Otherwise, complexity is O(M) with M being the length of the value argument.
  arguments
    key key #0
    offset integer
    value string
strlen
  = Get the length of the value stored in a key
  since 2.2.0
  cost O(1)
  arguments
    key key #0
substr
  = Get a substring of the string stored at a key
  since 1.0.0
  cost O(N) where N is the length of the returned string. The complexity is ultimately determined by the returned length, but because creating a substring from an existing string is very cheap, it can be considered O(1) for small strings.
  flag deprecated
  deprecated 2.0.0 \`GETRANGE\`
  arguments
    key key #0
    start integer
    end integer
`
