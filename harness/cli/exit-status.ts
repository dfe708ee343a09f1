/** Exit status by verdict; wrong usage counts as unknown. */
export const EXIT_STATUS = { pass: 0, fail: 1, unknown: 2 } as const
