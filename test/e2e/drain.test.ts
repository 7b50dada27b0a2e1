import { until } from '@neko-edge/kit'
import { TcpRelay } from '@neko-edge/testing'
import { V2Viewer, V3Viewer } from '@neko-edge/testing/viewer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Fleet } from './fleet.ts'

const words = (viewer: V3Viewer | V2Viewer) => viewer.socket.history.map(({ event }) => event)

describe('a control plane that is stopped while another one runs, behind a round-robin proxy', () => {
  let fleet: Fleet
  let proxy: TcpRelay
  let vera: V3Viewer
  let bob: V2Viewer

  beforeAll(async () => {
    fleet = await Fleet.open()
    proxy = await TcpRelay.open(...fleet.urls.map((url) => ({ host: '127.0.0.1', port: Number(new URL(url).port) })))
    // Both are with the first plane; whatever comes later finds the second.
    vera = await V3Viewer.open({ url: fleet.urls[0] ?? '', username: 'vera', password: 'neko' })
    await vera.watch()
    bob = await V2Viewer.open({ url: fleet.urls[0] ?? '', password: 'neko', displayname: 'bob', username: 'bob' })
    await bob.watch()
    await bob.event('member/connected')
  })

  afterAll(async () => {
    await Promise.all([vera, bob].map((viewer) => viewer?.close()))
    await proxy?.[Symbol.asyncDispose]()
    await fleet?.[Symbol.asyncDispose]()
  })

  it('[RUN-1710] V3: the socket is closed with 1012 and no last word; the same session goes on elsewhere with its picture and the controls', async () => {
    vera.send('control/request')
    await vera.event('control/host')
    await until(() => vera.peer.video.packets > 20, { ms: 10_000, what: 'packets' })
    const closed = vera.socket.closed
    const before = vera.peer.video.packets
    await fleet.stopControlPlane(0)
    expect(await closed).toMatchObject({ code: 1012 })
    expect(words(vera)).not.toContain('system/disconnect')
    const there = await V3Viewer.connect({ ...vera.session, url: proxy.url })
    const init = (await there.event('system/init')) as { session_id: string; control_host: object }
    expect(init).toMatchObject({ session_id: vera.session.id, control_host: { has_host: true, host_id: vera.session.id } })
    await until(() => vera.peer.video.packets > before + 20, { ms: 5_000, what: 'packets go on' })
    expect(vera.peer.state).toBe('connected')
    expect(vera.peer.video.missing).toBe(0)
    await there.close()
  })

  it('[RUN-1711] V2: hears server_shutdown, after which its client logs in anew, and is not there twice', async () => {
    expect(bob.socket.history.at(-1)).toMatchObject({ event: 'system/disconnect', message: 'server_shutdown' })
    const again = await V2Viewer.open({ url: proxy.url, password: 'neko', displayname: 'bob', username: 'bob' })
    await again.watch()
    const { members } = await again.event('member/list')
    expect((members as { displayname: string }[]).filter(({ displayname }) => displayname === 'bob')).toHaveLength(1)
    await again.close()
  })

  it('[RUN-1712] the last one alone says its last word, as upstream', async () => {
    const ann = await V3Viewer.open({ url: proxy.url, username: 'ann', password: 'neko' })
    // Greeted: one that is still being let in is only closed.
    await ann.socket.event('system/init')
    await fleet.stopControlPlane(1)
    await ann.socket.closed
    expect(ann.socket.history.at(-1)).toEqual({ event: 'system/disconnect', payload: { message: 'connection shutdown' } })
  })
})
