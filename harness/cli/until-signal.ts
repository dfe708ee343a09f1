/** Ctrl-C and SIGTERM end a command in order: what it started is stopped first. */

/**
 * Runs `run`, whose signal is aborted by the first SIGINT or SIGTERM; `onFirst` may say so. A second one means it: the
 * process leaves at once, and what runs is reaped by the next start.
 */
export async function untilSignal<T>(
  run: (signal: AbortSignal) => Promise<T>,
  onFirst: (name: NodeJS.Signals) => void = () => {},
): Promise<T> {
  const interrupt = new AbortController()
  const onSignal = (name: NodeJS.Signals): void => {
    if (interrupt.signal.aborted) process.exit(name === 'SIGINT' ? 130 : 143)
    onFirst(name)
    interrupt.abort()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  try {
    return await run(interrupt.signal)
  } finally {
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
}

/** For `onFirst`: says on standard error what happens now. */
export function sayStopping(name: NodeJS.Signals): void {
  process.stderr.write(`\n${name}: stopping everything …\n`)
}
