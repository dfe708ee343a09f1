/**
 * A result from JSON text. A report can be made again from a saved result, also years later and from another machine,
 * so the text is never trusted: it is validated whole, and the first problem is said in one sentence.
 */
import type * as z from 'zod'
import { RESULT_VERSION, type Result, resultSchema } from './result.ts'

const OLDEST_VERSION = 1

/** The text is not a result. `message` is one sentence with the path of the first problem and what was expected. */
export class ResultFormatError extends Error {
  override name = 'ResultFormatError'
}

/**
 * Parse and validate.
 * @throws {ResultFormatError} not JSON, another or newer format, or a field that is missing or wrong
 */
export function readResult(json: string): Result {
  const value = parse(json)
  checkVersion(value)
  const outcome = resultSchema.safeParse(upgrade(value))
  if (outcome.success) return outcome.data
  const [issue] = outcome.error.issues
  throw new ResultFormatError(
    issue === undefined ? 'The result does not fit its schema.' : `The result is not valid at ${sentenceOf(issue)}.`,
  )
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ResultFormatError(`The result is not JSON: ${reason.replace(/\.$/, '')}.`)
  }
}

function checkVersion(value: unknown): void {
  if (typeof value !== 'object' || value === null || !('version' in value)) {
    throw new ResultFormatError(
      `This JSON is not a Faultline result: expected an object with "version": ${RESULT_VERSION}.`,
    )
  }
  const { version } = value
  if (version === RESULT_VERSION || version === OLDEST_VERSION) return
  if (typeof version === 'number' && version > RESULT_VERSION) {
    throw new ResultFormatError(
      `The result has version ${version}, and this Faultline reads version ${RESULT_VERSION}: upgrade Faultline to read it.`,
    )
  }
  throw new ResultFormatError(
    `The result has version ${JSON.stringify(version)}, but version ${RESULT_VERSION} is expected: run the scenario again.`,
  )
}

/** What version 1 did not say is put in; what is wrong in it stays wrong, for the schema to tell. */
function upgrade(value: unknown): unknown {
  const result = value as { version: number; arms?: unknown; target?: { kind?: unknown } }
  if (result.version !== OLDEST_VERSION || !Array.isArray(result.arms)) return value
  const arms = result.arms.map((arm: { timeline?: object } | null) =>
    typeof arm !== 'object' || arm === null
      ? arm
      : { target: result.target?.kind, ...arm, timeline: arm.timeline && { samples: [], ...arm.timeline } },
  )
  return { notRun: [], measures: {}, curves: [], ...result, version: RESULT_VERSION, arms }
}

/** `arms[0].verdict: expected one of "pass", "fail", "unknown"`. */
function sentenceOf(issue: z.core.$ZodIssue): string {
  const path = issue.path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`
    const name = String(step)
    if (!/^[A-Za-z_$][\w$]*$/.test(name)) return `${text}[${JSON.stringify(name)}]`
    return text === '' ? name : `${text}.${name}`
  }, '')
  return `${path === '' ? 'the top' : path}: ${expectationOf(issue)}`
}

function expectationOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value')
    return `expected one of ${issue.values.map((it) => JSON.stringify(it)).join(', ')}`
  if (issue.code === 'invalid_type') {
    const missing = /received undefined/.test(issue.message)
    return `expected ${issue.expected}${missing ? ', but it is missing' : `, ${issue.message.split(', ').at(-1)}`}`
  }
  return issue.message.replace(/^Invalid input: /, '').replace(/\.$/, '')
}
