import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeV2 } from './client.ts'

const decode = (message: unknown) => decodeV2(JSON.stringify(message))

describe('messages of a V2 client', () => {
  it('[V2-80] have their fields beside the event; others are of no interest', () => {
    expect(decode({ event: 'chat/message', content: 'hi', more: 1 })).toEqual({ event: 'chat/message', payload: { content: 'hi' } })
    expect(decode({ event: 'control/keyboard', layout: 'de', capsLock: true })).toEqual({
      event: 'control/keyboard',
      payload: { layout: 'de', capsLock: true },
    })
    expect(decode({ event: 'control/request' })).toMatchObject({ event: 'control/request' })
  })

  it.each([
    ['', 'not-json'],
    ['{', 'not-json'],
    ['[]', 'invalid'],
    ['null', 'invalid'],
    ['{"event":7}', 'invalid'],
    ['{"event":"__proto__"}', 'unknown'],
    ['{"event":"toString"}', 'unknown'],
    ['{"event":"chat/emote","emote":7}', 'invalid'],
    ['{"event":"chat/emote"}', 'invalid'],
    ['{"event":"admin/lock","resource":"everything"}', 'invalid'],
    ['{"event":"screen/set","width":1.5}', 'invalid'],
  ])('[V2-81] %s is a problem, and no exception: %s', (frame, problem) => {
    expect(decodeV2(frame)).toMatchObject({ problem })
  })

  it('[V2-82] never throw', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.record({ event: fc.string() }).map((value) => JSON.stringify(value)),
        ),
        (frame) => void decodeV2(frame),
      ),
    )
  })
})
