import { until } from '@neko-edge/kit'
import { relayChannel, takeControl } from '@neko-edge/store'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { patienceMs } from '../sfu/room.ts'
import { Tree } from './tree.fixture.ts'

vi.setConfig({ testTimeout: 3 * patienceMs, hookTimeout: patienceMs })

let tree: Tree
beforeAll(async () => {
  tree = await Tree.open({ uplink: 'relay' })
})
afterAll(() => tree[Symbol.asyncDispose]())

/** A move of the pointer, as often as it takes to come through; gives what the origin hears of it. */
async function moved(session: string, viewer: { send(message: Buffer): void }, x: number) {
  const message = Buffer.from('0100040000000a', 'hex')
  message.writeUInt16BE(x, 3)
  const found = () => tree.inputs.find((input) => input.session === session && input.input.is === 'move' && input.input.x === x)
  await until(
    () => {
      viewer.send(message)
      return found() !== undefined
    },
    { ms: patienceMs, what: 'the input', everyMs: 100 },
  )
  return found()
}

it('[NAT-1970] an origin that nobody can reach goes to one relay, before anybody asks; the next relay takes the room from that one; messages and input go the same way', async () => {
  await until(() => tree.uplinks.length > 0, { ms: patienceMs, what: 'the word that there is no relay' })
  expect(tree.uplinks).toEqual([null])
  await tree.relay('a', 1)
  await until(() => tree.uplinks.at(-1) === 'a', { ms: patienceMs, what: 'the uplink' })
  const ann = await tree.watch('ann')
  await tree.relay('b', 3)
  const ben = await tree.watch('ben')
  const numbers = await tree.relays.numbers()
  expect(numbers.map(({ relay, bytesSent }) => [relay, bytesSent > 0])).toEqual([
    ['a', true],
    ['b', false],
  ])
  tree.relays.tellChannel(Uint8Array.of(1, 7), 'ann')
  await until(() => ben.messages.some((message) => message.join() === '1,7'), { ms: patienceMs, what: 'the message' })
  expect(ann.messages.some((message) => message.join() === '1,7')).toBe(false)
  await tree.world.room().run(takeControl, ['ben'])
  const { fence } = tree.world.room().view
  expect(await moved('ben', ben, 7)).toMatchObject({ session: 'ben', dialect: 'v3', fence })
})

it('[NAT-1971] no other node is gone to: one that the room has not chosen is refused', async () => {
  const end = {
    ice: { usernameFragment: 'u', password: 'p' },
    candidates: [{ foundation: 'f', priority: 1, ip: '127.0.0.1', port: 9 }],
    fingerprint: Array.from({ length: 32 }, () => 'AB').join(':'),
  }
  const args = { room: tree.world.room().id, name: 'a-stranger', end }
  await expect(tree.bus.call(relayChannel('stage'), 'uplink.open', { args })).rejects.toMatchObject({ code: 'forbidden' })
})

it('[NAT-1972] the relay with the uplink dies: the origin goes to the next one, which was behind it, and both viewers come back', async () => {
  const [annLost, benLost] = [tree.lost('ann'), tree.lost('ben')]
  const diedAt = performance.now()
  await tree.deaths.get('a')?.()
  await until(() => tree.lost('ann') > annLost && tree.lost('ben') > benLost, { ms: 4_000, what: 'the word' })
  const ben = await tree.watch('ben')
  await tree.watch('ann')
  console.log(JSON.stringify({ died: 'the relay with the uplink', backMs: Math.round(performance.now() - diedAt) }))
  expect(tree.uplinks.at(-1)).toBe('b')
  await tree.world.room().run(takeControl, ['ben'])
  expect(await moved('ben', ben, 9)).toMatchObject({ fence: tree.world.room().view.fence })
})
