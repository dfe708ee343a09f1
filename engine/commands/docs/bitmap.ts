/**
 * What COMMAND DOCS tells about the commands of bitmaps: the words of redis-server 7.0.15 (BSD 3-clause licence,
 * © 2006-2022 Redis Ltd.), since clients read them. How it is written down: `command-docs.ts`.
 */
export const bitmapDocs = `
bitcount
  = Count set bits in a string
  since 2.6.0
  cost O(N)
  history 7.0.0 Added the \`BYTE|BIT\` option.
  arguments
    key key #0
    index block optional
      start integer
      end integer
      index_unit oneof optional since 7.0.0
        byte pure-token "BYTE"
        bit pure-token "BIT"
bitfield
  = Perform arbitrary bitfield integer operations on strings
  since 3.2.0
  cost O(1) for each subcommand specified
  arguments
    key key #0
    operation oneof optional multiple
      encoding_offset block "GET"
        encoding string
        offset integer
      write block
        wrap_sat_fail oneof "OVERFLOW" optional
          wrap pure-token "WRAP"
          sat pure-token "SAT"
          fail pure-token "FAIL"
        write_operation oneof
          encoding_offset_value block "SET"
            encoding string
            offset integer
            value integer
          encoding_offset_increment block "INCRBY"
            encoding string
            offset integer
            increment integer
bitfield_ro
  = Perform arbitrary bitfield integer operations on strings. Read-only variant of BITFIELD
  since 6.0.0
  cost O(1) for each subcommand specified
  arguments
    key key #0
    encoding_offset block "GET" optional multiple multiple_token
      encoding string
      offset integer
bitop
  = Perform bitwise operations between strings
  since 2.6.0
  cost O(N)
  arguments
    operation string
    destkey key #0
    key key #1 multiple
bitpos
  = Find first bit set or clear in a string
  since 2.8.7
  cost O(N)
  history 7.0.0 Added the \`BYTE|BIT\` option.
  arguments
    key key #0
    bit integer
    index block optional
      start integer
      end_index block optional
        end integer
        index_unit oneof optional since 7.0.0
          byte pure-token "BYTE"
          bit pure-token "BIT"
getbit
  = Returns the bit value at offset in the string value stored at key
  since 2.2.0
  cost O(1)
  arguments
    key key #0
    offset integer
setbit
  = Sets or clears the bit at offset in the string value stored at key
  since 2.2.0
  cost O(1)
  arguments
    key key #0
    offset integer
    value integer
`
