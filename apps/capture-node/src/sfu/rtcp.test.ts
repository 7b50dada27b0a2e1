import { expect, it } from 'vitest'
import { keyFrameRequests } from './rtcp.ts'

const receiverReport = `81c90007${'00000001'.repeat(7)}`
const pli = (ssrc: string) => `81ce000200000001${ssrc}`
const fir = (ssrc: string) => `84ce00040000000100000000${ssrc}05000000`

it('[SFU-28] PLI and FIR are found in compound packets, in any place', () => {
  const packet = Buffer.from(receiverReport + pli('000003e9') + fir('000003ea') + receiverReport, 'hex')
  expect(keyFrameRequests(packet)).toEqual([1001, 1002])
})

it('[SFU-29] what is cut off or lies about its length is not read', () => {
  expect(keyFrameRequests(Buffer.alloc(0))).toEqual([])
  expect(keyFrameRequests(Buffer.from('81ceffff0000000100000002', 'hex'))).toEqual([])
  expect(keyFrameRequests(Buffer.from(pli('000003e9').slice(0, 18), 'hex'))).toEqual([])
})
