import { describe, expect, it } from 'vitest'
import { Arguments } from '../commands/arguments.ts'
import type { Command, CommandFlag } from '../commands/command.ts'
import { keyHashSlot } from '../data/crc16.ts'
import type { Client } from '../server/client.ts'
import { ReferenceKeyspace } from '../store/testing/reference-keyspace.ts'
import { blockedRefusal, type RoutedCommand, routeCommands } from './route.ts'
import { becomeReplicaOf } from './slots.ts'
import { type Member, Stage } from './testing/stage.ts'

const command = (name: string, flags: readonly CommandFlag[], group = 'string'): Command => ({
  name,
  arity: -2,
  flags,
  categories: [],
  group,
})
const get = command('get', ['readonly'])
const set = command('set', ['write'])
const restoreAsking = command('restore-asking', ['write', 'asking'])
const migrate = command('migrate', ['write'])
const spublish = command('spublish', ['pubsub'], 'pubsub')

/** Primary 0 serves the lower half, primary 1 the upper one; member 2 replicates member 0. */
function scene(settings = {}) {
  const stage = new Stage('route')
  const members = stage.form(2, 0, settings)
  const replica = stage.add(settings)
  members[0]!.meet(replica)
  stage.run(3000)
  becomeReplicaOf(replica.view, members[0]!.asSeenBy(replica))
  stage.run(6000)
  const client = { readOnlyMode: false, asking: false } as Client
  const database = new ReferenceKeyspace({ index: 0 })
  const request = (one: Command, ...keys: string[]): RoutedCommand => {
    const args = Arguments.of([one.name, ...keys])
    return { command: one, args, keys: keys.map((_, index) => index + 1) }
  }
  return {
    stage,
    members,
    client,
    database,
    routeAt: (member: Member, one: Command, ...keys: string[]) =>
      routeCommands(member.view, database, client, [request(one, ...keys)], stage.nowMs),
    routeAll: (member: Member, ...requests: [Command, ...string[]][]) =>
      routeCommands(
        member.view,
        database,
        client,
        requests.map(([one, ...keys]) => request(one, ...keys)),
        stage.nowMs,
      ),
    put: (key: string) => database.setText(Buffer.from(key), 0, key.length, Buffer.from('v'), 0, 1),
  }
}

/** `{low}` is in slot 3328 or so, `{high}` in the upper half; found by hashing, not by luck. */
const tagIn = (half: 'low' | 'high') => {
  for (let i = 0; ; i++) {
    const slot = keyHashSlot(Buffer.from(`${half}${i}`))
    if ((half === 'low') === slot < 8192) return { tag: `${half}${i}`, slot }
  }
}
const low = tagIn('low')
const high = tagIn('high')

describe('a client that waits for a key', () => {
  it('is sent to the node that the slot has gone to, unless the slot comes here', () => {
    const { members, client } = scene()
    const [owner, other, replica] = members as [Member, Member, Member]
    const refusal = (member: Member, writes = true) => blockedRefusal(member.view, client, Buffer.from(low.tag), writes)
    expect(refusal(owner)).toBeUndefined()
    expect(refusal(other)).toBe(`MOVED ${low.slot} 10.0.0.1:6379`)
    other.view.importingFrom.set(low.slot, owner.asSeenBy(other))
    expect(refusal(other)).toBeUndefined()
    client.readOnlyMode = true
    expect(refusal(replica, false)).toBeUndefined()
    expect(refusal(replica)).toBe(`MOVED ${low.slot} 10.0.0.1:6379`)
    client.readOnlyMode = false
    expect(refusal(replica, false)).toBe(`MOVED ${low.slot} 10.0.0.1:6379`)
    owner.view.slots[low.slot] = undefined
    expect(refusal(owner)).toBe('CLUSTERDOWN Hash slot not served')
    owner.view.state = 'fail'
    expect(refusal(owner)).toBe('CLUSTERDOWN The cluster is down')
  })
})

