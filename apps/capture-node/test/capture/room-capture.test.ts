import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, systemClock, until } from '@neko-edge/kit'
import { FakeClock } from '@neko-edge/testing'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { broadcastText } from '../../src/capture/broadcast.ts'
import { type CaptureOptions, defaultCaptureOptions } from '../../src/capture/capture-options.ts'
import { codecs } from '../../src/capture/codec.ts'
import { Encoder } from '../../src/capture/encoder.ts'
import { RoomCapture } from '../../src/capture/room-capture.ts'
import { startRoom, type TestRoom } from './room.fixture.ts'

const screen = { width: 1280, height: 720, rate: 30 }
const small = { fps: '25', width: 'width / 4', height: 'height / 4', gst_encoder: 'vp8enc', gst_params: { deadline: '1', 'cpu-used': '8' } }

describe('room capture', () => {
  let room: TestRoom
  let folder: string
  beforeAll(async () => {
    room = await startRoom()
    folder = await mkdtemp(join(tmpdir(), 'neko-capture-test-'))
  })
  afterAll(async () => {
    await room[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  const capture = (
    options: Partial<CaptureOptions>,
    { clock = systemClock, size = () => screen }: { clock?: Clock; size?: () => typeof screen } = {},
  ) =>
    new RoomCapture({
      options: { ...defaultCaptureOptions, ...options },
      environment: { ...room.environment, clock },
      gst: room.gst,
      screen: size,
    })

  test('[CAP-50] a room has its ladder, a picture with the pointer and its sound; nothing runs before it is asked for', async () => {
    await using all = capture({ video: { ...defaultCaptureOptions.video, ids: ['hq', 'lq'], pipelines: { lq: small, hq: small } } })
    expect([...all.videos.keys()]).toEqual(['hq', 'lq'])
    expect(all.cursorVideo.id).toBe('legacy')
    expect(all.audio.codec.name).toBe('opus')
    const sources = [...all.videos.values(), all.cursorVideo, all.audio]
    expect(new Set(sources.map((source) => source.ssrc)).size).toBe(4)
    expect(sources.some((source) => source.isRunning)).toBe(false)
    all.videos.get('lq')?.retain()
    await all.videos.get('lq')?.ready()
    const running = all.numbers().filter((pipeline) => pipeline.isActive)
    expect(running).toMatchObject([{ submodule: 'streamsink', id: 'lq', started: 1, listeners: 1 }])
    expect(running[0]?.bytes).toBeGreaterThan(0)
  })

  test('[CAP-51] a configuration that cannot be captured is refused before anything runs', () => {
    const video = (pipelines: CaptureOptions['video']['pipelines']) => () =>
      capture({ video: { ...defaultCaptureOptions.video, pipelines } })
    expect(video({ main: { gst_pipeline: 'ximagesrc ! fakesink' } })).toThrow('appsink')
    expect(video({ main: { gst_encoder: 'vp8enc', fps: 'fps /' } })).toThrow('position')
    expect(() => capture({ audio: { ...defaultCaptureOptions.audio, codec: 'mp3' } })).toThrow('not one of opus')
    expect(() => capture({ audio: { ...defaultCaptureOptions.audio, device: 'a ! filesink' } })).toThrow('audio device')
  })

  test('[CAP-52] a new screen size restarts the pictures that run, and only those', async () => {
    let size = screen
    await using all = capture({ video: { ...defaultCaptureOptions.video, pipelines: { hq: small, lq: small } } }, { size: () => size })
    const hq = all.videos.get('hq')
    hq?.retain()
    all.audio.retain()
    await Promise.all([hq?.ready(), all.audio.ready()])
    room.run('xrandr', '-s', '800x600')
    size = { width: 800, height: 600, rate: 60 }
    await all.restartPictures()
    await hq?.ready()
    const started = Object.fromEntries(all.numbers().map(({ id, started }) => [id, started]))
    expect(started).toMatchObject({ lq: 0, legacy: 0, audio: 1 })
    expect(started['hq']).toBeGreaterThan(1)
    room.run('xrandr', '-s', '1280x720')
  })

  test('[CAP-53] the screencast gives a JPEG of the desktop within a second, and stops when nobody asks any more', async () => {
    const clock = new FakeClock()
    await using all = capture({ screencast: { ...defaultCaptureOptions.screencast, enabled: true } }, { clock })
    const ask = () => all.screencast.image().catch(() => undefined)
    await until(ask, { ms: 5_000, what: 'a picture, on a busy machine after a second too' })
    const [first, second] = await Promise.all([all.screencast.image(), all.screencast.image()])
    expect(await sharp(first).metadata()).toMatchObject({ format: 'jpeg', width: 1280, height: 720 })
    expect(second).toBe(first)
    await until(async () => (await all.screencast.image()) !== first, { ms: 3_000, what: 'a newer picture' })
    expect(all.screencast.images).toBeGreaterThan(1)
    clock.advance(5_000)
    expect(all.screencast.isRunning).toBe(true)
    clock.advance(5_000)
    await until(() => !all.screencast.isRunning, { ms: 2_000, what: 'the end of the screencast' })
    await until(ask, { ms: 5_000, what: 'a picture of the second run' })
    expect(all.screencast.runs).toBe(2)
  })

  test('[CAP-54] a screencast that is off or broken says so', async () => {
    await using off = capture({})
    await expect(off.screencast.image()).rejects.toMatchObject({ code: 'invalid', message: 'screencast pipeline is not enabled' })
    const pipeline = 'videotestsrc ! nosuchenc ! appsink name=appsink'
    await using broken = capture({ screencast: { ...defaultCaptureOptions.screencast, enabled: true, pipeline } })
    await expect(broken.screencast.image()).rejects.toThrow('nosuchenc')
    await expect(broken.screencast.image()).rejects.toThrow('nosuchenc')
  })

  test('[CAP-55] a broadcast goes to its address until it is stopped, finishing what it writes, and tells its state', async () => {
    const file = join(folder, 'out.avi')
    const pipeline =
      'ximagesrc display-name={display} ! video/x-raw,framerate=10/1 ! videoconvert ! jpegenc ! avimux ! filesink location={url}'
    await using all = capture({ broadcast: { ...defaultCaptureOptions.broadcast, pipeline } })
    expect(all.broadcast.status).toEqual({ url: '', isActive: false })
    await expect(all.broadcast.start('')).rejects.toThrow('missing broadcast URL')
    await expect(all.broadcast.stop()).rejects.toThrow('server is not broadcasting')
    await all.broadcast.start(file)
    expect(all.broadcast.status).toEqual({ url: file, isActive: true })
    await expect(all.broadcast.start(file)).rejects.toThrow('server is already broadcasting')
    await until(async () => (await stat(file).catch(() => undefined))?.size, { ms: 5_000, what: 'the file' })
    await all.broadcast.stop()
    expect(all.broadcast.status).toEqual({ url: file, isActive: false })
    const written = await readFile(file)
    expect(written.length).toBeGreaterThan(1_000)
    // The index at its end is written only by a pipeline that was let finish.
    expect(written.includes('idx1')).toBe(true)
  })

  test('[CAP-1006] what is broadcast is H264 in 4:2:0, which every service and player reads', async () => {
    const file = join(folder, 'out.flv')
    const { display } = room
    const { broadcast, audio } = defaultCaptureOptions
    const text = broadcastText(broadcast, { display, device: audio.device, url: 'rtmp://127.0.0.1/live' })
    const pipeline = text.replace(/rtmpsink location='[^']*'/u, `filesink buffer-mode=unbuffered location=${file}`)
    await using all = capture({ broadcast: { ...broadcast, pipeline } })
    await all.broadcast.start('x')
    // A video tag of a key frame that holds the decoder's configuration, whose second byte is the profile; 100 is High, 244 High 4:4:4.
    const mark = Buffer.from([0x17, 0, 0, 0, 0, 1])
    const found = await until(
      async () => {
        const bytes = await readFile(file).catch(() => Buffer.alloc(0))
        const at = bytes.indexOf(mark)
        return at >= 0 && at + mark.length < bytes.length ? { profile: bytes[at + mark.length] } : undefined
      },
      { ms: 8_000, what: 'a picture in the file' },
    )
    expect(found.profile).toBeLessThanOrEqual(100)
  })

  test('[CAP-56] a broadcast that cannot reach its server keeps trying and says why; one that cannot be parsed does not start', async () => {
    await using all = capture({})
    for (const bad of ['http://host/x', "rtmp://host/x' ! filesink location='/tmp/x", 'rtmp://host/a b', 'rtmp://']) {
      await expect(all.broadcast.start(bad)).rejects.toMatchObject({ code: 'invalid' })
    }
    await all.broadcast.start('rtmp://127.0.0.1:1/live/key')
    await until(() => all.broadcast.runs > 1 && all.broadcast.status.error, { ms: 8_000, what: 'a second try' })
    expect(all.broadcast.status).toMatchObject({ isActive: true, error: expect.stringMatching(/connect|rtmp/iu) })
    await all.broadcast.stop()
    expect(all.broadcast.status).toEqual({ url: 'rtmp://127.0.0.1:1/live/key', isActive: false })
    await using broken = capture({ broadcast: { ...defaultCaptureOptions.broadcast, pipeline: 'nosuchsrc ! filesink location={url}' } })
    await expect(broken.broadcast.start('x')).rejects.toMatchObject({ code: 'internal', message: expect.stringContaining('nosuchsrc') })
    expect(broken.broadcast.status).toMatchObject({ url: 'x', isActive: false })
  })

  test('[CAP-57] a broadcast of the configuration starts by itself', async () => {
    const pipeline = 'videotestsrc is-live=true ! fakesink name={url}'
    await using all = capture({ broadcast: { ...defaultCaptureOptions.broadcast, pipeline, url: 'x' } })
    expect(all.broadcast.isRunning).toBe(false)
    all.broadcast.autostart()
    await until(() => all.broadcast.isRunning, { ms: 1_000, what: 'the broadcast' })
  })

  test.each(['opus', 'g722', 'pcmu', 'pcma'] as const)(
    '[CAP-58] a client’s %s is heard by what records from the microphone',
    async (name) => {
      const codec = codecs[name]
      const encoders = { opus: 'opusenc', g722: 'avenc_g722', pcmu: 'mulawenc', pcma: 'alawenc' }
      const rate = { opus: 48_000, g722: 16_000, pcmu: 8_000, pcma: 8_000 }[name]
      const tone = `audiotestsrc is-live=true freq=440 volume=0.8 ! audio/x-raw,rate=${rate},channels=1 ! ${encoders[name]} ! appsink name=appsink`
      await using client = new Encoder({ id: 'client', codec, text: () => tone }, room.environment)
      await using listener = new Encoder(
        {
          id: 'listener',
          codec: codecs.pcmu,
          text: () =>
            'pulsesrc device=microphone ! audioconvert ! audioresample ! audio/x-raw,rate=8000,channels=1 ! mulawenc ! appsink name=appsink',
        },
        room.environment,
      )
      await using all = capture({})
      let isLoud = false
      listener.onPackets((packets) => {
        isLoud ||= packets.some((packet) => packet.subarray(12).some((code) => (code & 0x7f) < 0x40))
      })
      listener.retain()
      await listener.ready()
      expect(isLoud).toBe(false)
      const microphone = all.openMicrophone(codec)
      client.onPackets((packets) => {
        for (const packet of packets) {
          microphone.write(packet)
        }
      })
      client.retain()
      await until(() => isLoud, { ms: 8_000, what: 'the tone in the microphone' })
      expect(all.numbers().find((pipeline) => pipeline.id === 'microphone')).toMatchObject({
        submodule: 'streamsrc',
        isActive: true,
        started: 1,
      })
      await microphone.close()
      expect(all.numbers().find((pipeline) => pipeline.id === 'microphone')?.isActive).toBe(false)
    },
  )

  test('[CAP-59] the newest microphone wins; what is off or unplayable is refused', async () => {
    await using all = capture({})
    const first = all.openMicrophone(codecs.opus)
    const second = all.openMicrophone(codecs.opus)
    await first.close()
    first.write(Buffer.alloc(20))
    expect(all.numbers().find((pipeline) => pipeline.id === 'microphone')).toMatchObject({ isActive: true, started: 2, bytes: 0 })
    await second.close()
    expect(() => all.openMicrophone(codecs.vp8)).toThrow('no pipeline found')
    expect(() => all.openWebcam(codecs.vp8)).toThrow('webcam is not enabled')
    await using off = capture({ microphone: { ...defaultCaptureOptions.microphone, enabled: false } })
    expect(() => off.openMicrophone(codecs.opus)).toThrow('microphone is not enabled')
  })
})
