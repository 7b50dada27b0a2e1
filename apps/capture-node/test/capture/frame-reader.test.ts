import { until } from '@neko-edge/kit'
import { decodeFrames } from '@neko-edge/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { codecs } from '../../src/capture/codec.ts'
import { Encoder } from '../../src/capture/encoder.ts'
import { type EncodedFrame, frameReader } from '../../src/capture/frame-reader.ts'
import { v2VideoPipelineText } from '../../src/capture/v2-pipeline.ts'
import { startRoom, type TestRoom } from './room.fixture.ts'

const size = { width: 1280, height: 720, rate: 30 }

describe('whole frames of a real encoder', () => {
  let room: TestRoom
  beforeAll(async () => {
    room = await startRoom({ sound: false })
    room.play(
      'videotestsrc is-live=true pattern=blue ! video/x-raw,width=1280,height=720,framerate=25/1 ! videoconvert ! ximagesink sync=false',
    )
  })
  afterAll(() => room[Symbol.asyncDispose]())

  test.each(['vp8', 'vp9', 'av1', 'h264'] as const)('[CAP-1339] %s: an ordinary decoder takes them', async (name) => {
    const codec = codecs[name]
    const text = () => v2VideoPipelineText({}, { codec, display: room.display, hasElement: room.gst.hasElement }, size)
    await using encoder = new Encoder({ id: 'main', codec, text }, room.environment)
    const read = frameReader(codec)
    const frames: EncodedFrame[] = []
    encoder.onPackets((packets) => frames.push(...packets.flatMap((packet) => read(packet) ?? [])))
    encoder.retain()
    const isKey = (frame: EncodedFrame) => frame.isKey
    await until(() => frames.findLastIndex(isKey) > 20 && frames.length - frames.findLastIndex(isKey) > 5, {
      ms: 15_000,
      what: 'two key frames',
    })
    // The first one may show the room before its window is up.
    const picture = await decodeFrames(
      name,
      frames.slice(frames.findLastIndex(isKey)).map(({ data }) => data),
      size,
    )
    const [red, green, blue] = picture.at(100, 100)
    expect([red < 60, green < 60, blue > 180]).toEqual([true, true, true])
    const steps = frames.slice(1).map(({ time }, index) => time - (frames[index]?.time ?? 0))
    expect(Math.min(...steps)).toBeGreaterThan(0)
  })
})
