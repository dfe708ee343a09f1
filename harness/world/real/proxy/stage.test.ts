import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type EndKind, type Receiver, Stage } from './stage.ts'
import { toxicKinds } from './toxics/registry.ts'
import type { Attributes } from './toxics/toxic.ts'

/** Takes what comes while it is ready, and remembers it. */
class Sink implements Receiver {
  ready = true
  taken = Buffer.alloc(0)
  ends: EndKind[] = []
  pushes = 0

  push(chunk: Buffer): void {
    this.pushes++
    this.taken = Buffer.concat([this.taken, chunk])
  }

  end(kind: EndKind): void {
    this.ends.push(kind)
  }
}

function stageOf(type: string, attributes: Attributes = {}, onRoom = () => {}): { stage: Stage; sink: Sink } {
  const kind = toxicKinds.get(type)
  if (kind === undefined) throw new Error(`no toxic ${type}`)
  const sink = new Sink()
  const options = { kind, name: type, sequence: 0, attributes: { ...kind.fields, ...attributes }, next: sink, onRoom }
  return { stage: new Stage({ ...options, random: () => 0.5 }), sink }
}

test('thousands of queued chunks leave in the order they came, however often the receiver stops', () => {
  const pauses = fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(pauses, fc.integer({ min: 1, max: 4000 }), (runs, count) => {
      const { stage, sink } = stageOf('slow_close', { delay: 0 })
      sink.ready = false
      const sent = Buffer.alloc(count * 2)
      for (let index = 0; index < count; index++) {
        sent.writeUInt16BE(index, index * 2)
        stage.push(sent.subarray(index * 2, index * 2 + 2))
      }
      expect([sink.pushes, stage.heldBytes]).toEqual([0, count * 2])
      for (const run of runs) {
        const stopAfter = sink.pushes + run
        const push = sink.push.bind(sink)
        sink.push = (chunk) => {
          push(chunk)
          sink.ready = sink.pushes < stopAfter
        }
        sink.ready = true
        stage.drain()
        expect(sink.pushes).toBe(Math.min(stopAfter, count))
      }
      stage.flush()
      expect(sink.taken.equals(sent)).toBe(true)
      expect(stage.heldBytes).toBe(0)
    }),
    { numRuns: 20 },
  )
})

test('the end of a stream does not overtake its bytes, and a full receiver does not keep it back', () => {
  const { stage, sink } = stageOf('slow_close', { delay: 0 })
  sink.ready = false
  stage.push(Buffer.from('x'))
  stage.end('fin')
  expect(sink.ends).toEqual([])
  const push = sink.push.bind(sink)
  sink.push = (chunk) => {
    push(chunk)
    sink.ready = false
  }
  sink.ready = true
  stage.drain()
  expect([sink.taken.toString(), sink.ends]).toEqual(['x', ['fin']])
})

test('a stage tells once when it has room again', () => {
  let told = 0
  const { stage, sink } = stageOf('slow_close', { delay: 0 }, () => told++)
  sink.ready = false
  stage.push(Buffer.alloc(100_000))
  expect(stage.ready).toBe(false)
  stage.drain()
  expect(told).toBe(0)
  sink.ready = true
  stage.drain()
  expect([stage.ready, told]).toEqual([true, 1])
})

test('a reset follows a FIN through every toxic that lets a close pass', () => {
  for (const type of ['slow_close', 'latency', 'bandwidth', 'limit_data', 'timeout']) {
    const { stage, sink } = stageOf(type, { bytes: 10 })
    stage.end('fin')
    stage.end('reset')
    stage.end('fin')
    expect([type, sink.ends]).toEqual([type, ['fin', 'reset']])
    stage.dispose()
  }
})

test('nothing comes out of a disposed stage', () => {
  const { stage, sink } = stageOf('partition')
  stage.push(Buffer.from('x'))
  stage.dispose()
  stage.push(Buffer.from('y'))
  stage.flush()
  stage.end('fin')
  expect([sink.pushes, sink.ends, stage.heldBytes]).toEqual([0, [], 0])
})
