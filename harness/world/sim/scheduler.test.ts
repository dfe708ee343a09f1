import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Scheduler } from './scheduler.ts'

describe('the scheduler', () => {
  it('runs events by time, then in the order in which they were scheduled, without the cancelled ones', () => {
    const plan = fc.array(fc.record({ timeUs: fc.nat(50), cancel: fc.boolean() }), { maxLength: 300 })
    fc.assert(
      fc.property(plan, (events) => {
        const scheduler = new Scheduler()
        const order: number[] = []
        const handles = events.map(({ timeUs }, index) => scheduler.at(timeUs, () => order.push(index)))
        for (const [index, { cancel }] of events.entries()) if (cancel) scheduler.cancel(handles[index]!)
        expect(scheduler.pending).toBe(events.filter(({ cancel }) => !cancel).length)
        scheduler.runSynchronously(1000)
        const expected = events
          .map(({ timeUs, cancel }, index) => ({ timeUs, cancel, index }))
          .filter(({ cancel }) => !cancel)
          .sort((a, b) => a.timeUs - b.timeUs || a.index - b.index)
        expect(order).toEqual(expected.map(({ index }) => index))
        expect(scheduler.pending).toBe(0)
      }),
    )
  })

  it('keeps its order when many cancelled events are swept out', () => {
    const scheduler = new Scheduler()
    const order: number[] = []
    const handles = Array.from({ length: 6000 }, (_, index) =>
      scheduler.at((index * 7919) % 1000, () => order.push((index * 7919) % 1000)),
    )
    for (const [index, handle] of handles.entries()) if (index % 5 !== 0) scheduler.cancel(handle)
    scheduler.runSynchronously(2000)
    expect(order.length).toBe(1200)
    expect(order).toEqual(order.toSorted((a, b) => a - b))
  })

  it('does not cancel a later event in the place of one that has run', () => {
    const scheduler = new Scheduler()
    const first = scheduler.at(1, () => {})
    scheduler.runSynchronously(1)
    let ran = false
    scheduler.at(2, () => {
      ran = true
    })
    scheduler.cancel(first)
    scheduler.cancel(0)
    scheduler.runSynchronously(2)
    expect(ran).toBe(true)
  })

  it('never runs an event before now, and stops at the limit', () => {
    const scheduler = new Scheduler()
    scheduler.runSynchronously(100)
    const times: number[] = []
    scheduler.at(50, () => times.push(scheduler.nowUs))
    scheduler.at(100.2, () => times.push(scheduler.nowUs))
    scheduler.at(300, () => times.push(scheduler.nowUs))
    scheduler.runSynchronously(200)
    expect(times).toEqual([100, 101])
    expect(scheduler.nowUs).toBe(200)
  })

  it('lets code that sleeps run at its moment, however many promises deep, before the next event', async () => {
    const scheduler = new Scheduler()
    const log: string[] = []
    const deep = async (levels: number): Promise<void> => {
      if (levels > 0) await deep(levels - 1)
    }
    scheduler.at(1000, () => log.push('event at 1000'))
    scheduler.at(1001, () => log.push('event at 1001'))
    const sleeper = async (): Promise<void> => {
      await scheduler.sleep(1)
      await deep(50)
      log.push(`awake at ${scheduler.nowUs}`)
      await scheduler.sleep(0)
      log.push(`again at ${scheduler.nowUs}`)
    }
    await scheduler.complete(sleeper())
    expect(log).toEqual(['event at 1000', 'awake at 1000', 'again at 1000'])
    await scheduler.run(2000)
    expect(log.at(-1)).toBe('event at 1001')
  })

  it('says when a promise cannot settle any more', async () => {
    const scheduler = new Scheduler()
    await expect(scheduler.complete(new Promise(() => {}))).rejects.toThrow('no event is left')
    const again = (): void => void scheduler.after(10, again)
    again()
    await expect(scheduler.complete(new Promise(() => {}), 1000)).rejects.toThrow('the limit of 1000 µs is reached')
    await expect(scheduler.complete(Promise.reject(new Error('its own')))).rejects.toThrow('its own')
  })

  it('refuses to run twice at once', async () => {
    const scheduler = new Scheduler()
    const first = scheduler.run(10)
    await expect(scheduler.run(20)).rejects.toThrow('already running')
    await first
  })
})
