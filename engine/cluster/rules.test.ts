import { describe, expect, it } from 'vitest'
import { answerVoteRequest } from './election.ts'
import { startManualFailover } from './manual-failover.ts'
import { type Header, MessageFlag } from './message.ts'
import { type ClusterNode, NodeFlag } from './node.ts'
import { broadcastPublish } from './sending.ts'
import { becomeReplicaOf, claimSlots } from './slots.ts'
import { type Member, Stage } from './testing/stage.ts'

const T = 1000

/** Three primaries with `replicas` each; member 3 replicates member 0, member 4 member 1, … */
function formed(seed: string | number, replicas = 1, settings = {}): { stage: Stage; members: Member[] } {
  const stage = new Stage(seed)
  const members = stage.form(3, replicas, { 'cluster-node-timeout': T, ...settings })
  for (const member of members.slice(3)) follow(member, members[member.index % 3]!)
  const settled = () =>
    members.every(
      (it) =>
        it.view.state === 'ok' &&
        it.view.nodes.filter((node) => node.isReplica && node.primary !== undefined).length === 3 * replicas,
    )
  stage.runUntil(settled, 20_000)
  stage.run(2 * T)
  return { stage, members }
}

const follow = (replica: Member, primary: Member) => becomeReplicaOf(replica.view, primary.asSeenBy(replica))
const owner = (member: Member, slot: number) => member.view.slots[slot]?.name
const isPrimary = (member: Member) => member.view.myself.isPrimary
const logs = (member: Member) => member.logged.join('\n')

/** Two primaries may never claim one slot under one config epoch: nobody could tell who is right. */
function expectUniqueClaims(members: readonly Member[]): void {
  for (const slot of [0, 8000, 16000]) {
    const claimants = members.filter(({ alive, view }) => alive && view.slots[slot] === view.myself)
    if (claimants.length < 2) continue
    const epochs = claimants.map(({ view }) => view.myself.configEpoch)
    if (new Set(epochs).size < epochs.length) throw new Error(`slot ${slot} is claimed twice in epochs ${epochs}`)
  }
}

describe('forming', () => {
  it('makes everybody know everybody, and who replicates whom', () => {
    const { members } = formed('forming')
    for (const { view } of members) {
      expect(view.nodes.length).toBe(6)
      expect(view.size).toBe(3)
      expect(view.slots.every((node) => node !== undefined)).toBe(true)
      const replicas = view.nodes.filter((node) => node.isReplica)
      expect(replicas.every((node) => node.primary?.replicas.includes(node))).toBe(true)
    }
  })

  it('ends a handshake that nobody answers after a node timeout', () => {
    const stage = new Stage('nobody')
    const [alone, absent] = [stage.add(), stage.add()]
    absent.kill()
    alone.meet(absent)
    expect(alone.view.nodes.length).toBe(2)
    stage.run(T + 300)
    expect(alone.view.nodes.length).toBe(1)
  })

  it('gives primaries that start with one epoch different ones, and the greatest name keeps its own', () => {
    const stage = new Stage('collision')
    const members = stage.form(3, 0)
    for (const { view } of members) view.myself.configEpoch = 1
    stage.run(10_000)
    const epochs = members.map(({ view }) => view.myself.configEpoch)
    expect(new Set(epochs).size).toBe(3)
    const last = members.toSorted((a, b) => (a.view.myself.name < b.view.myself.name ? 1 : -1))[0]!
    expect(last.view.myself.configEpoch).toBe(1)
  })

  it('does not learn again of a node that was forgotten a moment ago', () => {
    const { stage, members } = formed('forget')
    const [a, b] = [members[0]!, members[5]!]
    a.view.addToBlacklist(b.view.myself.name)
    a.view.removeNode(b.asSeenBy(a))
    stage.run(5000)
    expect(a.view.lookup(b.view.myself.name)).toBeUndefined()
    stage.run(60_000)
    expect(a.view.lookup(b.view.myself.name)).toBeDefined()
  })

  it('spreads a new host name', () => {
    const { stage, members } = formed('hostname')
    members[2]!.view.myself.hostname = 'two.example.com'
    stage.run(2 * T)
    for (const member of members) expect(members[2]!.asSeenBy(member).hostname).toBe('two.example.com')
  })
})

