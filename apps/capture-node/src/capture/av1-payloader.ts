/**
 * AV1 in RTP ("RTP Payload Format For AV1", AOM, version 1.0), for which Debian's GStreamer has no payloader. GStreamer sends each temporal unit in
 * RTP of its own format instead (`rtpgstpay`), so that the clock, sender reports and requests for key frames are what they are for every codec;
 * here its packets become packets that browsers know.
 */
import { NekoError } from '@neko-edge/kit'
import { leb128, readTemporalUnit } from './av1-obu.ts'

const rtpHeaderLength = 12
const markerBit = 0x80
const extensionBit = 0x10

/** `rtpgstpay`: so many bytes stand in front of each fragment. Where the caps are new they come before the data; an event has a type, and is no data. */
const gstHeaderLength = 8
const gstCapsBit = 0x80

/** The aggregation header (§4.4): the first element goes on from the packet before, the last one goes on in the next, a viewer can begin here. */
const continuedBit = 0x80
const unfinishedBit = 0x40
const beginsBit = 0x08
/** Each element has its length in front (W = 0): two bytes do below 16 KiB. */
const elementLengthBytes = 2

export const DEPENDENCY_DESCRIPTOR = 'https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension'
export const dependencyDescriptorId = 2
/**
 * Stands where a key frame begins (Appendix A) and says as little as can be said: one layer, one template, no chains. By it the SFU knows a key frame,
 * and so that a request for one was answered. RFC 8285 §4.2: one-byte headers, two words.
 */
const keyFrameExtension = Buffer.from([0xbe, 0xde, 0, 2, (dependencyDescriptorId << 4) | 5, 0x80, 0, 0, 0x80, 0, 0xe0, 0])

/**
 * For the packets of one run of `rtpgstpay`, in order: gives the packets that each completes, none longer than `mtu` but for a header extension.
 * Errors: `invalid` for a picture of another profile than the 0 that an offer without one names (§7). Firefox 153 does not refuse 4:4:4: its tab crashes.
 */
export function av1Payloader(mtu: number): (packet: Buffer) => Buffer[] {
  let fragments: Buffer[] = []
  let sequence: number | undefined
  return (packet) => {
    if (packet.length < rtpHeaderLength + gstHeaderLength) {
      return []
    }
    fragments.push(packet)
    if ((packet[1]! & markerBit) === 0) {
      return []
    }
    const unit = readTemporalUnit(unwrapped(fragments))
    fragments = []
    if (unit === undefined) {
      return []
    }
    if ((unit.profile ?? 0) !== 0) {
      throw new NekoError(
        'invalid',
        `AV1 of profile ${unit.profile}, 4:4:4 or 4:2:2, is for few viewers and crashes the tab of others: put "video/x-raw,format=I420 !" in front of the encoder`,
      )
    }
    let next = sequence ?? packet.readUInt16BE(2)
    const payloads = aggregate(unit.obus, mtu - rtpHeaderLength - 1)
    const packets = payloads.map(({ flags, parts }, index) => {
      const isKeyBegin = unit.isKey && index === 0
      const header = Buffer.from(packet.subarray(0, rtpHeaderLength))
      header[0] = header[0]! | (isKeyBegin ? extensionBit : 0)
      header[1] = index === payloads.length - 1 ? header[1]! : header[1]! & ~markerBit
      header.writeUInt16BE(next, 2)
      next = (next + 1) & 0xffff
      const extension = isKeyBegin ? [keyFrameExtension] : []
      return Buffer.concat([header, ...extension, Buffer.of(flags | (isKeyBegin ? beginsBit : 0)), ...parts])
    })
    sequence = next
    return packets
  }
}

/** What the fragments of one buffer of GStreamer hold; nothing for an event. */
function unwrapped(fragments: readonly Buffer[]): Buffer {
  const data = Buffer.concat(fragments.map((fragment) => fragment.subarray(rtpHeaderLength + gstHeaderLength)))
  const [flags = 0, event = 0] = fragments[0]?.subarray(rtpHeaderLength) ?? []
  return data.subarray(event !== 0 ? data.length : (flags & gstCapsBit) === 0 ? 0 : capsEnd(data))
}

/** The caps have their length in front: seven bits a byte, highest first. */
function capsEnd(data: Buffer): number {
  let length = 0
  for (const [index, byte] of data.entries()) {
    length = length * 0x80 + (byte & 0x7f)
    if ((byte & 0x80) === 0) {
      return index + 1 + length
    }
  }
  return data.length
}

interface Payload {
  /** Of the aggregation header. */
  flags: number
  readonly parts: Buffer[]
}

/** The units as elements of as few payloads as they need, each of at most `room` bytes behind its aggregation header. */
function aggregate(obus: readonly Buffer[], room: number): Payload[] {
  const payloads: Payload[] = []
  let free = 0
  for (const obu of obus) {
    for (let at = 0; at < obu.length; ) {
      if (free <= elementLengthBytes) {
        payloads.push({ flags: at > 0 ? continuedBit : 0, parts: [] })
        free = room
      }
      const element = obu.subarray(at, at + free - elementLengthBytes)
      const length = leb128(element.length)
      const payload = payloads.at(-1)!
      payload.parts.push(length, element)
      at += element.length
      free -= length.length + element.length
      if (at < obu.length) {
        payload.flags |= unfinishedBit
        free = 0
      }
    }
  }
  return payloads
}
