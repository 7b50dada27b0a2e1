import { silentLog } from '@neko-edge/kit'
import { recordingLog } from '@neko-edge/testing/process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defaultCaptureOptions, type VideoOptions } from './capture-options.ts'
import { type CodecName, codecNamed, codecs } from './codec.ts'
import { fillPlaceholders, launchArguments, replaceAppsink, safeValue, withChroma, withPointer } from './launch-text.ts'
import { audioPipelineText, videoPipelineText, withRtpTail } from './pipeline.ts'
import { missingElements, v2AudioPipelineText, v2VideoPipelineText } from './v2-pipeline.ts'
import { planVideo } from './video-plan.ts'

const screen = { width: 1280, height: 720, rate: 30 }
const all = (_element: string) => true
const plan = (video: Partial<VideoOptions>, hasElement = all) =>
  planVideo({ ...defaultCaptureOptions.video, ...video }, { display: ':1', hasElement, log: silentLog })
const texts = (video: Partial<VideoOptions>) => [...plan(video).ladder].map(([id, text]) => [id, text(screen)])

describe('codecs', () => {
  test('[CAP-11] bear the numbers that clients know', () => {
    const numbers = Object.values(codecs).map(({ name, payloadType, clockRate }) => [name, payloadType, clockRate])
    expect(numbers).toEqual([
      ['vp8', 96, 90_000],
      ['vp9', 98, 90_000],
      ['av1', 96, 90_000],
      ['h264', 102, 90_000],
      ['opus', 111, 48_000],
      ['g722', 9, 8_000],
      ['pcmu', 0, 8_000],
      ['pcma', 8, 8_000],
    ])
  })

  test('[CAP-12] are refused with the reason when they cannot be sent', () => {
    expect(codecNamed('VP8', 'video', all)).toBe(codecs.vp8)
    expect(() => codecNamed('h265', 'video', all)).toThrow('choose h264')
    expect(() => codecNamed('opus', 'video', all)).toThrow('not one of vp8, vp9, av1, h264')
    expect(() => codecNamed('toString', 'audio', all)).toThrow('not one of')
    expect(() => codecNamed('av1', 'video', () => false)).toThrow('GStreamer has no av1parse here; install it with')
    expect(codecNamed('av1', 'video', all)).toBe(codecs.av1)
  })
})

describe('launch text', () => {
  test('[CAP-13] reaches GStreamer as it was written, quotes, spaces and all', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const [quiet, noFault, end, ...rest] = launchArguments(text.replaceAll('\0', ''))
        expect([quiet, noFault, end]).toEqual(['-q', '--no-fault', '--'])
        expect(rest.join(' ')).toBe(text.replaceAll('\0', '').trim())
      }),
    )
    expect(() => launchArguments('a\0b')).toThrow('zero character')
  })

  test('[CAP-14] takes no value that could end where it stands', () => {
    expect(safeValue('rtmp://host:1935/live/key?a=1&b=%21', 'url')).toBe('rtmp://host:1935/live/key?a=1&b=%21')
    for (const bad of ['', 'a b', "a'b", 'a"b', 'a!b', 'a\\b', 'a\nb', 'a\u0007b']) {
      expect(() => safeValue(bad, 'url')).toThrow('url')
    }
    expect(fillPlaceholders('{a} {b} {a}', { a: '$&', b: '{a}' })).toBe('$& {a} {a}')
  })

  test.each([
    ['x ! appsink name=appsink', 'x ! TAIL'],
    ['x ! appsink  name=appsink max-buffers=1 emit-signals=true', 'x ! TAIL'],
    ['x !appsink sync=false name="appsink" t. ! y', 'x !TAIL t. ! y'],
    ['t. ! appsink name=other t. ! appsink name=appsink ! z', 't. ! appsink name=other t. ! TAIL ! z'],
  ])('[CAP-15] %s → %s', (text, replaced) => {
    expect(replaceAppsink(text, 'TAIL')).toBe(replaced)
  })

  test('[CAP-15] without exactly one appsink there is no way out', () => {
    for (const text of [
      'x ! fakesink',
      'x ! appsink',
      'appsink name=appsink appsink name=appsink',
      'x ! myappsink name=appsink',
      'x ! appsink name=appsink2',
    ]) {
      expect(() => replaceAppsink(text, 'TAIL')).toThrow('exactly one')
    }
  })

  test('[CAP-16] the pointer is switched at the first place only', () => {
    expect(withPointer('a show-pointer=false b show-pointer=false', 'shown')).toBe('a show-pointer=true b show-pointer=false')
    expect(withPointer('a show-pointer = "True" b', 'hidden')).toBe('a show-pointer = false b')
    expect(withPointer('a show-pointer=1 b', 'hidden')).toBe('a show-pointer=false b')
    expect(withPointer('a', 'hidden')).toBe('a')
  })
})

