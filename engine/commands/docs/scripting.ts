/**
 * What COMMAND DOCS tells about the commands of scripts and functions: the words of redis-server 7.0.15 (BSD 3-clause
 * licence, © 2006-2022 Redis Ltd.), since clients read them. How it is written down: `command-docs.ts`.
 */
export const scriptingDocs = `
eval
  = Execute a Lua script server side
  since 2.6.0
  cost Depends on the script that is executed.
  arguments
    script string
    numkeys integer
    key key #0 optional multiple
    arg string optional multiple
eval_ro
  = Execute a read-only Lua script server side
  since 7.0.0
  cost Depends on the script that is executed.
  arguments
    script string
    numkeys integer
    key key #0 optional multiple
    arg string optional multiple
evalsha
  = Execute a Lua script server side
  since 2.6.0
  cost Depends on the script that is executed.
  arguments
    sha1 string
    numkeys integer
    key key #0 optional multiple
    arg string optional multiple
evalsha_ro
  = Execute a read-only Lua script server side
  since 7.0.0
  cost Depends on the script that is executed.
  arguments
    sha1 string
    numkeys integer
    key key #0 optional multiple
    arg string optional multiple
fcall
  = Invoke a function
  since 7.0.0
  cost Depends on the function that is executed.
  arguments
    function string
    numkeys integer
    key key #0 optional multiple
    arg string optional multiple
fcall_ro
  = Invoke a read-only function
  since 7.0.0
  cost Depends on the function that is executed.
  arguments
    function string
    numkeys integer
    key key #0 optional multiple
    arg string optional multiple
function
  = A container for function commands
  since 7.0.0
  cost Depends on subcommand.
function|delete
  = Delete a function by name
  since 7.0.0
  cost O(1)
  arguments
    library-name string
function|dump
  = Dump all functions into a serialized binary payload
  since 7.0.0
  cost O(N) where N is the number of functions
function|flush
  = Deleting all functions
  since 7.0.0
  cost O(N) where N is the number of functions deleted
  arguments
    async oneof optional
      async pure-token "ASYNC"
      sync pure-token "SYNC"
function|help
  = Show helpful text about the different subcommands
  since 7.0.0
  cost O(1)
function|kill
  = Kill the function currently in execution.
  since 7.0.0
  cost O(1)
function|list
  = List information about all the functions
  since 7.0.0
  cost O(N) where N is the number of functions
  arguments
    library-name-pattern string "LIBRARYNAME" optional
    withcode pure-token "WITHCODE" optional
function|load
  = Create a function with the given arguments (name, code, description)
  since 7.0.0
  cost O(1) (considering compilation time is redundant)
  arguments
    replace pure-token "REPLACE" optional
    function-code string
function|restore
  = Restore all the functions on the given payload
  since 7.0.0
  cost O(N) where N is the number of functions on the payload
  arguments
    serialized-value string
    policy oneof optional
      flush pure-token "FLUSH"
      append pure-token "APPEND"
      replace pure-token "REPLACE"
function|stats
  = Return information about the function currently running (name, description, duration)
  since 7.0.0
  cost O(1)
script
  = A container for Lua scripts management commands
  since 2.6.0
  cost Depends on subcommand.
script|debug
  = Set the debug mode for executed scripts.
  since 3.2.0
  cost O(1)
  arguments
    mode oneof
      yes pure-token "YES"
      sync pure-token "SYNC"
      no pure-token "NO"
script|exists
  = Check existence of scripts in the script cache.
  since 2.6.0
  cost O(N) with N being the number of scripts to check (so checking a single script is an O(1) operation).
  arguments
    sha1 string multiple
script|flush
  = Remove all the scripts from the script cache.
  since 2.6.0
  cost O(N) with N being the number of scripts in cache
  history 6.2.0 Added the \`ASYNC\` and \`SYNC\` flushing mode modifiers.
  arguments
    async oneof optional since 6.2.0
      async pure-token "ASYNC"
      sync pure-token "SYNC"
script|help
  = Show helpful text about the different subcommands
  since 5.0.0
  cost O(1)
script|kill
  = Kill the script currently in execution.
  since 2.6.0
  cost O(1)
script|load
  = Load the specified Lua script into the script cache.
  since 2.6.0
  cost O(N) with N being the length in bytes of the script body.
  arguments
    script string
`
