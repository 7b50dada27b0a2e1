import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeServerMessage } from './server-message.ts'

describe('decodeServerMessage', () => {
  it('[WEB-46] never throws, and takes no frame that is no message', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.anything()), (frame) => {
        expect(decodeServerMessage(frame)).toBeUndefined()
      }),
    )
  })

  it('[WEB-47] takes what upstream sends, with fields that nobody knows yet', () => {
    const frame = '{"event":"control/host","payload":{"id":"a","has_host":true,"host_id":"b","new":1}}\n'
    expect(decodeServerMessage(frame)).toEqual({ event: 'control/host', payload: { id: 'a', has_host: true, host_id: 'b', new: 1 } })
    expect(decodeServerMessage('{"event":"signal/close","payload":null}')).toBeDefined()
    expect(decodeServerMessage('{"event":"filetransfer/update","payload":{"enabled":false,"files":null}}')).toBeDefined()
  })

  it('[WEB-48] drops a message that lacks what the client relies on', () => {
    for (const frame of [
      '{"event":"control/host","payload":{"has_host":"yes"}}',
      '{"event":"signal/provide","payload":{"sdp":5}}',
      '{"event":"session/state","payload":null}',
      '{"event":"toString","payload":{}}',
    ]) {
      expect(decodeServerMessage(frame)).toBeUndefined()
    }
  })
})
