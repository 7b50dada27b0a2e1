import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bareEvents, decodeV3, payloadSchemas } from './client.ts'

const decode = (event: string, payload?: unknown) => decodeV3(JSON.stringify({ event, payload }))
const problem = (frame: string) => {
  const decoded = decodeV3(frame)
  return 'problem' in decoded ? decoded.problem : undefined
}
const events = Object.keys(payloadSchemas)

describe('a frame of a V3 client', () => {
  it('[PRO-30] is refused with a reason, never thrown at', () => {
    expect(['', 'not json', '\u0000\uffff', '{"event":'].map(problem)).toEqual(Array(4).fill('not-json'))
    expect(['1', 'null', '[]', '"x"', '{}', '{"event":1}', '{"event":null}'].map(problem)).toEqual(Array(7).fill('invalid'))
    expect(['nonsense', '', '__proto__', 'constructor', 'toString'].map((event) => problem(JSON.stringify({ event })))).toEqual(
      Array(5).fill('unknown'),
    )
  })

  it('[PRO-31] needs its payload key where the event takes one; null stands for the defaults', () => {
    for (const event of events) {
      expect([event, problem(JSON.stringify({ event }))]).toEqual([event, 'invalid'])
    }
    // A touch has to say where it is.
    const takesNull = events.filter((event) => !event.startsWith('control/touch'))
    for (const event of takesNull) {
      expect([event, problem(JSON.stringify({ event, payload: null }))]).toEqual([event, undefined])
    }
    expect(decode('control/move', null)).toEqual({ event: 'control/move', payload: { x: 0, y: 0 } })
    expect(decode('control/paste', null)).toEqual({ event: 'control/paste', payload: { text: '' } })
  })

  it('[PRO-32] is taken whatever its payload where the event has none', () => {
    for (const event of bareEvents) {
      for (const frame of [{ event }, { event, payload: null }, { event, payload: { x: [] } }, { event, payload: 'x' }]) {
        expect(decodeV3(JSON.stringify(frame))).toEqual({ event, payload: undefined })
      }
    }
  })

  it('[PRO-33] matches keys in any case and ignores what it does not know', () => {
    expect(decodeV3('{"EVENT":"control/move","Payload":{"X":3,"y":4,"z":5},"more":1}')).toEqual({
      event: 'control/move',
      payload: { x: 3, y: 4 },
    })
  })

  it('[PRO-34] is refused as a whole for one field that is wrong', () => {
    const bad: [string, unknown][] = [
      ['control/move', { x: 'a' }],
      ['control/move', { x: 1.5, y: 2 }],
      ['control/move', { x: 2 ** 31, y: 0 }],
      ['control/move', [1, 2]],
      ['control/keydown', { keysym: -1 }],
      ['control/keydown', { keysym: 2 ** 32 }],
      ['control/touchbegin', { touch_id: 1 }],
      ['control/touchbegin', { touch_id: 1, x: 0, y: 0, pressure: 256 }],
      ['screen/set', { width: 1, height: 1, rate: 40_000 }],
      ['signal/video', { selector: { id: 'main', type: 'foo' } }],
      ['signal/video', { selector: { bitrate: -1 } }],
      ['signal/request', { video: { disabled: 'no' } }],
      ['keyboard/modifiers', { shift: 1 }],
      ['send/unicast', { receiver: 7 }],
      ['system/logs', {}],
      ['chat/message', 'text'],
    ]
    for (const [event, payload] of bad) {
      expect([event, payload, problem(JSON.stringify({ event, payload }))]).toEqual([event, payload, 'invalid'])
    }
    // JSON knows no whole numbers: 1e2 is 100 here, where upstream refuses it.
    expect(decodeV3('{"event":"control/move","payload":{"x":1e2}}')).toEqual({ event: 'control/move', payload: { x: 100, y: 0 } })
  })

  it('[PRO-35] names a stream by an id or a rate, its type in any case', () => {
    expect(decode('signal/video', { selector: { id: 'main', type: 'NEAREST' } })).toMatchObject({
      payload: { selector: { id: 'main', type: 'nearest', bitrate: 0 } },
    })
    expect(decode('signal/video', { selector: {} })).toMatchObject({ payload: { selector: { id: '', type: 'exact', bitrate: 0 } } })
    // What clients before V3 sent: nothing of it is known.
    expect(decode('signal/video', { video: 'main' })).toEqual({ event: 'signal/video', payload: {} })
  })

  it('[PRO-36] passes a body on as it is', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (body) => {
        expect(decode('send/broadcast', { subject: 's', body })).toMatchObject({
          payload: { subject: 's', body: JSON.parse(JSON.stringify(body)) },
        })
      }),
    )
  })

  it('[PRO-37] survives every payload of every event', () => {
    const keys = fc.constantFrom(
      'x',
      'y',
      'code',
      'keysym',
      'text',
      'sdp',
      'video',
      'selector',
      'id',
      'type',
      'bitrate',
      'touch_id',
      'body',
      'layout',
    )
    const payload = fc.oneof(fc.jsonValue(), fc.dictionary(keys, fc.jsonValue()))
    fc.assert(
      fc.property(fc.constantFrom(...events, ...bareEvents), payload, (event, value) => {
        const decoded = decode(event, value)
        expect('problem' in decoded ? decoded.detail : decoded.event).toEqual(expect.any(String))
      }),
    )
    fc.assert(fc.property(fc.string(), (frame) => void decodeV3(frame)))
  })
})
