/**
 * BullMQ, unmodified, with a queue on the engine: its jobs move by scripts (cmsgpack, cjson, streams, sorted sets) that
 * no test here was written for, and its workers wait with BZPOPMIN.
 */
import { FlowProducer, type Job, Queue, QueueEvents, Worker } from 'bullmq'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { startEngine } from '../testing/differential.ts'
import { until } from '../testing/nodes.ts'

let server: Awaited<ReturnType<typeof startEngine>>
const open: { close(): Promise<void> }[] = []

beforeAll(async () => {
  server = await startEngine({ 'maxmemory-policy': 'noeviction' })
})
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})
afterAll(() => server.stop())

const connection = () => ({ host: '127.0.0.1', port: server.port, maxRetriesPerRequest: null })

function opened<One extends { close(): Promise<void> }>(one: One): One {
  open.push(one)
  return one
}

function work(name: string, run: (job: Job) => Promise<unknown>): Worker {
  const worker = opened(new Worker(name, run, { connection: connection(), drainDelay: 1 }))
  worker.on('error', () => {})
  return worker
}

async function listen(name: string): Promise<QueueEvents> {
  const events = opened(new QueueEvents(name, { connection: connection() }))
  await events.waitUntilReady()
  return events
}

test('jobs run in their order, delayed ones when they are due', async () => {
  const queue = opened(new Queue('plain', { connection: connection() }))
  const events = await listen('plain')
  const ran: { name: string; atMs: number }[] = []
  const addedMs = Date.now()
  const last = await queue.add('later', {}, { delay: 300 })
  await queue.addBulk([1, 2, 3].map((number) => ({ name: `job ${number}`, data: { number } })))
  await queue.add('first', {}, { lifo: true })
  expect(await queue.getWaitingCount()).toBe(4)
  work('plain', async ({ name, data }) => {
    ran.push({ name, atMs: Date.now() })
    return { got: data.number ?? null }
  })
  expect(await last.waitUntilFinished(events)).toEqual({ got: null })
  await until(async () => (await queue.getCompletedCount()) === 5)
  const atOnce = ran.filter(({ name }) => name !== 'later')
  expect(atOnce.map(({ name }) => name)).toEqual(['first', 'job 1', 'job 2', 'job 3'])
  expect((ran.find(({ name }) => name === 'later')?.atMs ?? 0) - addedMs).toBeGreaterThanOrEqual(300)
  expect(await queue.getJobCounts('waiting', 'delayed', 'active')).toMatchObject({ waiting: 0, delayed: 0, active: 0 })
})

test('a job that fails is tried again after its backoff, and stays among the failed ones when it never succeeds', async () => {
  const queue = opened(new Queue('failing', { connection: connection() }))
  const events = await listen('failing')
  const attempts: Record<string, number> = {}
  work('failing', async ({ name }) => {
    attempts[name] = (attempts[name] ?? 0) + 1
    if (name === 'hopeless' || attempts[name] < 3) throw new Error(`attempt ${attempts[name]} of ${name}`)
    return attempts[name]
  })
  const options = { attempts: 3, backoff: { type: 'fixed', delay: 20 } }
  const mended = await queue.add('mended', {}, options)
  const hopeless = await queue.add('hopeless', {}, options)
  expect(await mended.waitUntilFinished(events)).toBe(3)
  await expect(hopeless.waitUntilFinished(events)).rejects.toThrow('attempt 3 of hopeless')
  expect(attempts).toEqual({ mended: 3, hopeless: 3 })
  const [failed] = await queue.getFailed()
  expect(failed?.failedReason).toBe('attempt 3 of hopeless')
  expect(failed?.attemptsMade).toBe(3)
  await failed?.retry()
  await until(async () => attempts.hopeless === 4 && (await queue.getFailedCount()) === 1)
})

test('a repeated job runs again and again until its limit', async () => {
  const queue = opened(new Queue('repeated', { connection: connection() }))
  let runs = 0
  work('repeated', async () => ++runs)
  await queue.upsertJobScheduler('tick', { every: 100, limit: 3 }, { name: 'tick' })
  expect((await queue.getJobSchedulers()).map(({ key, every }) => [key, Number(every)])).toEqual([['tick', 100]])
  await until(async () => runs === 3 && (await queue.getCompletedCount()) === 3)
  await queue.removeJobScheduler('tick')
  expect(await queue.getJobSchedulersCount()).toBe(0)
})

test('the parent of a flow runs after its children, with what they returned', async () => {
  const flows = opened(new FlowProducer({ connection: connection() }))
  const events = await listen('parents')
  const children = [1, 2, 3].map((number) => ({ name: `child ${number}`, queueName: 'children', data: { number } }))
  const { job } = await flows.add({ name: 'sum', queueName: 'parents', data: {}, children })
  expect(await job.getState()).toBe('waiting-children')
  work('parents', async (parent) =>
    Object.values(await parent.getChildrenValues<number>()).reduce((sum, value) => sum + value, 0),
  )
  work('children', async ({ data }) => data.number * 10)
  expect(await job.waitUntilFinished(events)).toBe(60)
  expect((await job.getDependencies()).unprocessed ?? []).toEqual([])
})
