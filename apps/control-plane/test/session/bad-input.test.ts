import { randomBytes } from 'node:crypto'
import { bareEvents, type payloadSchemas } from '@neko-edge/protocol'
import { describe, expect, it } from 'vitest'
import type { Person } from './person.fixture.ts'
import { Planes } from './planes.fixture.ts'
import { opcode, RawSocket } from './raw-socket.fixture.ts'

/** A payload of each event in which every field is there, and right. */
const right: Record<keyof typeof payloadSchemas, Record<string, unknown>> = {
  'system/logs': {},
  'signal/request': { video: {}, audio: {}, auto: false },
  'signal/answer': { sdp: '' },
  'signal/offer': { sdp: '' },
  'signal/candidate': { candidate: '', sdpMid: '', sdpMLineIndex: 0, usernameFragment: '' },
  'signal/video': { disabled: false, selector: {}, auto: false },
  'signal/audio': { disabled: false },
  'control/move': { x: 0, y: 0 },
  'control/scroll': { delta_x: 0, delta_y: 0, control_key: false, x: 0, y: 0 },
  'control/buttonpress': { code: 1, x: 0, y: 0 },
  'control/buttondown': { code: 1, x: 0, y: 0 },
  'control/buttonup': { code: 1, x: 0, y: 0 },
  'control/keypress': { keysym: 1, x: 0, y: 0 },
  'control/keydown': { keysym: 1, x: 0, y: 0 },
  'control/keyup': { keysym: 1, x: 0, y: 0 },
  'control/touchbegin': { touch_id: 1, x: 0, y: 0, pressure: 0 },
  'control/touchupdate': { touch_id: 1, x: 0, y: 0, pressure: 0 },
  'control/touchend': { touch_id: 1, x: 0, y: 0, pressure: 0 },
  'control/paste': { text: '' },
  'screen/set': { width: 1, height: 1, rate: 1 },
  'clipboard/set': { text: '' },
  'keyboard/map': { layout: '', variant: '' },
  'keyboard/modifiers': { shift: true, capslock: true, control: true, alt: true, numlock: true, meta: true, super: true, altgr: true },
  'send/unicast': { receiver: '', subject: '' },
  'send/broadcast': { subject: '' },
  'chat/message': { text: '' },
}

/** No field of any event is a list of lists. */
const wrong = [[[]]]

/** Payloads that are wrong for an event: of another kind as a whole, or in one field each. */
function wrongPayloads(event: keyof typeof right): unknown[] {
  const fields = right[event]
  const numbers = Object.entries(fields).filter(([, value]) => typeof value === 'number')
  const beyond = numbers.flatMap(([name]) => [2 ** 60, -(2 ** 60), 0.5, '1'].map((value) => ({ ...fields, [name]: value })))
  return [1, 'x', true, [7], ...Object.keys(fields).map((name) => ({ ...fields, [name]: wrong })), ...beyond]
}

const isScreen = (event: string) => event === 'screen/set'

/** Bad input in a room where somebody else listens: gives what it has to answer for. */
async function room(): Promise<AsyncDisposable & { planes: Planes; ann: Person; bob: Person; ignored: () => Promise<number> }> {
  const planes = await Planes.open()
  const [ann, bob] = [await planes.admin('ann'), await planes.enter('bob', { plane: 1 })]
  await bob.news()
  const ignored = () => planes.metric('neko_edge_messages_ignored_total')
  return { planes, ann, bob, ignored, [Symbol.asyncDispose]: () => planes[Symbol.asyncDispose]() }
}

