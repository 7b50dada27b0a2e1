import { type ErrorCode, type InstanceId, type NodeId, silentLog, systemClock } from '@neko-edge/kit'
import { Bus, connect, relayChannel } from '@neko-edge/store'
import { TempRedis } from '@neko-edge/testing'
import { expect, it } from 'vitest'
import { NodeRelays } from '../../src/relay/node-relays.ts'
import { codeOf, testRoom } from '../sfu/room.ts'

/** A relay and a capture node that is none, and a third process that calls them. */
async function world() {
  const owned = new AsyncDisposableStack()
  const redis = owned.use(await TempRedis.open())
  const connection = owned.use(await connect({ url: redis.url, log: silentLog }))
  const { sfu } = owned.use(await testRoom())
  const open = async (node: string, isRelay: boolean) => {
    const bus = owned.use(await Bus.open(connection, { instance: node as InstanceId, log: silentLog }))
    const parts = { connection, bus, sfu, node: node as NodeId, maxViewers: 0, clock: systemClock, log: silentLog }
    return owned.use(await NodeRelays.open({ ...parts, isRelay }))
  }
  const [relay, stage] = [await open('relay', true), await open('stage', false)]
  const caller = owned.use(await Bus.open(connection, { instance: 'caller' as InstanceId, log: silentLog }))
  const call = (node: string, name: string, args: unknown) => codeOf(caller.call(relayChannel(node), name, { args, ms: 5_000 }))
  return { relay, stage, call, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

const media = {
  videoCodec: 'vp8',
  audioCodec: 'opus',
  rungs: ['main'],
  cursorVideo: 'legacy',
  audio: 'audio',
  legacy: true,
  setup: 'active',
}
const opened = { room: 'default', origin: 'nobody', parent: 'nobody', media }
const end = { ip: '127.0.0.1', port: 50_000, srtp: { cryptoSuite: 'AEAD_AES_256_GCM', keyBase64: 'x' } }

const uplinkEnd = {
  ice: { usernameFragment: 'u', password: 'p' },
  candidates: [{ foundation: 'f', priority: 1, ip: '127.0.0.1', port: 9 }],
  fingerprint: Array.from({ length: 32 }, () => 'AB').join(':'),
}

it('[RLY-1760] what nodes ask of each other is read like anything from a network: wrong, it is refused with the field, and harms nobody', async () => {
  await using nodes = await world()
  const cases: [string, string, unknown, ErrorCode][] = [
    ['relay', 'relay.explode', {}, 'invalid'],
    ['relay', 'relay.open', {}, 'invalid'],
    ['relay', 'relay.open', { ...opened, media: { ...media, rungs: [] } }, 'invalid'],
    ['relay', 'relay.open', { ...opened, media: { ...media, videoCodec: 'mpeg1' } }, 'invalid'],
    ['relay', 'relay.open', { ...opened, media: { ...media, videoCodec: '__proto__' } }, 'invalid'],
    // The node that it is to take the room from is not there.
    ['relay', 'relay.open', opened, 'unavailable'],
    ['stage', 'relay.open', opened, 'unavailable'],
    ['relay', 'relay.beat', { room: 'default', origin: 'stage', bitrates: {} }, 'notFound'],
    ['relay', 'relay.peer', { room: 'default', call: 'peer.open', args: {} }, 'notFound'],
    ['relay', 'pipe.open', { room: 'default', name: 'x', end }, 'notFound'],
    ['relay', 'pipe.open', { room: 'default', name: 'x', end: { ...end, port: 'many' } }, 'invalid'],
    ['stage', 'uplink.open', { room: 'default', name: 'relay', end: uplinkEnd }, 'notFound'],
    ['stage', 'uplink.open', { room: 'default', name: 'relay', end: { ...uplinkEnd, fingerprint: 'AB:CD' } }, 'invalid'],
    ['stage', 'uplink.open', { room: 'default', name: 'relay', end: { ...uplinkEnd, candidates: [] } }, 'invalid'],
    ['stage', 'relay.input', { room: 'default', session: 'ann', fence: 1, dialect: 'v3', input: { is: 'explode' } }, 'invalid'],
  ]
  for (const [node, name, args, code] of cases) {
    expect(await nodes.call(node, name, args), `${node} ${name} ${JSON.stringify(args)}`).toBe(code)
  }
  expect(await nodes.call('relay', 'relay.close', { room: 'default', origin: 'stage' })).toBeUndefined()
  expect([nodes.relay.viewers, nodes.stage.viewers]).toEqual([0, 0])
})

it('[RLY-1761] a node answers for the rooms whose origin it is, and not for them any more when they end', async () => {
  await using nodes = await world()
  const inputs: unknown[] = []
  const note = (args: unknown) => {
    inputs.push(args)
    return null
  }
  const stop = nodes.stage.serveOrigin('default', { 'relay.input': note })
  const input = { room: 'default', session: 'ann', fence: 3, dialect: 'v3', input: { is: 'move', x: 1, y: 2 } }
  expect(await nodes.call('stage', 'relay.input', input)).toBeUndefined()
  expect(inputs).toEqual([input])
  expect(await nodes.call('stage', 'pipe.open', { room: 'default', name: 'x', end })).toBe('notFound')
  // What is an origin's own room is not taken from others.
  expect(await nodes.call('stage', 'relay.open', opened)).toBe('unavailable')
  stop()
  expect(await nodes.call('stage', 'relay.input', input)).toBe('notFound')
})
