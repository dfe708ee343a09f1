/**
 * What a command may say to its client. One vocabulary for RESP2 and RESP3: the writer renders each part in the
 * client's protocol (`engine/resp/writer.ts`), other implementations collect (scripts) or discard (replicated
 * commands).
 *
 * Aggregates announce their length and are followed by that many parts (maps: twice as many).
 */
export interface Reply {
  readonly protocol: 2 | 3
  /** `+OK`. */
  ok(): void
  /** `+text`; the text has no line ends. */
  simple(text: string): void
  /** `-message`; the message starts with its code: `ERR syntax error`. Use the constants of `errors.ts`. */
  error(message: string): void
  integer(value: number | bigint): void
  /** As Redis prints it, `%.17g`: 3.1 is `3.1000000000000001`; RESP3: `,value`. Infinity is `inf`. */
  double(value: number): void
  /** Bytes start…end of `bytes` (all when left out), copied. */
  bulk(bytes: Uint8Array, start?: number, end?: number): void
  /** Text as UTF-8. */
  text(value: string): void
  /** Text with one byte per character. */
  latin1(value: string): void
  /** Missing value: `$-1`, RESP3 `_`. */
  nil(): void
  /** Missing array: `*-1`, RESP3 `_`. */
  nilArray(): void
  array(length: number): void
  /** RESP2: array of 2 × `pairs`. */
  map(pairs: number): void
  /** RESP2: array. */
  set(length: number): void
  /** RESP2: array. */
  push(length: number): void
  /** RESP2: integer 0 or 1. */
  boolean(value: boolean): void
  /** RESP2: bulk string. `format` has three letters (`txt`, `mkd`). */
  verbatim(format: string, text: string): void
  bigNumber(digits: string): void
  /** Bytes that already are RESP. */
  raw(bytes: Uint8Array): void
}
