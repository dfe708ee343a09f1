import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createNodeIo } from '../node/io.ts'
import { NodeFlag } from './node.ts'
import { describeNodes, loadNodes, myNameIn, nodesFileText, readNodesFile, writeNodesFile } from './nodes-file.ts'
import { Stage } from './testing/stage.ts'
import { ClusterView } from './view.ts'

/** As redis-server 7.0.15 wrote it after a manual failover and a crash. */
const written = `5546aeea6f84871588de7c426cfe6c3beef923cb 127.0.0.1:7462@17482,host-2.example.com master - 0 1795365685000 5 connected 10923-16383
1d4fb8088dabebeb7f2ee14712203917a7ca8e15 127.0.0.1:7465@17485 slave 5546aeea6f84871588de7c426cfe6c3beef923cb 0 1795365685000 5 connected
d38ae7703cf3b778206000256952a2d14250f8e2 127.0.0.1:7464@17484,host-4.example.com master,fail? - 1795365685011 1795365685030 6 disconnected 5461-5900 5902 5904-10922
bb130fa3c4f838de3821fc104bc00d96ddbd173f 127.0.0.1:7463@17483 myself,master - 0 1795365685030 7 connected 0-5460 [93->-5546aeea6f84871588de7c426cfe6c3beef923cb] [5901-<-d38ae7703cf3b778206000256952a2d14250f8e2]
0883b1ce5049980eb6dea6a28dc28bfede1f3000 127.0.0.1:7461@17481 slave,nofailover d38ae7703cf3b778206000256952a2d14250f8e2 0 1795365685000 6 connected
e607b68635a320c0557b0072156a656d38b00682 :0@0 master,fail,noaddr - 1795365680591 1795365680290 0 disconnected
vars currentEpoch 7 lastVoteEpoch 6
`

function load(text: string) {
  const member = new Stage('nodes').add()
  const view = new ClusterView(member, myNameIn(text))
  const warnings: string[] = []
  const loaded = loadNodes(view, text, (message) => warnings.push(message))
  return { view, loaded, warnings }
}

/** Ping and pong times become the time of loading, and no link is connected then. */
const timeless = (text: string) =>
  text
    .split('\n')
    .map((line) => line.split(' '))
    .map((words) => (words.length < 8 ? words : [...words.slice(0, 4), ...words.slice(6, 7), ...words.slice(8)]))
    .map((words) => words.join(' '))
    .sort()

describe('a nodes.conf of redis-server', () => {
  it('is read and written back the same', () => {
    const { view, loaded } = load(written)
    expect(loaded).toBe(true)
    expect(timeless(nodesFileText(view))).toEqual(timeless(written))
  })

  it('restores roles, epochs, slots and open slots', () => {
    const { view } = load(written)
    expect(view.myself.name).toBe('bb130fa3c4f838de3821fc104bc00d96ddbd173f')
    expect([view.currentEpoch, view.lastVoteEpoch, view.myself.configEpoch]).toEqual([7, 6, 7])
    expect(view.myself.slotCount).toBe(5461)
    expect(view.migratingTo.get(93)?.port).toBe(7462)
    expect(view.importingFrom.get(5901)?.port).toBe(7464)
    const replica = view.lookup('1d4fb8088dabebeb7f2ee14712203917a7ca8e15')
    expect(replica?.primary?.hostname).toBe('host-2.example.com')
    // Its line repeats its primary's epoch; its own is unknown.
    expect(replica?.configEpoch).toBe(0)
  })

  it('may lack the bus port, as of Redis 3', () => {
    const { view } = load(`${'a'.repeat(40)} 10.1.1.1:6379 myself,master - 0 0 0 connected\n`)
    expect(view.myself.busPort).toBe(16379)
  })

  it('may name an IPv6 address', () => {
    const { view } = load(`${'a'.repeat(40)} fe80::1:6379@16379 myself,master - 0 0 0 connected\n`)
    expect([view.myself.ip, view.myself.port]).toEqual(['fe80::1', 6379])
  })

  it('raises the current epoch to the greatest config epoch', () => {
    expect(load(written.replace('currentEpoch 7', 'currentEpoch 3')).view.currentEpoch).toBe(7)
  })

  it('with unknown variables is read, and they are told', () => {
    const { loaded, warnings } = load(`${written.trim()} tomorrow 9\n`)
    expect(loaded).toBe(true)
    expect(warnings).toEqual(["Skipping unknown cluster config variable 'tomorrow'"])
  })
})

describe('a damaged nodes.conf', () => {
  const damage: [string, (text: string) => string][] = [
    ['a cut line', (text) => text.replace(/ 5 connected 10923-16383/, '')],
    ['a name that is none', (text) => text.replace('5546aeea', '5546AEEA')],
    ['an address without port', (text) => text.replace('127.0.0.1:7462@17482', 'nowhere')],
    ['an unknown flag', (text) => text.replace('slave,nofailover', 'slave,friendly')],
    ['a slot beyond the last', (text) => text.replace('10923-16383', '10923-16384')],
    ['a migrating slot without node', (text) => text.replace('[93->-5546aeea', '[93->-')],
    ['variables without value', (text) => text.replace('lastVoteEpoch 6', 'lastVoteEpoch')],
    ['nobody who is this node', (text) => text.replace('myself,', '')],
    ['two who are this node', (text) => text.replace('master,fail?', 'myself,master,fail?')],
  ]
  it.each(damage)('is refused: %s', (_, change) => {
    const text = change(written)
    expect(text).not.toBe(written)
    expect(load(text).loaded).toBe(false)
  })
})

describe('any slot table', () => {
  it('survives writing and reading', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(16383), fc.nat(16383)), { maxLength: 20 }), (ranges) => {
        const { view } = load(written)
        for (let slot = 0; slot < 16384; slot++) view.releaseSlot(slot)
        ranges.forEach(([from, to], index) => {
          const node = view.nodes[index % view.nodes.length]!
          for (let slot = from; slot <= Math.min(to, from + 40); slot++) view.addSlot(node, slot)
        })
        const again = load(nodesFileText(view)).view
        expect(again.slots.map((node) => node?.name)).toEqual(view.slots.map((node) => node?.name))
        expect(describeNodes(again, NodeFlag.myself).split('\n').length).toBe(view.nodes.length)
      }),
      { numRuns: 30 },
    )
  })
})

describe('the file', () => {
  let directory = ''
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'nodes-file-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  it('is replaced as a whole and leaves nothing beside it', () => {
    const { disk } = createNodeIo()
    const path = join(directory, 'nodes.conf')
    writeNodesFile(disk, path, `${written}padding that is longer\n`, false)
    writeNodesFile(disk, path, written, true)
    expect(readFileSync(path, 'latin1')).toBe(written)
    expect(readNodesFile(disk, path)).toBe(written)
    expect(disk.list(directory)).toEqual(['nodes.conf'])
  })

  it('does not count when it is missing or empty', () => {
    const { disk } = createNodeIo()
    expect(readNodesFile(disk, join(directory, 'nodes.conf'))).toBeUndefined()
    writeFileSync(join(directory, 'nodes.conf'), '')
    expect(readNodesFile(disk, join(directory, 'nodes.conf'))).toBeUndefined()
  })
})
