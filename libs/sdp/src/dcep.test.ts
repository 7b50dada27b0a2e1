import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeDcep, encodeAck, encodeOpen } from './dcep.ts'

it('[SDP-18] OPEN and ACK have the bytes of RFC 8832', () => {
  expect(Buffer.from(encodeOpen('data')).toString('hex')).toBe(`030000000000000000040000${Buffer.from('data').toString('hex')}`)
  expect([...encodeAck()]).toEqual([2])
})

it('[SDP-19] what was encoded is decoded', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), fc.string({ maxLength: 200 }), (label, protocol) => {
      const text = (value: string): string => new TextDecoder().decode(new TextEncoder().encode(value))
      expect(decodeDcep(encodeOpen(label, protocol))).toEqual({ type: 'open', label: text(label), protocol: text(protocol), ordered: true })
    }),
  )
  expect(decodeDcep(encodeAck())).toEqual({ type: 'ack' })
})

it('[SDP-20] bytes that are neither are undefined, never an error', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => decodeDcep(bytes) !== null))
  expect(decodeDcep(new Uint8Array())).toBeUndefined()
  expect(decodeDcep(Uint8Array.of(3, 0, 0))).toBeUndefined()
  expect(decodeDcep(encodeOpen('data').subarray(0, 14))).toBeUndefined()
})
