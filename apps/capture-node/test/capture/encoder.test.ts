import { type Clock, systemClock, until } from '@neko-edge/kit'
import { beginsVp8KeyFrame, FakeClock, vp8Size } from '@neko-edge/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { codecs } from '../../src/capture/codec.ts'
import { Encoder } from '../../src/capture/encoder.ts'
import { audioPipelineText, defaultVideoPipeline, videoPipelineText } from '../../src/capture/pipeline.ts'
import { v2VideoPipelineText } from '../../src/capture/v2-pipeline.ts'
import { startRoom, type TestRoom } from './room.fixture.ts'

const size = { width: 1280, height: 720, rate: 30 }

interface Seen {
  readonly at: number
  readonly sequence: number
  readonly timestamp: number
  readonly payloadType: number
  readonly ssrc: number
  readonly isKeyFrame: boolean
  readonly payload: Buffer
}

function watch(encoder: Encoder): Seen[] {
  const seen: Seen[] = []
  encoder.onPackets((packets) => {
    for (const packet of packets) {
      const payload = packet.subarray(12)
      seen.push({
        at: performance.now(),
        sequence: packet.readUInt16BE(2),
        timestamp: packet.readUInt32BE(4),
        payloadType: packet[1]! & 0x7f,
        ssrc: packet.readUInt32BE(8),
        isKeyFrame: beginsVp8KeyFrame(payload),
        payload,
      })
    }
  })
  return seen
}

function gaps(seen: readonly Seen[]): number {
  return seen.slice(1).filter((packet, index) => ((packet.sequence - (seen[index]?.sequence ?? 0)) & 0xffff) !== 1).length
}