describe('pipelines', () => {
  test('[CAP-17] nothing configured is upstream’s VP8, whatever codec was named', () => {
    expect(texts({ codec: 'h264' })).toEqual([
      [
        'main',
        'ximagesrc display-name=:1 show-pointer=false use-damage=false ! capsfilter caps=video/x-raw,framerate=2500/100 name=framerate ! videoconvert ! ' +
          'queue max-size-buffers=2 max-size-bytes=0 max-size-time=0 leaky=downstream ! vp8enc name=encoder target-bitrate=1996800 cpu-used=4 end-usage=cbr ' +
          'threads=1 deadline=1 undershoot=95 buffer-size=12288 buffer-initial-size=6144 buffer-optimal-size=9216 keyframe-max-dist=25 min-quantizer=4 ' +
          'max-quantizer=20 ! appsink name=appsink',
      ],
    ])
    expect(plan({ codec: 'h264' }).codec.name).toBe('vp8')
    expect(plan({}).withPointer(screen)).toContain('show-pointer=true')
  })

  test('[CAP-18] an entry is assembled in upstream’s order, with its expressions computed', () => {
    const entry = {
      width: '(width / 3) * 2',
      height: '(height / 3) * 2',
      fps: 'fps / 2',
      gst_prefix: '! video/x-raw,format=I420',
      gst_encoder: 'x264enc',
      gst_params: { bitrate: 'round(width * 3.2)', tune: 'zerolatency', preset: 'low-latency-hq', option: '"a=1 b=2"', empty: '' },
      gst_suffix: '! video/x-h264,stream-format=byte-stream',
      show_pointer: true,
    }
    const text = videoPipelineText(entry, ':1', screen)
    const parts = [
      'show-pointer=true',
      'framerate=1500/100 name=framerate ! videoconvert ! queue',
      'videoscale method=0 ! capsfilter caps=video/x-raw,width=853,height=480 name=resolution',
      '! video/x-raw,format=I420 ! x264enc name=encoder bitrate=4096 tune=zerolatency preset=low-latency-hq option="a=1 b=2" ! video/x-h264',
      '! appsink name=appsink',
    ]
    const places = parts.map((part) => text.indexOf(part))
    expect(places).toEqual([...places].sort((a, b) => a - b))
    expect(places[0]).toBeGreaterThan(0)
    expect(text).not.toContain('empty')
  })

  test('[CAP-19] a mistake in an entry is named', () => {
    const make = (entry: object) => () => videoPipelineText({ gst_encoder: 'vp8enc', ...entry }, ':1', screen)
    expect(make({ gst_encoder: '' })).toThrow('gst_encoder or gst_pipeline')
    expect(make({ gst_prefix: 'x' })).toThrow('gst_prefix')
    expect(make({ fps: '0' })).toThrow('fps')
    expect(make({ width: 'width - width', height: '1' })).toThrow('more than 0')
    expect(make({ gst_params: { 'a b': '1' } })).toThrow('not the name of a property')
    expect(make({ gst_params: { a: 'width +' } })).toThrow('position 8')
  })

  test('[CAP-20] raw pipelines keep the codec; ids order the ladder and must exist', () => {
    const raw = plan({ codec: 'h264', pipeline: 'ximagesrc display-name={display} show-pointer=false ! x264enc ! appsink name=appsink' })
    expect(raw.codec.name).toBe('h264')
    expect(raw.ladder.get('main')?.(screen)).toContain('display-name=:1 show-pointer=false')
    expect(raw.withPointer(screen)).toContain('display-name=:1 show-pointer=true')
    const pipelines = { lq: { gst_encoder: 'vp8enc' }, hq: { gst_encoder: 'vp8enc' }, legacy: { gst_encoder: 'other', show_pointer: true } }
    expect([...plan({ pipelines }).ladder.keys()]).toEqual(['lq', 'hq'])
    expect([...plan({ pipelines, ids: ['hq', 'lq', 'hq'] }).ladder.keys()]).toEqual(['hq', 'lq'])
    expect(plan({ pipelines }).withPointer(screen)).toContain('other name=encoder')
    expect(() => plan({ pipelines, ids: ['uhq'] })).toThrow('no pipeline "uhq"; known: lq, hq, legacy')
    expect(() => plan({ pipelines, ids: ['constructor'] })).toThrow('no pipeline')
  })

  test('[CAP-21] V2’s options give V2’s pipelines, with its documented rates where none was given', () => {
    const of = (codec: CodecName, options: object, hasElement = all) =>
      v2VideoPipelineText(options, { codec: codecs[codec], display: ':1', hasElement }, screen)
    expect(of('vp8', {})).toContain('vp8enc target-bitrate=1996800 cpu-used=4')
    expect(of('vp8', { bitrate: 1000, max_fps: 10 })).toMatch(
      /framerate=10\/1 .*target-bitrate=650000 .*buffer-size=4000 buffer-initial-size=2000 buffer-optimal-size=3000/u,
    )
    expect(of('vp8', { hwenc: 'vaapi' })).toContain('vaapivp8enc rate-control=vbr bitrate=3072 keyframe-period=180')
    expect(of('vp9', { hwenc: 'nvenc' })).toContain('vp9enc target-bitrate=3072000 cpu-used=-5')
    expect(of('av1', { bitrate: 1000, max_fps: 10 })).toMatch(
      /av1enc usage-profile=realtime cpu-used=10 threads=1 tile-columns=0 target-bitrate=650 end-usage=cbr .* keyframe-max-dist=10 !/u,
    )
    expect(of('h264', { hwenc: 'vaapi' })).toContain('vah264enc rate-control=cbr bitrate=3072 key-int-max=60 target-usage=7 ! h264parse')
    expect(of('h264', { hwenc: 'nvenc', bitrate: 500 })).toMatch(
      /nvautogpuh264enc name=encoder preset=2 .*bitrate=500 vbv-buffer-size=1000/u,
    )
    expect(of('h264', { hwenc: 'nvenc' }, (name: string) => name !== 'nvautogpuh264enc')).toContain('nvh264enc name=encoder')
    expect(of('h264', {})).toContain('openh264enc multi-thread=4 complexity=high bitrate=3072000 max-bitrate=4096000')
    expect(of('h264', {}, (name: string) => name !== 'openh264enc')).toContain(
      'x264enc aud=false threads=4 bitrate=3072 key-int-max=60 vbv-buf-capacity=3072',
    )
    expect(of('vp8', { pipeline: 'ximagesrc display-name=%s ! vp8enc' })).toBe('ximagesrc display-name=:1 ! vp8enc ! appsink name=appsink')
    expect(missingElements({}, { codec: codecs.vp8, display: ':1', hasElement: () => false })).toEqual(['vp8enc'])
    expect(missingElements({ pipeline: 'x' }, { codec: codecs.vp8, display: ':1', hasElement: () => false })).toEqual([])
    const both = plan({ v2: { bitrate: 1000 } })
    expect([...both.ladder.keys()]).toEqual(['main'])
    expect(both.ladder.get('main')?.(screen)).toContain('show-pointer=false')
    expect(both.withPointer(screen)).toContain('show-pointer=true')
    expect(plan({ codec: 'h264', v2: {} }, (name: string) => !['openh264enc', 'x264enc'].includes(name)).codec.name).toBe('vp8')
  })

  test('[CAP-1050] VP9, AV1 and H.264 are 4:2:0, the profile of the offer, though their encoders take 4:4:4: V2’s pipelines and written ones', () => {
    for (const [codec, element] of [
      ['vp9', 'vp9enc'],
      ['av1', 'av1enc'],
      ['h264', 'x264enc'],
    ] as const) {
      const v2 = v2VideoPipelineText({}, { codec: codecs[codec], display: ':1', hasElement: (name) => name !== 'openh264enc' }, screen)
      const entry = videoPipelineText({ gst_encoder: element, width: 'width / 2', height: 'height / 2' }, ':1', screen)
      const written = `ximagesrc ! video/x-raw,format=BGRx ! videoconvert chroma-mode=none !\n  ${element} ! appsink name=appsink`
      for (const text of [v2, entry, written]) {
        expect(withRtpTail(text, codecs[codec], 2)).toMatch(new RegExp(`!\\s+video/x-raw,format=(?:I420|NV12) ! ${element}\\s`, 'u'))
      }
    }
  })

  test('[V2-1950] a pipeline that names the format of its picture keeps it, and so does every encoder that has but one', () => {
    for (const text of [
      'ximagesrc ! videoconvert ! video/x-raw,format=NV12 ! queue ! x264enc ! appsink name=appsink',
      'ximagesrc ! videoconvert ! capsfilter caps="video/x-raw, format=(string)Y444" ! av1enc ! appsink name=appsink',
      'ximagesrc ! videoconvert ! queue ! vp8enc name=av1enc ! appsink name=appsink',
      'ximagesrc ! glcolorconvert ! video/x-raw,format=Y444 ! vp9enc ! appsink name=appsink',
    ]) {
      expect(withChroma(text)).toBe(text)
    }
    expect(withChroma('a ! videoconvert ! video/x-raw,format=Y444 ! b ! videoconvert ! av1enc')).toBe(
      'a ! videoconvert ! video/x-raw,format=Y444 ! b ! videoconvert ! video/x-raw,format=I420 ! av1enc',
    )
  })

  test('[V2-85] hardware that is not there is named in an error, and the same codec is encoded without it', () => {
    for (const [hwenc, missing] of [
      ['vaapi', 'vah264enc'],
      ['nvenc', 'nvh264enc'],
    ] as const) {
      const { log, lines } = recordingLog()
      const without = (name: string) => !['vah264enc', 'nvh264enc', 'nvautogpuh264enc'].includes(name)
      const video = planVideo(
        { ...defaultCaptureOptions.video, codec: 'h264', v2: { hwenc, bitrate: 500 } },
        { display: ':1', hasElement: without, log },
      )
      expect(video.codec.name).toBe('h264')
      expect(video.withPointer(screen)).toContain('openh264enc multi-thread=4 complexity=high bitrate=500000')
      expect(lines.filter(({ level }) => level === 'error').map(({ fields }) => fields)).toEqual([
        { hwenc, codec: 'h264', missing: [missing] },
      ])
    }
  })

  test('[V2-86] no more frames than the screen has, 25 unless told otherwise, all of the screen’s for 0', () => {
    const rate = (max_fps: number | undefined, screenRate: number) =>
      /framerate=(\d+)\/1/.exec(
        v2VideoPipelineText(
          max_fps === undefined ? {} : { max_fps },
          { codec: codecs.vp8, display: ':1', hasElement: all },
          { ...screen, rate: screenRate },
        ),
      )?.[1]
    expect([rate(undefined, 60), rate(50, 30), rate(0, 60), rate(0, 0), rate(10, 60)]).toEqual(['25', '30', '60', '25', '10'])
  })

  test('[CAP-22] sound is upstream’s pipeline of its codec', () => {
    const of = (name: 'opus' | 'pcmu', custom = '') => audioPipelineText({ device: 'audio_output.monitor', codec: codecs[name], custom })
    expect(of('opus')).toBe(
      'pulsesrc device=audio_output.monitor ! audio/x-raw,channels=2 ! audioconvert ! queue max-size-buffers=5 leaky=downstream ! ' +
        'opusenc inband-fec=true bitrate=128000 ! appsink name=appsink',
    )
    expect(of('pcmu')).toContain('audio/x-raw,rate=8000 ! mulawenc')
    expect(of('opus', 'pulsesrc device={device} ! opusenc ! appsink name=appsink')).toContain('device=audio_output.monitor')
    expect(v2AudioPipelineText({ bitrate: 64 }, { codec: codecs.opus, device: 'd' })).toContain(
      'opusenc inband-fec=true bitrate=64000 ! appsink',
    )
    expect(v2AudioPipelineText({ pipeline: 'pulsesrc device=%s ! opusenc' }, { codec: codecs.opus, device: 'd' })).toBe(
      'pulsesrc device=d ! opusenc ! appsink name=appsink',
    )
  })

  test('[CAP-23] the tail sends RTP and reports over descriptors and takes requests', () => {
    const text = withRtpTail('x ! appsink name=appsink', codecs.h264, 42)
    expect(text).toMatch(
      /^x ! h264parse config-interval=-1 ! rtph264pay .*mtu=1200 pt=102 ssrc=42 ! neko-rtp\.send_rtp_sink rtpsession name=neko-rtp/u,
    )
    for (const part of ['fdsink fd=3', 'fdsink fd=4', 'fdsrc fd=5', 'rtcp-min-interval=500000000']) {
      expect(text).toContain(part)
    }
  })
})
