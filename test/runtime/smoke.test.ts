import type { NekoError } from '@neko-edge/kit'
import { JsonSocket, TempRedis, ThinViewer } from '@neko-edge/testing'
import { loginV3, type V3Session } from '@neko-edge/testing/viewer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ControlPlaneProcess, type RuntimeName } from './control-plane-process.ts'

/** The same control plane on each runtime, and both beside each other on one Redis: what is asked of one is to be seen at the other. */
const settings: readonly (readonly [RuntimeName, RuntimeName])[] = [
  ['node', 'node'],
  ['deno', 'deno'],
  ['node', 'deno'],
]

const greeting = ['system/init', 'session/state', 'filetransfer/update', 'chat/init', 'openinapp/init']

describe.each(settings)('control planes on %s and %s', (first, second) => {
  let redis: TempRedis
  let here: ControlPlaneProcess
  let there: ControlPlaneProcess

  beforeAll(async () => {
    redis = await TempRedis.open()
    const options = { redisUrl: `unix://${redis.path}` }
    ;[here, there] = await Promise.all([ControlPlaneProcess.open(first, options), ControlPlaneProcess.open(second, options)])
  }, 60_000)

  afterAll(async () => {
    await here?.[Symbol.asyncDispose]()
    await there?.[Symbol.asyncDispose]()
    await redis?.[Symbol.asyncDispose]()
  })

  const login = (username: string, password = 'neko') => loginV3({ url: here.url, username, password })
  const connect = async ({ token }: V3Session, { url }: ControlPlaneProcess) => {
    const socket = await JsonSocket.open(`${url.replace('http', 'ws')}/api/ws?token=${token}`, () => undefined)
    await socket.event('openinapp/init')
    return socket
  }

  it('[RUN-1] log in at one, and know the session at the other', async () => {
    const { token, id } = await login('ann')
    const response = await fetch(`${there.url}/api/whoami`, { headers: { authorization: `Bearer ${token}` } })
    expect(await response.json()).toMatchObject({ id, profile: { name: 'ann', is_admin: false } })
    await expect(login('ann', 'wrong')).rejects.toMatchObject({ code: 'unauthorized' } satisfies Partial<NekoError>)
  })

  it('[RUN-2] greet a socket alike', async () => {
    for (const plane of [here, there]) {
      const socket = await connect(await login('bob'), plane)
      expect(socket.history.map(({ event }) => event)).toEqual(greeting)
      await socket.close()
    }
  })

  it('[RUN-3] let the controls be taken at one and seen at the other, and a text and binary frame count alike', async () => {
    const [ann, bob] = [await login('ann'), await login('bob')]
    const [atHere, atThere] = [await connect(ann, here), await connect(bob, there)]
    atHere.send({ event: 'control/request' })
    expect(await atThere.event('control/host')).toMatchObject({ payload: { id: ann.id, has_host: true, host_id: ann.id } })
    atHere.sendRaw(new TextEncoder().encode('{"event":"control/release"}'))
    expect(await atThere.event('control/host')).toMatchObject({ payload: { has_host: false } })
    await Promise.all([atHere.close(), atThere.close()])
  })

  it('[RUN-4] replace a socket at one by a socket at the other', async () => {
    const ann = await login('ann')
    const old = await connect(ann, here)
    const fresh = await connect(ann, there)
    await old.closed
    expect(old.history.at(-1)).toEqual({ event: 'system/disconnect', payload: { message: 'connection replaced' } })
    await fresh.close()
  })

  it('[RUN-5] refuse in words, and go on after bad input', async () => {
    const stranger = await JsonSocket.open(`${there.url.replace('http', 'ws')}/api/ws?token=nonsense`, () => undefined)
    await stranger.closed
    expect(stranger.history).toEqual([{ event: 'system/disconnect', payload: { message: 'session not found' } }])
    const [ann, bob] = [await login('ann'), await login('bob')]
    const [atHere, atThere] = [await connect(ann, there), await connect(bob, here)]
    const nested = `${'['.repeat(50_000)}${']'.repeat(50_000)}`
    for (const frame of ['not json', '{}', `{"event":"send/broadcast","payload":{"body":${nested}}}`, Uint8Array.of(0xff, 0)]) {
      atHere.sendRaw(frame)
    }
    atHere.send({ event: 'send/broadcast', payload: { subject: 'fine' } })
    expect(await atThere.event('send/broadcast')).toMatchObject({ payload: { sender: ann.id, subject: 'fine' } })
    const large = await connect(await login('eve'), there)
    large.sendRaw('x'.repeat(6_000_000))
    expect((await large.closed).code).toBe(1009)
    await Promise.all([atHere.close(), atThere.close()])
  })

  it('[RUN-1300] answer on the thin line, in binary', async () => {
    for (const plane of [here, there]) {
      const session = await login('bob')
      const socket = await connect(session, plane)
      const line = await ThinViewer.open({ url: plane.url, token: session.token })
      line.say({ is: 'ping', time: 1 })
      expect((await line.next('channel')).bytes[0]).toBe(3)
      await Promise.all([line.close(), socket.close()])
    }
  })

  it('[RUN-6] end by themselves: the first sends its clients to the other one, the last says goodbye', async () => {
    const [atThere, atHere] = [await connect(await login('ann'), there), await connect(await login('bob'), here)]
    expect(await there.stop()).toBe(0)
    expect((await atThere.closed).code).toBe(1012)
    expect(await here.stop()).toBe(0)
    await atHere.closed
    expect(atHere.history.at(-1)).toEqual({ event: 'system/disconnect', payload: { message: 'connection shutdown' } })
  })
})
