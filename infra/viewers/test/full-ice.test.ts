import { until } from '@neko-edge/kit'
import { expect, it } from 'vitest'
import { MediaStreamTrack, RTCPeerConnection, RtpHeader, RtpPacket, useVP8 } from 'werift'
import { NativeViewers } from '../native-viewers.ts'

it('[INF-1200] a native viewer connects to a server that is a full ICE agent and controls, too', async () => {
  const server = new RTCPeerConnection({
    iceServers: [],
    iceAdditionalHostAddresses: ['127.0.0.1'],
    iceUseIpv6: false,
    codecs: { video: [useVP8()] },
  })
  await using viewers = await NativeViewers.open()
  const track = new MediaStreamTrack({ kind: 'video' })
  server.addTransceiver(track, { direction: 'sendonly' })
  await server.setLocalDescription(await server.createOffer())
  const viewer = viewers.watch(server.localDescription?.sdp ?? '')
  await server.setRemoteDescription({ type: 'answer', sdp: viewer.answer })
  await viewer.connected
  let sequence = 65_500
  const sender = setInterval(() => {
    sequence = (sequence + 1) & 0xffff
    track.writeRtp(
      new RtpPacket(new RtpHeader({ sequenceNumber: sequence, timestamp: sequence, payloadType: 96, marker: true }), Buffer.alloc(100)),
    )
  }, 5)
  try {
    await until(async () => (await viewers.report()).frames > 100, { ms: 15_000, what: 'frames' })
    expect((await viewers.report()).lost).toBe(0)
  } finally {
    clearInterval(sender)
    await server.close()
  }
})
