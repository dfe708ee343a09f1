import { expect, test } from 'vitest'
import { repositoryRoot } from '../../bin/bundle.js'
import { exceptions } from './exceptions.ts'
import { describeViolations, excuse, violationsOf } from './rules.ts'
import { listFiles, readSources } from './source.ts'

test('the repository keeps its own rules', () => {
  const sources = readSources(repositoryRoot)
  expect(sources.length).toBeGreaterThan(10)
  const found = violationsOf(listFiles(repositoryRoot), sources)
  expect(describeViolations(excuse(found, exceptions))).toBe('')
})