describe('a request', () => {
  it('runs at the owner of its slot and is sent there from elsewhere', () => {
    const { members, routeAt } = scene()
    expect(routeAt(members[0]!, get, low.tag)).toBeUndefined()
    expect(routeAt(members[1]!, get, low.tag)).toBe(`MOVED ${low.slot} 10.0.0.1:6379`)
    expect(routeAt(members[0]!, set, high.tag)).toBe(`MOVED ${high.slot} 10.0.0.2:6379`)
    expect(routeAt(members[1]!, get)).toBeUndefined()
  })

  it('may have many keys of one slot, not of two', () => {
    const { members, routeAt, routeAll } = scene()
    expect(routeAt(members[0]!, get, `{${low.tag}}1`, `{${low.tag}}2`)).toBeUndefined()
    expect(routeAt(members[0]!, get, low.tag, high.tag)).toBe("CROSSSLOT Keys in request don't hash to the same slot")
    expect(routeAll(members[0]!, [set, low.tag], [get], [get, `{${low.tag}}2`])).toBeUndefined()
    expect(routeAll(members[0]!, [set, low.tag], [get, high.tag])).toMatch(/^CROSSSLOT /)
  })

  it('names the endpoint that is preferred', () => {
    for (const [type, host] of [
      ['ip', '10.0.0.1'],
      ['hostname', '?'],
      ['unknown-endpoint', ''],
    ] as const) {
      const { members, routeAt } = scene({ 'cluster-preferred-endpoint-type': type })
      expect(routeAt(members[1]!, get, low.tag)).toBe(`MOVED ${low.slot} ${host}:6379`)
      members[0]!.asSeenBy(members[1]!).hostname = 'zero.example.com'
      if (type === 'hostname') {
        expect(routeAt(members[1]!, get, low.tag)).toBe(`MOVED ${low.slot} zero.example.com:6379`)
      }
    }
  })

  it('to a replica is served only when it reads, its primary owns the slot and READONLY was said', () => {
    const { members, routeAt, client } = scene()
    const replica = members[2]!
    expect(routeAt(replica, get, low.tag)).toMatch(/^MOVED /)
    client.readOnlyMode = true
    expect(routeAt(replica, get, low.tag)).toBeUndefined()
    expect(routeAt(replica, set, low.tag)).toMatch(/^MOVED /)
    expect(routeAt(replica, get, high.tag)).toMatch(/^MOVED /)
    client.readOnlyMode = false
    expect(routeAt(replica, spublish, low.tag)).toBeUndefined()
  })
})

describe('a cluster that is down', () => {
  const down = 'CLUSTERDOWN The cluster is down'

  it('serves nothing but what has no keys and what is not refused by setting', () => {
    const { members, routeAt } = scene()
    members[0]!.view.state = 'fail'
    expect(routeAt(members[0]!, get, low.tag)).toBe(down)
    expect(routeAt(members[0]!, get)).toBeUndefined()
    expect(routeAt(members[0]!, spublish, low.tag)).toBeUndefined()
  })

  it('serves reads when cluster-allow-reads-when-down says so, shard channels unless forbidden', () => {
    const { members, routeAt } = scene({
      'cluster-allow-reads-when-down': true,
      'cluster-allow-pubsubshard-when-down': false,
    })
    members[0]!.view.state = 'fail'
    expect(routeAt(members[0]!, get, low.tag)).toBeUndefined()
    expect(routeAt(members[0]!, set, low.tag)).toBe('CLUSTERDOWN The cluster is down and only accepts read commands')
    expect(routeAt(members[0]!, spublish, low.tag)).toBe(down)
  })

  it('says which slot has no owner', () => {
    const { members, routeAt } = scene()
    members[0]!.view.releaseSlot(low.slot)
    expect(routeAt(members[0]!, get, low.tag)).toBe('CLUSTERDOWN Hash slot not served')
  })
})

describe('a slot that moves', () => {
  it('is served where its keys still are, with ASK for the rest and TRYAGAIN for a mixture', () => {
    const { members, routeAt, put } = scene()
    const [source, target] = members as [Member, Member]
    source.view.migratingTo.set(low.slot, target.asSeenBy(source))
    const [here, gone] = [`{${low.tag}}here`, `{${low.tag}}gone`]
    put(here)
    expect(routeAt(source, get, here)).toBeUndefined()
    expect(routeAt(source, get, gone)).toBe(`ASK ${low.slot} 10.0.0.2:6379`)
    expect(routeAt(source, get, here, gone)).toBe('TRYAGAIN Multiple keys request during rehashing of slot')
    expect(routeAt(source, migrate, gone)).toBeUndefined()
    expect(routeAt(source, spublish, gone)).toBeUndefined()
  })

  it('counts an expired key as gone', () => {
    const { stage, members, routeAt, put, database } = scene()
    members[0]!.view.migratingTo.set(low.slot, members[1]!.asSeenBy(members[0]!))
    database.setExpireAtMs(put(low.tag), stage.nowMs - 1)
    expect(routeAt(members[0]!, get, low.tag)).toMatch(/^ASK /)
  })

  it('is served at its new owner only after ASKING', () => {
    const { members, routeAt, client, put } = scene()
    const [source, target] = members as [Member, Member]
    target.view.importingFrom.set(low.slot, source.asSeenBy(target))
    const [here, missing] = [`{${low.tag}}here`, `{${low.tag}}missing`]
    put(here)
    expect(routeAt(target, get, here)).toBe(`MOVED ${low.slot} 10.0.0.1:6379`)
    expect(routeAt(target, restoreAsking, missing)).toBeUndefined()
    client.asking = true
    expect(routeAt(target, get, here)).toBeUndefined()
    expect(routeAt(target, get, missing)).toBeUndefined()
    expect(routeAt(target, get, here, missing)).toMatch(/^TRYAGAIN /)
    expect(routeAt(target, migrate, missing)).toBeUndefined()
  })
})
