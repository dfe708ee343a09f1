/**
 * A slow-down on purpose: a busy loop before every command, so that a benchmark gate can prove that it would notice.
 * Development only; `main.ts` reads the environment variable:
 *
 *   FAULTLINE_BUSY_NS=300      so many nanoseconds of CPU time more for each command
 */
import type { Command } from '../commands/command.ts'

const CALIBRATION_STEPS = 20_000_000

/** Wraps the commands of this process, subcommands included. Nothing is touched without the variable. */
export function slowDownFromEnvironment(
  commands: readonly Command[],
  environment: Readonly<Record<string, string | undefined>>,
): void {
  const busyNs = Number(environment.FAULTLINE_BUSY_NS ?? 0)
  if (!(busyNs > 0)) return
  const steps = Math.round(busyNs * stepsPerNs())
  for (const command of commands) slowDown(command, steps)
}

function slowDown(command: Command, steps: number): void {
  const { run } = command
  if (run !== undefined) {
    const slow: Command['run'] = (context, args) => {
      spin(steps)
      run(context, args)
    }
    Object.assign(command, { run: slow })
  }
  for (const row of command.subcommands ?? []) slowDown(row, steps)
}

let sink = 1

/** Steps that depend on each other and on what was before, so that no compiler can leave them out. */
function spin(steps: number): void {
  let value = sink
  for (let i = 0; i < steps; i++) value = Math.imul(value, 1664525) + 1013904223
  sink = value
}

/** The best of three: a neighbour can only make it slower. */
function stepsPerNs(): number {
  let best = 0
  for (let i = 0; i < 3; i++) {
    const start = process.hrtime.bigint()
    spin(CALIBRATION_STEPS)
    best = Math.max(best, CALIBRATION_STEPS / Number(process.hrtime.bigint() - start))
  }
  return best
}
