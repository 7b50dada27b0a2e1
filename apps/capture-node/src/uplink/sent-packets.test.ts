import { expect, it } from 'vitest'
import { SentPackets } from './sent-packets.ts'

const packet = (ssrc: number, sequence: number) => Buffer.from(`${ssrc}/${sequence}`)

it('[NAT-1967] finds what was sent a moment ago, by stream and number, over the roll-over; what is older is forgotten', () => {
  const sent = new SentPackets()
  for (const ssrc of [1, 2]) {
    for (let index = 0; index < 1_000; index++) {
      const sequence = (65_000 + index) % 65_536
      sent.keep(ssrc, { sequence, packet: packet(ssrc, sequence) })
    }
  }
  expect(sent.find(1, [463, 0, 65_535])).toEqual([463, 0, 65_535].map((sequence) => packet(1, sequence)))
  expect(sent.find(2, [463])).toEqual([packet(2, 463)])
  expect(sent.find(1, [65_000, 464])).toEqual([])
  expect(sent.find(3, [463])).toEqual([])
})
