/**
 * The figure that people expect, for every arm: what was reached by the clock as a bar, what the server does in a
 * second of its own CPU time as a tick on the same scale, the figure as a line through all of them.
 */
import { percentOf, roundTicks, roundUp } from '../charts/axis.ts'
import { formatCount } from '../figures.ts'
import { type Html, html } from '../html.ts'
import type { Goal, Result } from '../result.ts'
import { verdictMark } from './marks.ts'

const TICKS_MOST = 4

export function goalsSection({ goals = [], arms }: Result): Html | false {
  const [first] = goals
  if (first === undefined) return false
  const max = roundUp(Math.max(first.wanted, ...goals.flatMap(({ value, capacity }) => [value, capacity])), TICKS_MOST)
  const titleOf = ({ arm, target }: Goal): string =>
    arms.find((one) => one.name === arm && one.target === target)?.title ?? arm
  const ticks = roundTicks(max, TICKS_MOST)
  return html`
  <h3>${first.label}</h3>
  <p class="key"><span><i class="swatch c-node-0"></i>by the clock</span><span><i class="swatch c-node-1"></i>per second of the server's CPU time: what it would do with a CPU for itself</span></p>
  <table class="goals" role="table">
    <thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">Arm</th><th scope="col" role="columnheader" class="number">By the clock</th><th scope="col" role="columnheader" class="number">Per CPU second</th>
      <th scope="col" role="columnheader" class="plot scale"><svg height="16" aria-hidden="true">${ticks.map((value) => html`<text class="tick" x="${percentOf(value, max)}%" y="12" text-anchor="${value === 0 ? 'start' : value === max ? 'end' : 'middle'}">${formatCount(value)}</text>`)}</svg></th><th scope="col" role="columnheader">The figure</th></tr></thead>
    <tbody role="rowgroup">${goals.map(
      (goal) => html`
      <tr role="row"><th scope="row" role="rowheader">${titleOf(goal)}</th>
        <td role="cell" class="number" data-label="by the clock">${formatCount(goal.value)}</td><td role="cell" class="number" data-label="per CPU second">${formatCount(goal.capacity)}</td>
        <td role="cell" class="plot">${bar(goal, max)}</td>
        <td role="cell">${verdictMark(goal.verdict)} <span class="muted">${goal.sentence}</span></td></tr>`,
    )}</tbody>
  </table>`
}

function bar({ value, capacity, wanted }: Goal, max: number): Html {
  const figure = percentOf(wanted, max)
  const capable = percentOf(capacity, max)
  return html`<svg class="goal" height="22" aria-hidden="true"><line class="track" x1="0" x2="100%" y1="11" y2="11"/><rect class="reached" x="0" y="4" width="${percentOf(value, max)}%" height="14"/><line class="wanted" x1="${figure}%" x2="${figure}%" y1="0" y2="22"/><line class="capable" x1="${capable}%" x2="${capable}%" y1="2" y2="20"/></svg>`
}
