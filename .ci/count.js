/**
 * The verdict of `.ci/run`: reads what vitest's JSON reporter wrote and the exit codes of the steps, names what went
 * wrong, and ends with one line `N passed, M failed`. Exit code 1 when a test failed or was skipped, when no test ran,
 * when a file did not load, or when a step failed.
 *
 * node .ci/count.js RESULTS.json TESTS_EXIT_CODE SCENARIO_EXIT_CODE
 */
import { readFileSync } from 'node:fs'

const [path = '', testsExitCode = '1', scenarioExitCode = '1'] = process.argv.slice(2)

/**
 * @typedef {{ status: string, fullName: string }} TestResult
 * @typedef {{ name: string, status: string, message?: string, assertionResults: TestResult[] }} FileResult
 */

/** @returns {FileResult[]} */
function readResults() {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).testResults
  } catch {
    return [] // vitest died before it wrote anything: no test ran.
  }
}

const files = readResults()
const tests = files.flatMap((file) => file.assertionResults.map((test) => ({ ...test, file: file.name })))
const passed = tests.filter(({ status }) => status === 'passed').length
const notRun = tests.filter(({ status }) => status !== 'passed' && status !== 'failed')
const brokenFiles = files.filter(({ status, assertionResults }) => {
  return status === 'failed' && !assertionResults.some((test) => test.status === 'failed')
})
let failed = tests.filter(({ status }) => status === 'failed').length

for (const { file, fullName, status } of notRun) console.log(`not run (${status}): ${file} ${fullName}`)
for (const { name } of brokenFiles) console.log(`did not load: ${name}`)
failed += notRun.length + brokenFiles.length
if (Number(scenarioExitCode) !== 0) {
  console.log(`the scenario ended with exit code ${scenarioExitCode}`)
  failed += 1
}
if (Number(testsExitCode) !== 0 && failed === 0) {
  console.log(`vitest ended with exit code ${testsExitCode} although no test failed: see its errors above`)
  failed += 1
}
if (passed + failed === 0) {
  console.log('no test ran')
  failed += 1
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0
