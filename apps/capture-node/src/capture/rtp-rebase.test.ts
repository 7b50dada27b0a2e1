import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RtpRebase } from './rtp-rebase.ts'

function rtpPacket(sequence: number, timestamp: number): Buffer {
  const packet = Buffer.alloc(20)
  packet[0] = 0x80
  packet.writeUInt16BE(sequence & 0xffff, 2)
  packet.writeUInt32BE(timestamp >>> 0, 4)
  packet.writeUInt32BE(1111, 8)
  return packet
}

function report(timestamp: number): Buffer {
  const packet = Buffer.alloc(28)
  packet[0] = 0x80
  packet[1] = 200
  packet.writeUInt16BE(6, 2)
  packet.writeUInt32BE(0xe000_0001, 8)
  packet.writeUInt32BE(timestamp >>> 0, 16)
  return packet
}

const uint16 = fc.integer({ min: 0, max: 0xffff })
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff })

describe('RTP rebase', () => {
  test('[CAP-6] the first run goes through unchanged', () => {
    const rebase = new RtpRebase(90_000)
    const packet = rtpPacket(65_535, 0xffff_fff0)
    expect(rebase.rtp(packet, 0)).toBe(true)
    expect(packet).toEqual(rtpPacket(65_535, 0xffff_fff0))
  })

  test('[CAP-7] over any restarts sequence numbers have no gap and time moves by the clock', () => {
    const run = fc.record({
      sequence: uint16,
      timestamp: uint32,
      frames: fc.integer({ min: 1, max: 40 }),
      pauseMs: fc.integer({ min: 0, max: 100_000 }),
    })
    fc.assert(
      fc.property(fc.array(run, { minLength: 1, maxLength: 8 }), fc.constantFrom(8_000, 48_000, 90_000), (runs, clockRate) => {
        const rebase = new RtpRebase(clockRate)
        const step = clockRate / 25
        let nowMs = 1_000
        let before: { sequence: number; timestamp: number } | undefined
        for (const { sequence, timestamp, frames, pauseMs } of runs) {
          rebase.beginRun()
          nowMs += pauseMs
          for (let frame = 0; frame < frames; frame += 1) {
            const packet = rtpPacket(sequence + frame, timestamp + frame * step)
            rebase.rtp(packet, nowMs)
            const after = { sequence: packet.readUInt16BE(2), timestamp: packet.readUInt32BE(4) }
            if (before !== undefined) {
              const wanted = frame === 0 ? Math.max(1, Math.round(((pauseMs + 40) * clockRate) / 1000)) : step
              expect((after.sequence - before.sequence) & 0xffff).toBe(1)
              expect((after.timestamp - before.timestamp) >>> 0).toBe(wanted)
            }
            before = after
            nowMs += 40
          }
        }
      }),
    )
  })

  test('[CAP-8] sender reports move with the packets of their run and wait for the first', () => {
    fc.assert(
      fc.property(uint32, uint32, uint16, (first, second, ahead) => {
        const rebase = new RtpRebase(90_000)
        expect(rebase.rtcp(report(first))).toBe(false)
        rebase.rtp(rtpPacket(1, first), 0)
        rebase.beginRun()
        expect(rebase.rtcp(report(second))).toBe(false)
        const packet = rtpPacket(500, second)
        rebase.rtp(packet, 1000)
        const later = report(second + ahead)
        expect(rebase.rtcp(later)).toBe(true)
        expect((later.readUInt32BE(16) - packet.readUInt32BE(4)) >>> 0).toBe(ahead)
        expect(later.readUInt32BE(8)).toBe(0xe000_0001)
      }),
    )
  })

  test('[CAP-9] a late packet of a run does not move the end of the stream', () => {
    const rebase = new RtpRebase(90_000)
    rebase.rtp(rtpPacket(10, 9_000), 100)
    rebase.rtp(rtpPacket(9, 5_400), 110)
    rebase.beginRun()
    const packet = rtpPacket(7, 7)
    rebase.rtp(packet, 200)
    expect(packet.readUInt16BE(2)).toBe(11)
    expect(packet.readUInt32BE(4)).toBe(9_000 + 9_000)
  })

  test('[CAP-9] what is no RTP or no sender report is dropped', () => {
    const rebase = new RtpRebase(90_000)
    expect(rebase.rtp(Buffer.alloc(11), 0)).toBe(false)
    expect(rebase.rtp(Buffer.alloc(20), 0)).toBe(false)
    rebase.rtp(rtpPacket(1, 1), 0)
    const receiverReport = report(1)
    receiverReport[1] = 201
    expect(rebase.rtcp(receiverReport)).toBe(false)
    expect(rebase.rtcp(Buffer.from([0x80, 200]))).toBe(false)
  })
})
