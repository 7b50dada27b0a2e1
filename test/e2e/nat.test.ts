import { until } from '@neko-edge/kit'
import { Nat, v2Input, v3Input } from '@neko-edge/testing'
import { V2Viewer, V3Viewer } from '@neko-edge/testing/viewer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DeskPage, target } from './desk-page.ts'
import { click, expectSees } from './desk-viewer.ts'
import { Fleet } from './fleet.ts'

const token = 'the-token-of-the-whole-fleet'

describe('a capture node behind a NAT', () => {
  let nat: Nat
  let desk: DeskPage
  let fleet: Fleet
  let ann: V3Viewer
  let ben: V3Viewer
  let old: V2Viewer
  let oldId: string

  beforeAll(async () => {
    nat = await Nat.open()
    desk = await DeskPage.open()
    const relay = { NEKO_NODE_ROLES: 'relay', NEKO_WEBRTC_NAT1TO1: `127.0.0.1,${nat.gateway}`, NEKO_NODE_MAX_VIEWERS: '2' }
    fleet = await Fleet.open({
      nat,
      appUrl: desk.url.replace('127.0.0.1', nat.gateway),
      controlPlanes: [{}],
      env: { NEKO_LOG_JSON: 'true', NEKO_ROOMS_API_TOKEN: token, NEKO_NODE_ADDRESS: '127.0.0.1', NEKO_LEGACY: 'true' },
      nodes: [{ NEKO_NODE_UPLINK: 'relay' }, relay, relay],
    })
    await until(async () => (await nodes()).length === 3 && fleet.log.includes('uplink is open'), { ms: 20_000, what: 'the uplink' })
    await desk.place(0, 0)
    ann = await enter('ann')
    old = await V2Viewer.open({ url: fleet.url, password: 'neko', username: 'old', displayname: 'old' })
    oldId = String((await old.watch())['id'])
    ben = await enter('ben')
  })

  afterAll(async () => {
    await Promise.all([ann, ben, old].map((viewer) => viewer?.close()))
    await fleet?.[Symbol.asyncDispose]()
    await desk?.[Symbol.asyncDispose]()
    await nat?.[Symbol.asyncDispose]()
  })

  interface NodeReply {
    readonly id: string
    readonly viewers: number
    readonly rooms_without_relay: number
  }
  async function nodes(): Promise<NodeReply[]> {
    const response = await fetch(`${fleet.url}/api/nodes`, { headers: { authorization: `Bearer ${token}` } })
    // The API answers with the nodes.
    return (await response.json()) as NodeReply[]
  }

  async function enter(username: string): Promise<V3Viewer> {
    const viewer = await V3Viewer.open({ url: fleet.url, username, password: 'neko' })
    await viewer.watch()
    return viewer
  }

  it('[NAT-1960] goes to a relay by itself: viewers outside, V3 and V2, behind that relay and the next, see the desktop, and the cursor of whoever controls it', async () => {
    const served = Object.fromEntries((await nodes()).map(({ id, viewers }) => [id, viewers]))
    expect(served['node-0']).toBe(0)
    for (const viewer of [ann, old, ben]) {
      await expectSees(viewer, desk)
      await until(() => viewer.peer.audio.packets > 0, { ms: 10_000, what: 'sound' })
    }
    for (const [viewer, other] of [
      [ann, ben],
      [ben, ann],
    ] as const) {
      await viewer.peer.channelOpen()
      await viewer.peer.messages.take(({ kind }) => kind === 'image', { ms: 5_000, what: 'how the cursor looks' })
      await viewer.takeControl()
      await click(viewer, desk, target)
      const place = await desk.place(target.x, target.y + 50)
      viewer.peer.send(v3Input.move(place.x, place.y))
      const isThere = (message: { kind: string; x?: number; y?: number }) =>
        message.kind === 'position' && message.x === place.x && message.y === place.y
      await other.peer.messages.take(isThere, { ms: 5_000, what: 'where the cursor is' })
      await viewer.releaseControl()
    }
    await old.peer.channelOpen()
    old.send('control/request')
    await old.event('control/locked', { where: ({ id }) => id === oldId })
    const place = await desk.place(target.x, target.y)
    desk.forget()
    old.peer.send(v2Input.move(place.x, place.y))
    old.peer.send(v2Input.down(1))
    old.peer.send(v2Input.up(1))
    await desk.report('click', ({ x, y }) => Math.abs(x - place.x) < 3 && Math.abs(y - place.y) < 3)
    old.send('control/release')
    const hasLetGo = (payload: unknown) => {
      const { id, has_host } = payload as { id: string; has_host: boolean }
      return id === oldId && !has_host
    }
    await ann.event('control/host', { where: hasLetGo })
  })

  it('[NAT-1965] a relay that dies: the node goes to the next one, and its viewers get a new picture by themselves; without any, that is said', async () => {
    const uplinked = () =>
      [...fleet.log.matchAll(/"relay":"(node-\d)"[^\n]*uplink is open|uplink is open[^\n]*"relay":"(node-\d)"/g)].map(
        (found) => found[1] ?? found[2] ?? '',
      )
    const first = uplinked().at(-1) ?? ''
    const killedAt = performance.now()
    const back = Promise.all([ann.watchAgain({ ms: 15_000 }), ben.watchAgain({ ms: 15_000 })])
    await fleet.killNode(Number(first.slice(-1)))
    await back
    console.log(JSON.stringify({ killed: 'the relay that has the uplink', backMs: Math.round(performance.now() - killedAt) }))
    expect(uplinked().at(-1)).not.toBe(first)
    await expectSees(ann, desk)
    await expectSees(ben, desk)
    await ann.takeControl()
    await click(ann, desk, target)
    await fleet.killNode(Number(uplinked().at(-1)?.slice(-1)))
    await until(() => fleet.log.includes('no relay takes the room'), { ms: 10_000, what: 'the word of it' })
    await until(async () => (await nodes()).some((node) => node.rooms_without_relay === 1), { ms: 5_000, what: 'the room without a relay' })
    const body = JSON.stringify({ username: 'eve', password: 'neko' })
    // Up to the end of its lease the fleet counts on the relay.
    let answer = ''
    const isRefused = async () => {
      const reply = await fetch(`${fleet.url}/api/login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
      answer = await reply.text()
      return reply.status === 503
    }
    await until(isRefused, { ms: 6_000, what: 'the refusal of who comes', everyMs: 400 })
    expect(answer).toContain('no relay takes the room')
  })
})
