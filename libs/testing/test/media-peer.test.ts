import { spawn } from 'node:child_process'
import { buffer } from 'node:stream/consumers'
import { until } from '@neko-edge/kit'
import { expect, test } from 'vitest'
import { MediaStreamTrack, type RTCDataChannel, RTCPeerConnection, RtpHeader, RtpPacket, useOPUS, useVP8, Vp8Packetizer } from 'werift'
import { decodeVp8, v3Input } from '../src/index.ts'
import { MediaPeer } from '../src/viewer.ts'

const size = { width: 320, height: 240 }

/** VP8 frames of a red picture, as GStreamer encodes them: the first is a key frame. */
async function redFrames(): Promise<Buffer[]> {
  const caps = `video/x-raw,width=${size.width},height=${size.height},framerate=10/1`
  const source = ['videotestsrc', 'num-buffers=3', 'pattern=red', '!', caps]
  const child = spawn('gst-launch-1.0', ['-q', ...source, '!', 'vp8enc', 'deadline=1', '!', 'avmux_ivf', '!', 'fdsink', 'fd=1'])
  const file = await buffer(child.stdout)
  const frames: Buffer[] = []
  for (let at = 32; at + 12 <= file.length; ) {
    const length = file.readUInt32LE(at)
    frames.push(file.subarray(at + 12, at + 12 + length))
    at += 12 + length
  }
  return frames
}

/** A server made of werift that offers what neko offers: audio, video and its own channel. */
function server() {
  const peer = new RTCPeerConnection({
    iceServers: [],
    iceAdditionalHostAddresses: ['127.0.0.1'],
    codecs: { audio: [useOPUS({ payloadType: 111 })], video: [useVP8({ payloadType: 96 })] },
  })
  const track = new MediaStreamTrack({ kind: 'video' })
  peer.addTransceiver(new MediaStreamTrack({ kind: 'audio' }), { direction: 'sendrecv' })
  peer.addTransceiver(track, { direction: 'sendrecv' })
  return { peer, track, channel: peer.createDataChannel('data') }
}

async function connect(peer: RTCPeerConnection, viewer: MediaPeer): Promise<void> {
  await peer.setLocalDescription(await peer.createOffer())
  await until(() => peer.iceGatheringState === 'complete', { ms: 5_000, what: 'the offer has its candidates' })
  const answer = await viewer.answer(peer.localDescription?.sdp ?? '')
  await peer.setRemoteDescription({ type: 'answer', sdp: answer })
  viewer.sendCandidates()
  await viewer.connected()
}

/** Writes the frames again and again, as an encoder does, until the returned function is called. */
function play(track: MediaStreamTrack, frames: readonly Buffer[]): () => void {
  const packetizer = new Vp8Packetizer({ maxPayloadSize: 200, payloadType: 96 })
  let index = 0
  const timer = setInterval(() => {
    for (const packet of packetizer.packetize(frames[index % frames.length] ?? Buffer.alloc(0), 9_000 * index)) {
      track.writeRtp(new RtpPacket(new RtpHeader({ ...packet.header }), packet.payload))
    }
    index += 1
  }, 20)
  return () => clearInterval(timer)
}

test('[TST-9] a viewer answers an offer, counts packets, and its frames decode to the picture that was sent', async () => {
  const { peer, track } = server()
  const viewer = new MediaPeer({ channel: 'accept', frames: true, onCandidate: (candidate) => void peer.addIceCandidate(candidate) })
  const stop = play(track, await redFrames())
  try {
    await connect(peer, viewer)
    const frames = await viewer.freshFrames({ ms: 10_000, count: 2 })
    const picture = await decodeVp8(frames)
    expect(picture).toMatchObject(size)
    const [red, green, blue] = picture.at(160, 120)
    expect([red > 220, green < 40, blue < 40]).toEqual([true, true, true])
    expect(viewer.video.keyFrames).toBeGreaterThan(0)
    expect(viewer.video.missing).toBe(0)
    expect(() => picture.at(320, 0)).toThrow('outside')
  } finally {
    stop()
    await viewer.close()
    await peer.close()
  }
})

test('[TST-10] the data channel is the one the server opened, and carries bytes both ways', async () => {
  const { peer, channel } = server()
  const viewer = new MediaPeer({ channel: 'accept', frames: false, onCandidate: (candidate) => void peer.addIceCandidate(candidate) })
  try {
    await connect(peer, viewer)
    await viewer.channelOpen()
    expect(viewer.channel).toMatchObject({ label: 'data', readyState: 'open' })
    const arrived = Promise.withResolvers<string>()
    channel.onMessage.subscribe((data) => arrived.resolve(Buffer.from(data).toString('hex')))
    viewer.send(v3Input.move(100, 200))
    expect(await arrived.promise).toBe('010004006400c8')
    channel.send(Buffer.from('01000702800168', 'hex'))
    const message = await viewer.messages.take(({ kind }) => kind === 'position', { ms: 5_000, what: 'a position' })
    expect(message).toMatchObject({ x: 640, y: 360 })
  } finally {
    await viewer.close()
    await peer.close()
  }
})

test('[TST-10] a V2 viewer opens the channel itself, with stream id 0 as a browser does', async () => {
  const { peer } = server()
  const opened = Promise.withResolvers<RTCDataChannel>()
  peer.onDataChannel.subscribe((channel) => opened.resolve(channel))
  const viewer = new MediaPeer({ channel: 'create', frames: false, onCandidate: (candidate) => void peer.addIceCandidate(candidate) })
  try {
    await connect(peer, viewer)
    expect(await opened.promise).toMatchObject({ label: 'data', id: 0 })
  } finally {
    await viewer.close()
    await peer.close()
  }
})

test('[TST-11] what is not a key frame is refused by the decoder with a reason', async () => {
  await expect(decodeVp8([])).rejects.toThrow('not a VP8 key frame')
  const broken = Uint8Array.of(0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00)
  await expect(decodeVp8([{ timestamp: 0, at: 0, keyFrame: true, bytes: broken }])).rejects.toThrow('the decoder gave 0 bytes')
})
