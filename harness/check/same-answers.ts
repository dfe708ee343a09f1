/** A command gave the same answer each time it was asked: `DEBUG DIGEST` before a crash and after it, for example. */
import type { CheckResult } from '../../reports/result.ts'
import type { History } from '../history/history.ts'

export function checkSameAnswers(history: History, words: readonly string[]): CheckResult {
  const name = `${words.join(' ')} stays the same`
  const asked = history.of('command').filter((event) => event.words.join(' ') === words.join(' '))
  const evidence = asked.map(({ atMs, node, reply }) => ({ atMs, text: `${node} answered ${reply}` }))
  if (asked.length < 2) {
    return { name, verdict: 'unknown', sentence: `It was asked ${asked.length} times, not twice or more.`, evidence }
  }
  const answers = new Set(asked.map(({ reply }) => reply))
  if ([...answers].some((reply) => /^(ERR|NOPERM|LOADING|no answer)/.test(reply))) {
    return { name, verdict: 'unknown', sentence: 'It was answered with an error.', evidence }
  }
  return {
    name,
    verdict: answers.size === 1 ? 'pass' : 'fail',
    sentence: answers.size === 1 ? `Asked ${asked.length} times, one answer.` : `${answers.size} different answers.`,
    evidence: answers.size === 1 ? [] : evidence,
  }
}
