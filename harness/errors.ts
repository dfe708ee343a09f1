/** The harness's own errors: each has a code, and a message that says what to do next. */

export type HarnessErrorCode =
  | 'UNKNOWN_SCENARIO'
  | 'UNKNOWN_ARM'
  | 'BAD_OPTION'
  | 'MISSING_BINARY'
  | 'MISSING_CAPABILITY'
  | 'NODE_START'
  | 'TOPOLOGY'
  | 'INTERRUPTED'
  | 'ADDRESSES'
  | 'RESULT_FILE'
  | 'SIMULATION'
  | 'LOAD_TARGET'
  | 'BASELINE'
  | 'GATE_HISTORY'

export class HarnessError extends Error {
  readonly code: HarnessErrorCode
  constructor(code: HarnessErrorCode, message: string) {
    super(message)
    this.name = 'HarnessError'
    this.code = code
  }
}

/** What a run ends with when the user stops it. */
export function interrupted(): HarnessError {
  return new HarnessError('INTERRUPTED', 'The run was interrupted; everything was stopped and healed.')
}
