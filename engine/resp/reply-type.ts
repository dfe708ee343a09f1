/** The first byte of a reply says what it is (RESP2: `+-:$*`, the others RESP3): for everything that reads replies. */
/** `!` error as a bulk string */
export const EXCLAMATION = 33
/** `#` boolean */
export const HASH = 35
/** `$` bulk string */
export const DOLLAR = 36
/** `%` map */
export const PERCENT = 37
/** `(` big number */
export const PARENTHESIS = 40
/** `*` array */
export const STAR = 42
/** `+` simple string */
export const PLUS = 43
/** `,` double */
export const COMMA = 44
/** `-` error */
export const MINUS = 45
/** `:` integer */
export const COLON = 58
/** `=` verbatim string */
export const EQUALS = 61
/** `>` push: an out-of-band message */
export const GREATER = 62
/** `_` null */
export const UNDERSCORE = 95
/** `|` attribute of the reply that follows */
export const BAR = 124
/** `~` set */
export const TILDE = 126
