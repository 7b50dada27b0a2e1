import { createSocket } from 'node:dgram'
import { type InstanceId, silentLog, until } from '@neko-edge/kit'
import { Bus, relayChannel, takeControl } from '@neko-edge/store'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { patienceMs } from '../sfu/room.ts'
import { pipes, Tree } from './tree.fixture.ts'

vi.setConfig({ testTimeout: 3 * patienceMs, hookTimeout: patienceMs })

let tree: Tree
beforeAll(async () => {
  tree = await Tree.open()
})
afterAll(() => tree[Symbol.asyncDispose]())

it('[RLY-1762] fills relays one after the other, each next one fed by the one before; messages reach every channel, input comes back under its fence', async () => {
  await tree.relay('a', 1)
  const ann = await tree.watch('ann')
  await tree.relay('b', 3)
  const ben = await tree.watch('ben')
  const numbers = await tree.relays.numbers()
  expect(numbers.map(({ relay, bytesSent }) => [relay, bytesSent > 0])).toEqual([
    ['a', true],
    ['b', false],
  ])
  // How the cursor looks, once more for all when a further relay came.
  const isGreeting = (message: number[]) => message.join() === '2,2'
  expect([ann, ben].every(({ messages }) => messages.length > 0 && messages.every(isGreeting))).toBe(true)
  tree.relays.tellChannel(Uint8Array.of(1, 7), 'ann')
  await until(() => ben.messages.some((message) => message.join() === '1,7'), { ms: patienceMs, what: 'the message' })
  expect(ann.messages.every(isGreeting)).toBe(true)
  await tree.world.room().run(takeControl, ['ben'])
  const { fence } = tree.world.room().view
  await until(
    () => {
      ben.send(Buffer.from('01000400030005', 'hex'))
      return tree.inputs.some((input) => input.fence === fence)
    },
    { ms: patienceMs, what: 'the input', everyMs: 100 },
  )
  expect(tree.inputs.at(-1)).toEqual({ room: 'default', session: 'ben', dialect: 'v3', fence, input: { is: 'move', x: 3, y: 5 } })
})

it('[MOV-1976] a node that had the room before ends and keeps nothing of who has it now; what strangers send to a relay shows in the room’s numbers', async () => {
  const old = await Bus.open(tree.connection, { instance: 'an old origin' as InstanceId, log: silentLog })
  const say = (name: string, more = {}) => old.call(relayChannel('a'), name, { args: { room: 'default', origin: 'old', ...more } })
  await expect(say('relay.beat', { bitrates: {} })).rejects.toMatchObject({ code: 'notFound' })
  expect(await say('relay.close')).toBeNull()
  await old[Symbol.asyncDispose]()
  expect((await tree.relays.numbers()).map(({ relay, refused }) => [relay, refused])).toEqual([
    ['a', 0],
    ['b', 0],
  ])
  // One at every port that may be the end of a pipe: the relay that feeds another one has two.
  const stranger = createSocket('udp4')
  for (let port = pipes.range.min; port <= pipes.range.max; port++) {
    stranger.send(Buffer.alloc(200, 0x80), port, '127.0.0.1')
  }
  const refused = async () => (await tree.relays.numbers()).map((relay) => relay.refused).join()
  await until(async () => (await refused()) === '2,1', { ms: patienceMs, what: 'the strangers to be counted' })
  stranger.close()
})

it('[RLY-1763] who asks again, where he is, takes nobody’s place; who is served elsewhere by then is let go', async () => {
  await tree.watch('ann')
  expect((await tree.relays.numbers()).map(({ relay }) => relay)).toEqual(['a', 'b'])
  expect([tree.relays.has('ann'), tree.relays.has('nobody')]).toEqual([true, false])
  expect(tree.lost('ann')).toBe(0)
})

it('[RLY-1764] a relay that stops: its viewers are told to come again, and are only then let go', async () => {
  const c = await tree.relay('c', 3)
  const before = await tree.watch('cleo')
  expect((await tree.relays.numbers()).at(-1)?.relay).toBe('b')
  // Full up: the next one is the third relay's.
  await tree.watch('dan')
  const eve = await tree.watch('eve')
  expect((await tree.relays.numbers()).at(-1)?.relay).toBe('c')
  const stopping = c[Symbol.asyncDispose]()
  await until(() => tree.lost('eve') > 0, { ms: 2_000, what: 'the word' })
  expect(eve.state).toBe('connected')
  await tree.relay('d', 3)
  await tree.watch('eve')
  await stopping
  expect((await tree.relays.numbers()).map(({ relay }) => relay)).toContain('d')
  expect(before.state).toBe('connected')
})

it('[RLY-1765] a relay that dies: its viewers and those behind it are told within a second and a half, and find their way', async () => {
  const [annLost, benLost] = [tree.lost('ann'), tree.lost('ben')]
  const diedAt = performance.now()
  await tree.deaths.get('a')?.()
  await until(() => tree.lost('ann') > annLost && tree.lost('ben') > benLost, { ms: 2_500, what: 'the word' })
  console.log(JSON.stringify({ died: 'a relay', toldMs: Math.round(performance.now() - diedAt) }))
  await tree.watch('ben')
  await tree.watch('ann')
  expect(performance.now() - diedAt).toBeLessThan(4_000)
  expect((await tree.relays.numbers()).map(({ relay }) => relay)).not.toContain('a')
})
