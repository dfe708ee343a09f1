import fc from 'fast-check'
import { expect, test } from 'vitest'
import { escapeXml, renderJunit } from './junit.ts'
import { hostileResult, hostileTexts } from './testing/hostile-result.ts'
import { htmlSkeleton } from './testing/html-skeleton.ts'
import { failingCampaignResult, splitBrainResult } from './testing/split-brain-result.ts'

test('a passing run has one passing case for each arm', () => {
  const xml = renderJunit(splitBrainResult())
  expect(xml).toContain(
    '<testsuite name="cluster/split-brain" tests="3" failures="0" errors="0" skipped="0" time="78.412"',
  )
  expect(xml.match(/<testcase [^>]*time="13\.000"\/>/g)).toHaveLength(3)
})

test('a prediction and a check that do not hold make the arm fail, and unknown is an error', () => {
  const xml = renderJunit(failingCampaignResult(20))
  expect(xml).toContain('tests="6" failures="2" errors="1"')
  expect(xml).toContain('prediction acknowledged writes lost: 1,903 writes, above 0 … 1,700 writes')
  expect(xml).toContain('check never two primaries in one epoch: fail: Slots 0-5460 had two primaries in epoch 7.')
  expect(xml).toContain('replica-1 says: primary of 0-5460 in epoch 7')
  expect(xml).toMatch(/<error type="unknown" message="The fault &#39;partition&#39; never took hold\."/)
  expect(xml).toContain('seed 312: ')
})

test('a run that failed although no arm did is a failure', () => {
  const result = splitBrainResult()
  result.verdict = 'fail'
  result.sentence = 'Expected less.'
  const xml = renderJunit(result)
  expect(xml).toContain('tests="4" failures="1" errors="0"')
  expect(xml).toContain('<failure type="fail" message="Expected less.">')
})

test('a run without arms is an error, not a success', () => {
  expect(renderJunit({ ...splitBrainResult(), verdict: 'unknown', arms: [] })).toContain(
    'tests="1" failures="0" errors="1"',
  )
})

test('no text changes the structure of the document, and only characters that XML has are written', () => {
  const skeleton = (xml: string) => htmlSkeleton(xml.replace(/^<\?xml.*\?>\n/, ''))
  const hostile = renderJunit(hostileResult(failingCampaignResult(20)))
  expect(skeleton(hostile)).toEqual(skeleton(renderJunit(failingCampaignResult(20))))
  fc.assert(
    fc.property(fc.oneof(fc.constantFrom(...hostileTexts), fc.string({ unit: 'binary' })), (text) => {
      const escaped = escapeXml(text)
      expect(escaped).not.toMatch(/[<>"']|&(?!#\d+;)/)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not appear
      expect(escaped).not.toMatch(/[\u0000-\u001f\ufffe\uffff]|\p{Surrogate}/u)
    }),
  )
})

test('an arm that could not run is a skipped case with its reason', () => {
  const result = splitBrainResult()
  result.notRun = [{ arm: 'power', title: 'Power cut', target: 'redis', reason: 'It lacks a <power> cut.' }]
  const xml = renderJunit(result)
  expect(xml).toContain('tests="4" failures="0" errors="0" skipped="1"')
  expect(xml).toContain(
    'name="Power cut, redis" time="0.000">\n      <skipped message="It lacks a &#60;power&#62; cut."/>',
  )
})
