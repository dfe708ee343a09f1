import fc from 'fast-check'
import { expect, test } from 'vitest'
import { escapeMarkdown, renderMarkdown } from './markdown.ts'
import { hostileResult, hostileTexts } from './testing/hostile-result.ts'
import { failingCampaignResult, splitBrainResult } from './testing/split-brain-result.ts'

test('the summary has the verdict, a row for each arm and the command', () => {
  const summary = renderMarkdown(splitBrainResult())
  expect(summary).toContain('## ✅ pass: Split brain in a cluster')
  expect(summary.match(/^\| (Unprotected|min-replicas, .*) \| ✅ pass \|/gm)).toHaveLength(3)
  expect(summary).toContain('1,823 writes \\(1,450 … 2,450 writes\\)')
  expect(summary).toContain('```text\nnpm run scenario split-brain -- --seed 4211907331\n```')
})

test('a failing summary names the arm and the measure outside, and the failing seeds', () => {
  const summary = renderMarkdown(failingCampaignResult(50))
  expect(summary).toContain('❌ fail')
  expect(summary).toContain('❓ unknown **min-replicas, default max-lag**')
  expect(summary).toContain('above 0 … 1,700 writes')
  expect(summary).toContain('17, 312')
})

test('all rows of a table have as many cells, whatever the texts', () => {
  const summary = renderMarkdown(hostileResult(failingCampaignResult(20)))
  const rows = summary.split('\n').filter((line) => line.startsWith('| '))
  const cells = rows.map((row) => row.replace(/\\./g, '').split('|').length)
  expect(new Set(cells)).toEqual(new Set([cells[0], cells.at(-1)]))
  expect(rows.length).toBe(5 + 5)
})

test('no text makes markup, a mention, a link or a line of its own', () => {
  const hostile = fc.oneof(fc.constantFrom(...hostileTexts), fc.string())
  fc.assert(
    fc.property(hostile, (text) => {
      const escaped = escapeMarkdown(text)
      expect(escaped).not.toMatch(/[<>@\n\r]/)
      const bare = escaped.replace(/\\[!-/:-@[-`{-~]|&(lt|gt|amp|#64);/g, 'E')
      expect(bare).not.toMatch(/[\\`*_{}[\]()#+!|~$:&]|^[-=]|^\d+\.|www\./i)
    }),
  )
  expect(escapeMarkdown('a|b @me <x> & https://x www.y.z')).toBe('a\\|b &#64;me &lt;x&gt; &amp; https\\://x www\\.y.z')
})

test('a command with backticks cannot end its block', () => {
  const result = splitBrainResult()
  result.command = 'a\n````\n# b'
  expect(renderMarkdown(result)).toContain('`````text\na\n````\n# b\n`````')
})

test('an arm that could not run is told with its reason', () => {
  const result = splitBrainResult()
  result.notRun = [{ arm: 'power', title: 'Power cut', target: 'redis', reason: 'It lacks a power cut.' }]
  expect(renderMarkdown(result)).toContain('- not run: **Power cut**: It lacks a power cut')
})