describe('encoder', () => {
  let room: TestRoom
  beforeAll(async () => {
    room = await startRoom()
    room.play(
      'videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=25/1 ! videoconvert ! ximagesink sync=false',
    )
  })
  afterAll(() => room[Symbol.asyncDispose]())

  const picture = (options: { clock?: Clock; screen?: () => typeof size; stallMs?: number; graceMs?: number } = {}) =>
    new Encoder(
      {
        id: 'main',
        codec: codecs.vp8,
        text: () => videoPipelineText(defaultVideoPipeline, room.display, options.screen?.() ?? size),
        graceMs: options.graceMs ?? 3_000,
        stallMs: options.stallMs ?? 2_000,
      },
      { ...room.environment, clock: options.clock ?? systemClock },
    )

  test('[CAP-30] the picture flows as RTP of the right numbers, beginning with a key frame, soon after somebody asks', async () => {
    await using encoder = picture()
    const seen = watch(encoder)
    const askedAt = performance.now()
    encoder.retain()
    await encoder.ready()
    const firstMs = performance.now() - askedAt
    console.info(`first packet after ${Math.round(firstMs)} ms`)
    expect(firstMs).toBeLessThan(2_000)
    await until(() => seen.length > 40, { ms: 5_000, what: '40 packets' })
    expect(seen[0]?.isKeyFrame).toBe(true)
    expect(vp8Size(seen[0]?.payload.subarray(1) ?? Buffer.alloc(0))).toEqual({ width: 1280, height: 720 })
    expect(new Set(seen.map((packet) => packet.ssrc))).toEqual(new Set([encoder.ssrc]))
    expect(new Set(seen.map((packet) => packet.payloadType))).toEqual(new Set([96]))
    expect(gaps(seen)).toBe(0)
    await until(() => encoder.bitrate > 10_000, { ms: 3_000, what: 'a measured rate' })
    expect(encoder.bitrate).toBeLessThan(20_000_000)
  })

  test('[CAP-31] a request for a key frame is answered at once', async () => {
    await using encoder = new Encoder(
      {
        id: 'main',
        codec: codecs.vp8,
        text: () =>
          videoPipelineText({ ...defaultVideoPipeline, gst_params: { deadline: '1', 'keyframe-max-dist': '100000' } }, room.display, size),
      },
      room.environment,
    )
    const seen = watch(encoder)
    encoder.retain()
    await encoder.ready()
    await until(() => seen.length > 30, { ms: 5_000, what: '30 packets' })
    for (let round = 0; round < 3; round += 1) {
      const before = seen.filter((packet) => packet.isKeyFrame).length
      const askedAt = performance.now()
      encoder.requestKeyFrame()
      await until(() => seen.filter((packet) => packet.isKeyFrame).length > before, { ms: 2_000, what: 'a key frame', everyMs: 2 })
      const tookMs = performance.now() - askedAt
      console.info(`key frame after ${Math.round(tookMs)} ms`)
      expect(tookMs).toBeLessThan(1_000)
    }
    expect(encoder.counters.keyFrameRequests).toBe(3)
  })

  test('[CAP-32] a killed GStreamer is replaced; sequence numbers go on and time keeps to the clock', async () => {
    await using encoder = picture()
    const seen = watch(encoder)
    encoder.retain()
    await encoder.ready()
    await until(() => seen.length > 50, { ms: 5_000, what: 'packets' })
    const before = seen.length
    const killedAt = performance.now()
    process.kill(encoder.pid ?? 0, 'SIGKILL')
    await until(() => encoder.runs === 2 && seen.length > before + 50, { ms: 8_000, what: 'packets of the second run' })
    const again = seen.findIndex((packet, index) => index > 0 && packet.at - (seen[index - 1]?.at ?? 0) > 90 && packet.at > killedAt)
    console.info(`gap of ${Math.round((seen[again]?.at ?? 0) - (seen[again - 1]?.at ?? 0))} ms`)
    expect(gaps(seen)).toBe(0)
    const [first, last] = [seen[0], seen.at(-1)]
    const mediaMs = (((last?.timestamp ?? 0) - (first?.timestamp ?? 0)) >>> 0) / 90
    expect(Math.abs(mediaMs - ((last?.at ?? 0) - (first?.at ?? 0)))).toBeLessThan(5_000)
    expect(encoder.failure).toBeUndefined()
  })

  test('[CAP-33] sender reports come twice a second on the timeline of the packets, after a restart too', async () => {
    await using encoder = picture()
    const seen = watch(encoder)
    const reports: { at: number; ssrc: number; timestamp: number }[] = []
    encoder.onRtcp((packet) => reports.push({ at: performance.now(), ssrc: packet.readUInt32BE(4), timestamp: packet.readUInt32BE(16) }))
    encoder.retain()
    await until(() => reports.length >= 3, { ms: 3_000, what: 'three sender reports' })
    await encoder.restart()
    const before = reports.length
    await until(() => reports.length >= before + 3, { ms: 5_000, what: 'three sender reports of the second run' })
    expect(new Set(reports.map((report) => report.ssrc))).toEqual(new Set([encoder.ssrc]))
    for (const report of reports) {
      const near = seen.reduce((best, packet) => (Math.abs(packet.at - report.at) < Math.abs(best.at - report.at) ? packet : best))
      const distance = ((report.timestamp - near.timestamp) | 0) / 90
      expect(Math.abs(distance)).toBeLessThan(2_000)
    }
  })

  test('[CAP-34] a restart takes the new screen and is one key frame to the reader', async () => {
    let screen = size
    await using encoder = new Encoder(
      {
        id: 'half',
        codec: codecs.vp8,
        text: () => videoPipelineText({ ...defaultVideoPipeline, width: 'width / 2', height: 'height / 2' }, room.display, screen),
      },
      room.environment,
    )
    const seen = watch(encoder)
    encoder.retain()
    await encoder.ready()
    screen = { width: 800, height: 600, rate: 30 }
    await encoder.restart()
    const small = () => seen.find((packet) => packet.isKeyFrame && vp8Size(packet.payload.subarray(1))?.width === 400)
    await until(small, { ms: 5_000, what: 'a key frame of half the new size' })
    expect(gaps(seen)).toBe(0)
  })

  test('[CAP-35] it runs from the first user to a grace period after the last', async () => {
    const clock = new FakeClock()
    await using encoder = picture({ clock })
    const first = encoder.retain()
    const second = encoder.retain()
    await encoder.ready()
    first()
    first()
    clock.advance(60_000)
    expect(encoder.isRunning).toBe(true)
    second()
    clock.advance(2_000)
    const third = encoder.retain()
    clock.advance(10_000)
    expect(encoder.isRunning).toBe(true)
    third()
    clock.advance(3_000)
    await until(() => !encoder.isRunning, { ms: 2_000, what: 'the end of the encoder' })
    expect(encoder.runs).toBe(1)
    encoder.retain()
    await encoder.ready()
    expect(encoder.runs).toBe(2)
  })

  test('[CAP-36] a pipeline of the user’s own works with its appsink, whatever follows it', async () => {
    await using encoder = new Encoder(
      {
        id: 'raw',
        codec: codecs.vp8,
        text: () =>
          `videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=25/1 ! tee name=t  t. ! queue ! vp8enc deadline=1 ! appsink name=appsink sync=false t. ! queue ! fakesink name="a b"`,
      },
      room.environment,
    )
    const seen = watch(encoder)
    encoder.retain()
    await encoder.ready()
    expect(seen[0]?.isKeyFrame).toBe(true)
  })

  test('[CAP-37] what cannot be parsed is reported with GStreamer’s words and not tried again until asked', async () => {
    let element = 'nosuchencoder'
    const clock = new FakeClock()
    await using encoder = new Encoder(
      { id: 'broken', codec: codecs.vp8, text: () => `videotestsrc is-live=true ! ${element} deadline=1 ! appsink name=appsink` },
      { ...room.environment, clock },
    )
    encoder.retain()
    await expect(encoder.ready()).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('no element "nosuchencoder"') })
    await expect(encoder.ready()).rejects.toThrow('nosuchencoder')
    clock.advance(600_000)
    expect(encoder.runs).toBe(1)
    element = 'vp8enc'
    await encoder.restart()
    await encoder.ready()
    expect(encoder.failure).toBeUndefined()
  })

  test('[CAP-38] a source that is away is tried again until it is there', async () => {
    let display = ':6553'
    await using encoder = new Encoder(
      { id: 'main', codec: codecs.vp8, text: () => videoPipelineText(defaultVideoPipeline, display, size) },
      room.environment,
    )
    encoder.retain()
    await until(() => encoder.failure, { ms: 3_000, what: 'a failure' })
    expect(encoder.failure).toMatchObject({ code: 'unavailable', message: expect.stringContaining('Could not open X display') })
    display = room.display
    await encoder.ready(8_000)
    expect(encoder.failure).toBeUndefined()
    expect(encoder.runs).toBeGreaterThan(1)
  })

  test('[CAP-39] a run that falls silent is replaced', async () => {
    await using encoder = new Encoder(
      {
        id: 'stalling',
        codec: codecs.vp8,
        text: () =>
          'videotestsrc is-live=true num-buffers=20 ! vp8enc deadline=1 ! appsink name=appsink videotestsrc is-live=true ! fakesink',
        stallMs: 1_000,
      },
      room.environment,
    )
    const seen = watch(encoder)
    encoder.retain()
    await until(() => encoder.counters.stalls > 0 && encoder.runs > 1, { ms: 8_000, what: 'a second run' })
    await encoder.ready()
    expect(gaps(seen)).toBe(0)
  })

  test.each(['opus', 'g722', 'pcmu', 'pcma'] as const)('[CAP-40] sound flows as %s, also while it is silent', async (name) => {
    const codec = codecs[name]
    await using encoder = new Encoder(
      { id: 'audio', codec, text: () => audioPipelineText({ device: 'audio_output.monitor', codec, custom: '' }) },
      room.environment,
    )
    const seen = watch(encoder)
    encoder.retain()
    await encoder.ready()
    await until(() => seen.length > 60, { ms: 5_000, what: '60 packets' })
    expect(new Set(seen.map((packet) => packet.payloadType))).toEqual(new Set([codec.payloadType]))
    expect(gaps(seen)).toBe(0)
    // 20 ms each, but for jumps while the sound server settles on the shorter delay that is now wanted.
    const steps = seen.slice(10).map((packet, index) => (packet.timestamp - (seen[index + 9]?.timestamp ?? 0)) >>> 0)
    expect(steps.filter((step) => step === codec.clockRate / 50).length).toBeGreaterThan(steps.length * 0.8)
  })

  test('[CAP-41] a tone in the room is heard', async () => {
    await using encoder = new Encoder(
      {
        id: 'audio',
        codec: codecs.pcmu,
        text: () => audioPipelineText({ device: 'audio_output.monitor', codec: codecs.pcmu, custom: '' }),
      },
      room.environment,
    )
    const seen = watch(encoder)
    encoder.retain()
    await encoder.ready()
    // µ-law: 0xff and 0x7f are zero, smaller codes are louder.
    const isLoud = () => seen.slice(-5).some((packet) => packet.payload.some((code) => (code & 0x7f) < 0x50))
    expect(isLoud()).toBe(false)
    const stop = room.play('audiotestsrc is-live=true freq=440 ! pulsesink device=audio_output')
    await until(isLoud, { ms: 5_000, what: 'the tone' })
    stop()
  })

  test.each(['vp9', 'h264'] as const)('[CAP-42] the picture flows as %s', async (name) => {
    const entry = {
      vp9: { gst_encoder: 'vp9enc', gst_params: { deadline: '1', 'cpu-used': '8' } },
      h264: { gst_encoder: 'x264enc', gst_params: { tune: 'zerolatency', 'speed-preset': 'ultrafast' } },
    }[name]
    await using encoder = new Encoder(
      {
        id: 'main',
        codec: codecs[name],
        text: () => videoPipelineText({ fps: '25', width: 'width / 4', height: 'height / 4', ...entry }, room.display, size),
      },
      room.environment,
    )
    const seen = watch(encoder)
    encoder.retain()
    await encoder.ready()
    await until(() => seen.length > 20, { ms: 5_000, what: 'packets' })
    expect(new Set(seen.map((packet) => packet.payloadType))).toEqual(new Set([codecs[name].payloadType]))
  })

  test.each(['vp8', 'vp9'] as const)(
    '[CAP-1203] a frame of %s comes in one call: packets of one length, and what is left in the last',
    async (name) => {
      const element = { vp8: 'vp8enc', vp9: 'vp9enc' }[name]
      const source = 'videotestsrc is-live=true pattern=snow ! video/x-raw,width=320,height=180,framerate=25/1'
      const text = () =>
        `${source} ! ${element} target-bitrate=2000000 end-usage=cbr deadline=1 cpu-used=8 lag-in-frames=0 ! appsink name=appsink`
      await using encoder = new Encoder({ id: 'main', codec: codecs[name], text }, room.environment)
      const calls: (readonly Buffer[])[] = []
      encoder.onPackets((packets) => calls.push(packets))
      encoder.retain()
      await until(() => calls.length > 50, { ms: 10_000, what: 'frames' })
      // One that a busy machine wrote too slowly comes in two.
      const endsFrame = (packets: readonly Buffer[]) => (packets.at(-1)![1]! & 0x80) !== 0
      expect(calls.filter(endsFrame).length).toBeGreaterThan(calls.length / 2)
      const frames = [...Map.groupBy(calls.flat(), (packet) => packet.readUInt32BE(4)).values()].slice(0, -1)
      for (const [first = 0, ...rest] of frames.map((packets) => packets.map(({ length }) => length))) {
        // The first packet of a key frame of VP9 says how large the picture is, and is the longest.
        const [full = 0] = rest
        expect([first <= 1_200, full <= first, (rest.at(-1) ?? 0) <= full], String(rest)).toEqual([true, true, true])
        expect(new Set(rest.slice(0, -1)).size, String(rest)).toBeLessThanOrEqual(1)
      }
      expect(frames.some((packets) => packets.length > 2)).toBe(true)
    },
  )

  test('[CAP-1005] the picture flows as AV1: whole frames in packets of the right size and time, a key frame a second, over a restart too', async () => {
    const text = () => v2VideoPipelineText({}, { codec: codecs.av1, display: room.display, hasElement: () => true }, size)
    await using encoder = new Encoder({ id: 'main', codec: codecs.av1, text }, room.environment)
    const packets: Buffer[] = []
    encoder.onPackets((some) => packets.push(...some))
    const keyFrames = () => packets.filter((packet) => (packet[0]! & 0x10) !== 0)
    const ends = () => packets.filter((packet) => (packet[1]! & 0x80) !== 0)
    encoder.retain()
    await encoder.ready()
    await until(() => keyFrames().length >= 3, { ms: 10_000, what: 'key frames' })
    const frameOf = (packet: Buffer) => ends().findIndex((end) => end.readUInt32BE(4) === packet.readUInt32BE(4))
    expect(keyFrames().slice(0, 3).map(frameOf)).toEqual([0, 25, 50])
    await encoder.restart()
    const second = packets.length
    await until(() => packets.length > second + 20, { ms: 5_000, what: 'packets of the second run' })
    expect([packets[0], packets[second]].map((packet) => packet?.readUInt16BE(12))).toEqual([0xbede, 0xbede])
    expect(Math.max(...packets.map((packet) => packet.length))).toBeLessThanOrEqual(1200 + 12)
    for (const [index, packet] of packets.slice(1).entries()) {
      const last = packets[index]!
      expect((packet.readUInt16BE(2) - last.readUInt16BE(2)) & 0xffff).toBe(1)
      const step = (packet.readUInt32BE(4) - last.readUInt32BE(4)) >>> 0
      expect(step > 0, `packet ${index} ends a frame, the next has another time`).toBe((last[1]! & 0x80) !== 0)
      expect(step).toBeLessThan(90_000 * 5)
    }
  })

  test('[V2-1952] AV1 in 4:4:4, asked for by name, reaches nobody: the run ends for good, and whoever waits is told what to write', async () => {
    const text = () =>
      'videotestsrc is-live=true ! video/x-raw,format=Y444,width=320,height=180,framerate=25/1 ! av1enc usage-profile=realtime cpu-used=10 lag-in-frames=0 ! appsink name=appsink'
    await using encoder = new Encoder({ id: 'main', codec: codecs.av1, text }, room.environment)
    const packets: Buffer[] = []
    encoder.onPackets((some) => packets.push(...some))
    encoder.retain()
    await expect(encoder.ready()).rejects.toThrow('put "video/x-raw,format=I420 !" in front of the encoder')
    await until(() => !encoder.isRunning, { ms: 5_000, what: 'the end of the run' })
    expect([packets.length, encoder.runs, encoder.failure?.code]).toEqual([0, 1, 'invalid'])
  })
})