describe('bad input', () => {
  it('[WS-50] of every event costs its message, is counted, and is noticed by nobody else', async () => {
    await using place = await room()
    const { planes, ann, bob } = place
    let sent = 0
    for (const event of Object.keys(right) as (keyof typeof right)[]) {
      const payloads = wrongPayloads(event)
      for (const payload of payloads) {
        ann.send(event, payload)
      }
      ann.send(event)
      sent += payloads.length + 1
      await ann.settled()
      expect([event, await place.ignored()]).toEqual([event, sent])
    }
    expect(planes.node.calls).toEqual([])
    expect(await bob.news()).toEqual([])
    expect(sent).toBeGreaterThan(250)
  })

  it('[WS-51] that is no message at all leaves the connection usable', async () => {
    await using place = await room()
    const { ann, bob } = place
    const frames = ['', 'not json', '[]', 'null', '{}', '{"event":7}', '{"event":"nonsense"}', `{"event":"${'x'.repeat(100_000)}"}`]
    const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    const deep = ['send/broadcast', 'send/unicast'].map(
      (event) => `{"event":"${event}","payload":{"receiver":"${bob.id}","body":${nested}}}`,
    )
    const binary = [randomBytes(1000), Buffer.from([0xff, 0xfe, 0x00]), Buffer.from('{"event":"control/release","payload":"\xff', 'latin1')]
    for (const frame of [...frames, ...deep, ...binary]) {
      ann.socket.sendRaw(frame)
    }
    ann.socket.sendRaw(Buffer.from('{"event":"send/broadcast","payload":{"subject":"binary"}}'))
    expect(await bob.hears('send/broadcast')).toEqual({ sender: ann.id, subject: 'binary', body: null })
    expect(await place.ignored()).toBe(frames.length + deep.length + binary.length)
    expect(await bob.news()).toEqual([])
  })

  it('[WS-52] that is too long ends its connection with 1009, and no other', async () => {
    await using place = await room()
    const { planes, ann, bob } = place
    for (const size of [5_000_000, 10_000_000, 40_000_000]) {
      const socket = await RawSocket.open(ann.address())
      await socket.hears('openinapp/init')
      socket.send(opcode.text, `{"event":"chat/message","payload":{"text":"${'x'.repeat(size)}"}}`)
      await expect.poll(() => socket.frames.at(-1), { timeout: 5_000 }).toMatchObject({ opcode: opcode.close })
      expect(socket.frames.at(-1)?.payload.readUInt16BE(0)).toBe(1009)
    }
    await ann.connect(1)
    ann.send('chat/message', { text: 'x'.repeat(1_000_000) })
    expect(await bob.hears('chat/message')).toMatchObject({ content: { text: 'x'.repeat(1_000_000) } })
    expect(await planes.metric('neko_edge_messages_ignored_total{reason="too-long"}')).toBeGreaterThanOrEqual(2)
  })

  it('[WS-53] in a flood ends at most the connection that sends it', async () => {
    await using place = await room()
    const { ann, bob } = place
    for (let index = 0; index < 20_000; index++) {
      ann.socket.sendRaw('{"event":"control/move","payload":{"x":1,"y":1}}')
    }
    bob.send('send/unicast', { receiver: bob.id, subject: 'still here' })
    expect(await bob.hears('send/unicast')).toMatchObject({ subject: 'still here' })
  })

  it('[WS-54] of events without a payload is no bad input', async () => {
    await using place = await room()
    for (const event of bareEvents) {
      for (const payload of [undefined, null, 'x', { x: wrong }]) {
        place.ann.send(event, payload)
      }
    }
    await place.ann.settled()
    expect(await place.ignored()).toBe(0)
  })

  it('[WS-55] of extreme size where the protocol sets no limit goes to the node as it is', async () => {
    await using place = await room()
    place.ann.send('control/move', { x: 2 ** 31 - 1, y: -(2 ** 31) })
    place.ann.send('screen/set', { width: -1, height: 0, rate: -1 })
    place.ann.send('signal/candidate', { candidate: 'x'.repeat(100_000) })
    await place.ann.settled()
    expect(place.planes.node.asked('input').at(-1)).toMatchObject({ input: { x: 2 ** 31 - 1, y: -(2 ** 31) } })
    expect(place.planes.node.calls.filter(({ name }) => isScreen(name.replace('.', '/')))).toHaveLength(1)
  })
})
