import { until } from '@neko-edge/kit'
import { JsonSocket, type SocketMessage, TempRedis } from '@neko-edge/testing'
import { loginV3, type V3Session } from '@neko-edge/testing/viewer'
import { describe, expect, it } from 'vitest'
import { ControlPlaneProcess } from './control-plane-process.ts'

const connect = async ({ token }: V3Session, url: string) => {
  const socket = await JsonSocket.open(`${url.replace('http', 'ws')}/api/ws?token=${token}`, () => undefined)
  await socket.event('openinapp/init')
  return socket
}
const isOf =
  (id: string) =>
  ({ payload }: SocketMessage) =>
    (payload as { id?: string }).id === id

describe('a control plane that is killed', () => {
  it('[RUN-10] leaves its sessions to the others: who comes back is missed by nobody, who does not is gone after lease and grace', async () => {
    await using redis = await TempRedis.open()
    const [one, two] = await Promise.all([0, 1].map(() => ControlPlaneProcess.open('node', { redisUrl: `unix://${redis.path}` })))
    await using first = one!
    await using second = two!
    const login = (username: string) => loginV3({ url: second.url, username, password: 'neko' })
    const [lost, back, bob] = [await login('lost'), await login('back'), await login('bob')]
    const atFirst = await Promise.all([connect(lost, first.url), connect(back, first.url)])
    const watcher = await connect(bob, second.url)
    atFirst[0]?.send({ event: 'control/request' })
    await watcher.event('control/host')
    await first.kill()
    const killedAt = performance.now()
    expect((await atFirst[0]!.closed).code).toBe(1006)
    const again = await connect(back, second.url)
    const gone = await watcher.event('session/state', {
      ms: 15_000,
      where: (message) => isOf(lost.id)(message) && (message['payload'] as { is_connected: boolean }).is_connected === false,
    })
    expect(gone['payload']).toHaveProperty('not_connected_since')
    expect(performance.now() - killedAt).toBeGreaterThan(4_900)
    // Its turn at the controls ended with it.
    await until(
      () => watcher.history.some(({ event, payload }) => event === 'control/host' && (payload as { has_host: boolean }).has_host === false),
      {
        ms: 1_000,
        what: 'the controls are free',
      },
    )
    const missed = watcher.history.filter((message) => message.event === 'session/state' && isOf(back.id)(message))
    expect(missed.every(({ payload }) => (payload as { is_connected: boolean }).is_connected)).toBe(true)
    again.send({ event: 'control/request' })
    expect(
      await watcher.event('control/host', { where: ({ payload }) => (payload as { host_id?: string }).host_id === back.id }),
    ).toBeDefined()
  })
})

describe('a control plane that is stopped', () => {
  it.each(['node', 'deno'] as const)('[RUN-1714] on %s sends its V3 clients over to another one', async (runtime) => {
    await using redis = await TempRedis.open()
    const redisUrl = `unix://${redis.path}`
    await using other = await ControlPlaneProcess.open('node', { redisUrl })
    await using stopping = await ControlPlaneProcess.open(runtime, { redisUrl })
    const ann = await loginV3({ url: other.url, username: 'ann', password: 'neko' })
    const socket = await connect(ann, stopping.url)
    expect(await stopping.stop()).toBe(0)
    expect((await socket.closed).code).toBe(1012)
    expect(socket.history.map(({ event }) => event)).not.toContain('system/disconnect')
    await (await connect(ann, other.url)).close()
  })
})