describe('a primary that dies', () => {
  const timeToFailover = (seed: number) => {
    const { stage, members } = formed(seed)
    members[0]!.kill()
    const failedMs = stage.runUntil(() => members[0]!.asSeenBy(members[1]!).isFailed)
    const electedMs =
      failedMs +
      stage.runUntil(
        () => isPrimary(members[3]!),
        60_000,
        () => expectUniqueClaims(members),
      )
    return { stage, members, failedMs, electedMs }
  }

  it.each([1, 2, 3, 4, 5])('is failed after 1…2 timeouts and replaced 0.5…1.4 s later (seed %i)', (seed) => {
    const { stage, members, failedMs, electedMs } = timeToFailover(seed)
    expect(failedMs).toBeGreaterThan(T * 0.5)
    expect(failedMs).toBeLessThan(T * 2.2)
    expect(electedMs - failedMs).toBeGreaterThanOrEqual(490)
    expect(electedMs - failedMs).toBeLessThan(1400)
    stage.run(2 * T)
    for (const member of members.slice(1)) {
      expect(member.view.state).toBe('ok')
      expect(owner(member, 0)).toBe(members[3]!.view.myself.name)
    }
    expect(logs(members[3]!)).toMatch(/Start of election delayed for \d+ milliseconds \(rank #0, offset 0\)\./)
    expect(logs(members[3]!)).toContain("Failover election won: I'm the new master.")
    expect(logs(members[1]!)).toMatch(/Failover auth granted to [0-9a-f]{40} for epoch \d+/)
  })

  it('is replaced by the replica with most data, the other one ranks itself behind', () => {
    for (const seed of [11, 12, 13]) {
      const { stage, members } = formed(seed, 2)
      members[0]!.offset = 500
      stage.run(300)
      members[3]!.offset = 400
      stage.partition([members[0]!])
      // The lagging replica never hears the offset 500.
      members[3]!.replicationOffset = () => (isPrimary(members[3]!) ? 0 : 400)
      members[0]!.kill()
      stage.heal()
      stage.runUntil(() => isPrimary(members[3]!) || isPrimary(members[6]!))
      expect(isPrimary(members[6]!)).toBe(true)
      stage.run(3 * T)
      expect(members[3]!.view.myself.primary?.name).toBe(members[6]!.view.myself.name)
    }
  })

  it('is not replaced when cluster-replica-no-failover is set, nor when its replica is too far behind', () => {
    for (const settings of [{ 'cluster-replica-no-failover': true }, { 'cluster-replica-validity-factor': 1 }]) {
      const { stage, members } = formed('kept', 1, settings)
      const stale = 'cluster-replica-validity-factor' in settings
      if (stale) members[3]!.dataAgeMs = () => 10_000 + 3 * T
      members[0]!.kill()
      stage.run(20_000)
      expect(isPrimary(members[3]!)).toBe(false)
      expect(members[1]!.view.state).toBe('fail')
      if (stale) expect(logs(members[3]!)).toContain('Disconnected from master for longer than allowed.')
    }
  })

  it('cannot be replaced when the majority of primaries is gone', () => {
    const { stage, members } = formed('majority')
    members[0]!.kill()
    members[1]!.kill()
    stage.run(20_000)
    expect(isPrimary(members[3]!)).toBe(false)
    expect(members[2]!.view.state).toBe('fail')
  })
})

describe('a partitioned primary', () => {
  const seeds = Array.from({ length: 8 }, (_, i) => i + 100)
  it.each(seeds)('stops within 1…1.5 timeouts, is replaced, and follows its successor afterwards (seed %i)', (seed) => {
    const { stage, members } = formed(seed)
    const [old, , , successor] = members as [Member, Member, Member, Member]
    const watch = () => expectUniqueClaims(members)
    stage.run(stage.random.below(2000))
    stage.partition([old])
    const refusesMs = stage.runUntil(() => old.view.state === 'fail', 5000, watch)
    expect(refusesMs).toBeGreaterThan(T * 0.5)
    expect(refusesMs).toBeLessThanOrEqual(T * 1.5 + 300)
    stage.runUntil(() => isPrimary(successor), 20_000, watch)
    stage.run(stage.random.below(5000), watch)
    expect(isPrimary(old)).toBe(true)
    stage.heal()
    stage.runUntil(() => !isPrimary(old), 10_000, watch)
    stage.run(3 * T, watch)
    expect(old.view.myself.primary?.name).toBe(successor.view.myself.name)
    for (const member of members) {
      expect(member.view.state).toBe('ok')
      expect(member.view.nodes.filter((node) => node.isPrimary && node.slotCount > 0).length).toBe(3)
      expect(owner(member, 0)).toBe(successor.view.myself.name)
    }
  })

  it('with its replica on its side is not replaced, and serves again some time after healing', () => {
    const { stage, members } = formed('together')
    stage.partition([members[0]!, members[3]!])
    stage.run(10_000)
    expect(members.map(isPrimary)).toEqual([true, true, true, false, false, false])
    expect(members.map(({ view }) => view.state)).toEqual(['fail', 'fail', 'fail', 'fail', 'fail', 'fail'])
    stage.heal()
    stage.runUntil(() => members.every(({ view }) => view.state === 'ok'), 20_000)
  })

  it('never has two owners of one slot in one epoch while groups come and go at random', () => {
    for (const seed of [201, 202, 203, 204, 205, 206]) {
      const { stage, members } = formed(seed, 1)
      const watch = () => expectUniqueClaims(members)
      for (let round = 0; round < 6; round++) {
        const groups: Member[][] = [[], [], []]
        for (const member of members) groups[stage.random.below(3)]!.push(member)
        stage.partition(...groups)
        stage.run(1000 + stage.random.below(4000), watch)
        stage.heal()
        stage.run(stage.random.below(3000), watch)
      }
      stage.runUntil(() => members.every(({ view }) => view.state === 'ok'), 30_000, watch)
      stage.run(3 * T, watch)
      const tables = new Set(members.map(({ view }) => view.slots.map((node) => node?.name).join()))
      expect(tables.size).toBe(1)
      expect(members.filter(isPrimary).length).toBe(3)
    }
  })
})

describe('a vote', () => {
  /** Member 1 is asked by a replica of member 0, which has failed unless told otherwise. */
  function asked(changes: (scene: { voter: Member; request: Header; candidate: ClusterNode }) => void): string {
    const { members } = formed('votes', 2)
    const [old, voter] = members as [Member, Member]
    const candidate = members[3]!.asSeenBy(voter)
    old.asSeenBy(voter).flags |= NodeFlag.failed
    voter.view.currentEpoch = 20
    const request = {
      currentEpoch: 20,
      configEpoch: old.view.myself.configEpoch,
      slots: old.view.myself.slots,
      messageFlags: 0,
    } as Header
    voter.logged.length = 0
    changes({ voter, request, candidate })
    answerVoteRequest(voter.view, candidate, request)
    return (voter.logged.at(-1) ?? '').replace(/[0-9a-f]{40}: /, '')
  }

  it('is given for a replica of a failed primary', () => {
    expect(asked(() => undefined)).toMatch(/^Failover auth granted to [0-9a-f]{40} for epoch 20$/)
  })

  it('is refused for an old epoch, twice in one epoch, and to old claims', () => {
    const denied = 'Failover auth denied to '
    expect(asked(({ request }) => Object.assign(request, { currentEpoch: 19 }))).toBe(
      `${denied}reqEpoch (19) < curEpoch(20)`,
    )
    expect(asked(({ voter }) => Object.assign(voter.view, { lastVoteEpoch: 20 }))).toBe(
      `${denied}already voted for epoch 20`,
    )
    expect(asked(({ request }) => Object.assign(request, { configEpoch: 0 }))).toBe(
      `${denied}slot 0 epoch (1) > reqEpoch (0)`,
    )
  })

  it('is refused while the primary is up, unless forced, and to who is no replica of a known primary', () => {
    const up = ({ candidate }: { candidate: ClusterNode }) => {
      if (candidate.primary !== undefined) candidate.primary.flags &= ~NodeFlag.failed
    }
    expect(asked(up)).toContain('its master is up')
    expect(
      asked((scene) => {
        up(scene)
        scene.request.messageFlags = MessageFlag.forceAck
      }),
    ).toContain('granted')
    expect(asked(({ candidate }) => Object.assign(candidate, { flags: NodeFlag.primary }))).toContain(
      'it is a master node',
    )
    expect(asked(({ candidate }) => Object.assign(candidate, { primary: undefined }))).toContain(
      "I don't know its master",
    )
  })

  it('is given for one shard once in two timeouts', () => {
    const voted = (agoMs: number) =>
      asked(({ voter, candidate }) => Object.assign(candidate.primary ?? {}, { votedMs: voter.nowMs() - agoMs }))
    expect(voted(2 * T - 1)).toContain("can't vote about this master before 1 milliseconds")
    expect(voted(2 * T)).toContain('granted')
  })

  it('is not for replicas and primaries without slots to give', () => {
    expect(asked(({ voter }) => voter.view.releaseSlotsOf(voter.view.myself))).toBe('')
  })
})

describe('the failure of a node', () => {
  it('is not believed on the word of a replica or of a minority', () => {
    const { stage, members } = formed('word')
    const [a, b] = [members[0]!, members[1]!]
    const node = b.asSeenBy(a)
    node.flags |= NodeFlag.suspected
    node.addFailureReport(members[3]!.asSeenBy(a), stage.nowMs)
    expect(node.isFailed).toBe(false)
    stage.run(2 * T)
    expect(node.has(NodeFlag.failed | NodeFlag.suspected)).toBe(false)
  })

  it('report expires after two timeouts', () => {
    const { stage, members } = formed('expiry')
    const [a, b, c] = members as [Member, Member, Member]
    const node = b.asSeenBy(a)
    node.addFailureReport(c.asSeenBy(a), stage.nowMs)
    expect(node.countFailureReports(stage.nowMs + 2 * T, 2 * T)).toBe(1)
    expect(node.countFailureReports(stage.nowMs + 2 * T + 1, 2 * T)).toBe(0)
  })

  it('of a replica is taken back as soon as it answers', () => {
    const { stage, members } = formed('replica')
    stage.partition([members[5]!])
    stage.runUntil(() => members[5]!.asSeenBy(members[0]!).isFailed)
    stage.heal()
    const backMs = stage.runUntil(() => !members[5]!.asSeenBy(members[0]!).isFailed)
    expect(backMs).toBeLessThan(T)
    expect(logs(members[0]!)).toMatch(/Clear FAIL state for node [0-9a-f]{40}: replica is reachable again\./)
  })

  it('of a primary with slots that nobody took over is taken back after two timeouts', () => {
    const stage = new Stage('undo')
    const members = stage.form(3, 0, { 'cluster-node-timeout': T })
    stage.run(5000)
    stage.partition([members[2]!])
    stage.runUntil(() => members[2]!.asSeenBy(members[0]!).isFailed)
    const failedMs = stage.nowMs
    stage.heal()
    stage.runUntil(() => !members[2]!.asSeenBy(members[0]!).isFailed)
    expect(stage.nowMs - failedMs).toBeGreaterThan(2 * T)
    expect(logs(members[0]!)).toContain('is reachable again and nobody is serving its slots after some time.')
  })
})

describe('the cluster', () => {
  it('goes on without full coverage when that is allowed', () => {
    for (const full of [true, false]) {
      const stage = new Stage('coverage')
      const members = stage.form(3, 0, { 'cluster-node-timeout': T, 'cluster-require-full-coverage': full })
      stage.run(5000)
      members[2]!.kill()
      stage.run(5000)
      expect(members[0]!.view.state).toBe(full ? 'fail' : 'ok')
    }
  })

  it('does not serve in the first two seconds of a primary', () => {
    const stage = new Stage('start')
    const member = stage.add()
    member.addSlots(0, 16383)
    stage.run(1900)
    expect(member.view.state).toBe('fail')
    stage.run(400)
    expect(member.view.state).toBe('ok')
  })

  it('carries published messages to all nodes, sharded ones to the shard only', () => {
    const { stage, members } = formed('publish')
    broadcastPublish(members[0]!.view, Buffer.from('c'), Buffer.from('to all'), false)
    broadcastPublish(members[0]!.view, Buffer.from('c'), Buffer.from('to the shard'), true)
    stage.run(100)
    const got = members.map(({ delivered }) => delivered.map(({ message }) => message))
    expect(got).toEqual([[], ['to all'], ['to all'], ['to all', 'to the shard'], ['to all'], ['to all']])
  })
})

describe('slots', () => {
  it('go to the greater epoch; the loser drops its keys there, and what it imports it keeps', () => {
    const { stage, members } = formed('claims')
    const [a, b] = members as [Member, Member]
    a.keys.set(0, 3)
    a.keys.set(1, 3)
    a.keys.set(2, 3)
    b.view.myself.configEpoch = b.view.currentEpoch = 50
    for (const slot of [0, 1, 2]) {
      b.view.releaseSlot(slot)
      b.view.addSlot(b.view.myself, slot)
    }
    a.view.importingFrom.set(2, b.asSeenBy(a))
    stage.run(3000)
    expect([0, 1, 2].map((slot) => a.view.slots[slot]?.name === b.view.myself.name)).toEqual([true, true, false])
    expect([...a.keys.keys()]).toEqual([2])
    expect(isPrimary(a)).toBe(true)
  })

  it('claimed under an old epoch are refused, and an UPDATE corrects the claimant', () => {
    const { stage, members } = formed('update')
    const [a, b] = members as [Member, Member]
    // Member 0 has the smallest epoch.
    a.view.releaseSlot(8000)
    a.view.addSlot(a.view.myself, 8000)
    stage.run(3000)
    expect(owner(a, 8000)).toBe(b.view.myself.name)
    expect(owner(members[2]!, 8000)).toBe(b.view.myself.name)
    expect(members.some((it) => logs(it).includes('has old slots configuration, sending an UPDATE message'))).toBe(true)
  })
})

describe('old gossip that arrives after a partition', () => {
  it('may make a node a replica of its own replica, which never makes it follow itself', () => {
    const [a, b, c] = formed('circle').members as [Member, Member, Member]
    const { myself } = a.view
    const primary = b.asSeenBy(a)
    for (const node of [myself, primary]) node.flags = (node.flags & ~NodeFlag.primary) | NodeFlag.replica
    myself.primary = primary
    primary.primary = myself
    claimSlots(a.view, c.asSeenBy(a), 99, c.view.myself.slots)
    expect(myself.primary).toBe(primary)
  })
})

describe('a manual failover', () => {
  it('pauses the primary, waits for its offset, and swaps the roles without a FAIL', () => {
    const { stage, members } = formed('manual')
    const [old, , , replica] = members as [Member, Member, Member, Member]
    old.offset = 77
    startManualFailover(replica.view, old.asSeenBy(replica), 'safe')
    stage.runUntil(() => old.pausedUntilMs > 0, 1000)
    expect(old.pausedUntilMs).toBe(old.view.manualFailover.endMs + 5000)
    const tookMs = stage.runUntil(() => isPrimary(replica), 2000)
    expect(tookMs).toBeLessThan(500)
    stage.run(2000)
    expect(replica.offset).toBe(77)
    expect(old.view.myself.primary?.name).toBe(replica.view.myself.name)
    expect(old.pausedUntilMs).toBe(0)
    expect(logs(replica)).toContain('All master replication stream processed, manual failover can start.')
    expect(members.some((it) => logs(it).includes('as failing'))).toBe(false)
  })

  it('gives up after five seconds when the primary does not answer', () => {
    const { stage, members } = formed('silent', 1, { 'cluster-node-timeout': 15_000 })
    startManualFailover(members[3]!.view, members[0]!.asSeenBy(members[3]!), 'safe')
    stage.partition([members[0]!])
    stage.run(5200)
    expect(logs(members[3]!)).toContain('Manual failover timed out.')
    expect(isPrimary(members[3]!)).toBe(false)
  })

  it('by force needs the votes only, by takeover not even these', () => {
    for (const mode of ['force', 'takeover'] as const) {
      const { stage, members } = formed(mode)
      const dead = mode === 'force' ? [0] : [0, 1]
      for (const index of dead) members[index]!.kill()
      startManualFailover(members[3]!.view, members[0]!.asSeenBy(members[3]!), mode)
      stage.runUntil(() => isPrimary(members[3]!), 1000)
      expect(members[3]!.view.myself.slotCount).toBe(5462)
      expect(members[3]!.view.myself.configEpoch).toBe(members[3]!.view.currentEpoch)
    }
  })
})

describe('replica migration', () => {
  /** Primaries 0, 1, 2; member 0 has two replicas more than member 2, which loses its only one. */
  function orphaned(settings = {}) {
    const stage = new Stage('orphan')
    const members = stage.form(3, 1, { 'cluster-node-timeout': T, ...settings })
    const extra = stage.add({ 'cluster-node-timeout': T, ...settings })
    members[0]!.meet(extra)
    stage.run(3000)
    for (const member of members.slice(3)) follow(member, members[member.index % 3]!)
    stage.run(6000)
    members[5]!.kill()
    return { stage, members, extra }
  }
  const replicasOf = (member: Member, by: Member): ClusterNode[] =>
    member.asSeenBy(by).replicas.filter((it) => !it.isFailed)

  it('sends one replica, that with the smallest name, to an orphan of five seconds', () => {
    const { stage, members, extra } = orphaned()
    stage.runUntil(() => members[5]!.asSeenBy(members[0]!).isFailed)
    const [first, second] = [members[3]!, extra].toSorted((a, b) => (a.view.myself.name < b.view.myself.name ? -1 : 1))
    const tookMs = stage.runUntil(() => replicasOf(members[2]!, members[0]!).length === 1, 20_000)
    expect(tookMs).toBeGreaterThan(4900)
    stage.run(10_000)
    expect(first!.view.myself.primary?.name).toBe(members[2]!.view.myself.name)
    expect(second!.view.myself.primary?.name).toBe(members[0]!.view.myself.name)
    expect(logs(first!)).toContain('Migrating to orphaned master')
  })

  it('does not happen when forbidden or when it would leave fewer than the barrier', () => {
    for (const settings of [{ 'cluster-allow-replica-migration': false }, { 'cluster-migration-barrier': 2 }]) {
      const { stage, members } = orphaned(settings)
      stage.run(20_000)
      expect(replicasOf(members[2]!, members[0]!).length).toBe(0)
    }
  })
})
