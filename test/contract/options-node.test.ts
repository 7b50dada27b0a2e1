import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RoomId, silentLog, systemClock, until } from '@neko-edge/kit'
import { connect, Room } from '@neko-edge/store'
import { freeUdpPort, processTree, TempRedis } from '@neko-edge/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { broadcastText } from '../../apps/capture-node/src/capture/broadcast.ts'
import { microphoneText, webcamText } from '../../apps/capture-node/src/capture/client-media.ts'
import { codecs } from '../../apps/capture-node/src/capture/codec.ts'
import { GstInstallation } from '../../apps/capture-node/src/capture/gst-installation.ts'
import { checkPipelines } from '../../apps/capture-node/src/capture/pipeline-check.ts'
import { screencastText } from '../../apps/capture-node/src/capture/screencast.ts'
import { startCaptureNode } from '../../apps/capture-node/src/main.ts'
import { claimDisplayNumber } from '../../apps/capture-node/src/process/display-number.ts'
import { announcedBy } from '../../apps/capture-node/src/public-address.ts'
import { captureChild, captureOptions, displayNumber, sfuOptions } from '../../apps/capture-node/src/room/room-config.ts'
import { TransferFolder } from '../../apps/capture-node/src/room/transfer-folder.ts'
import { ChromiumPeer, openChromium } from '../../apps/capture-node/test/sfu/chromium-peer.ts'
import { patienceMs, testRoom } from '../../apps/capture-node/test/sfu/room.ts'
import { configOf } from '../../apps/control-plane/test/session/planes.fixture.ts'
import { workerBinary } from '../../infra/worker/locate.ts'
import { noted } from './options.fixture.ts'

let folder: string
let gst: GstInstallation
const dataFolder = join(tmpdir(), 'neko-http-data')
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'neko-options-'))
  await chmod(folder, 0o755)
  await mkdir(dataFolder, { recursive: true })
  gst = await GstInstallation.open(join(dataFolder, 'gstreamer'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('pipelines are read by GStreamer at the start', () => {
  const screen = { width: 1280, height: 720, rate: 30 }
  const check = (env: Readonly<Record<string, string>>): Promise<string> =>
    checkPipelines({ options: captureOptions(configOf(env)), gst, screen, log: silentLog }).then(
      () => 'fine',
      (error: unknown) => (error as Error).message,
    )
  const sink = 'appsink name=appsink'

  it.each([
    [
      'CAPTURE_VIDEO_PIPELINE',
      `ximagesrc display-name={display} ! videoconvert ! nosuch ! ${sink}`,
      'capture.video.pipeline: .*no element "nosuch"',
    ],
    ['CAPTURE_VIDEO_PIPELINE', `ximagesrc ! videoconvert ! vp8enc colour=1 ! ${sink}`, 'capture.video.pipeline: .*no property "colour"'],
    ['CAPTURE_VIDEO_PIPELINE', `ximagesrc ! videoconvert ! x264enc ! ${sink}`, 'capture.video.pipeline: .*could not link'],
    ['CAPTURE_VIDEO_PIPELINE', 'ximagesrc ! videoconvert ! vp8enc', 'capture.video.pipeline: .*needs exactly one'],
    [
      'CAPTURE_VIDEO_PIPELINES',
      '{"HQ":{"gst_encoder":"vp8enc"},"lq":{"gst_encoder":"vp8enc","gst_params":{"speed":"1"}}}',
      'capture.video.pipelines.lq: .*no property "speed"',
    ],
    ['CAPTURE_VIDEO_PIPELINES', '{"a":{"gst_encoder":"vp8enc","gst_suffix":"! queue !"}}', 'capture.video.pipelines.a: .*syntax error'],
    ['CAPTURE_AUDIO_PIPELINE', `pulsesrc device={device} ! opusenk ! ${sink}`, 'capture.audio.pipeline: .*no element "opusenk"'],
    ['CAPTURE_BROADCAST_PIPELINE', "flvmux name=mux ! rtmpsinc location='{url}'", 'capture.broadcast.pipeline: .*no element "rtmpsinc"'],
    ['CAPTURE_SCREENCAST_PIPELINE', `ximagesrc ! jpgenc ! ${sink}`, 'capture.screencast.pipeline: .*no element "jpgenc"'],
  ])('[OPT-30] %s: %s', async (name, text, complaint) => {
    expect(await check({ [name]: text })).toMatch(new RegExp(complaint))
  })

  it('[OPT-30] several are told together, each by its option', async () => {
    const said = await check({ CAPTURE_AUDIO_PIPELINE: 'nosuch', CAPTURE_SCREENCAST_PIPELINE: `nosuch ! ${sink}` })
    expect(said.split('\n').map((line) => line.split(':')[0])).toEqual(['capture.audio.pipeline', 'capture.screencast.pipeline'])
  })

  it('[OPT-31] good ones pass and never run, whatever they would write to', async () => {
    const written = join(folder, 'written')
    const said = await check({
      CAPTURE_VIDEO_PIPELINES:
        '{"main":{"fps":"25","gst_encoder":"vp8enc","gst_params":{"deadline":"1"}},"legacy":{"show_pointer":true,"gst_encoder":"vp8enc"}}',
      CAPTURE_AUDIO_PIPELINE: `pulsesrc device={device} ! audioconvert ! opusenc ! ${sink}`,
      CAPTURE_BROADCAST_PIPELINE: `videotestsrc num-buffers=1 ! filesink location=${written}`,
      CAPTURE_SCREENCAST_PIPELINE: `ximagesrc display-name={display} ! videoconvert ! jpegenc ! ${sink}`,
    })
    expect(said).toBe('fine')
    expect(execFileSync('find', [folder, '-name', 'written', '-size', '+0']).length).toBe(0)
  })

  it('[OPT-31] a codec that can not be sent is refused there, too', async () => {
    expect(await check({ CAPTURE_VIDEO_CODEC: 'h265' })).toMatch(/codec h265: .*choose h264, vp8, vp9 or av1/)
  })
})

describe('the public address', () => {
  /** What is announced where the service answers so, and what is said of it. */
  async function announced(answer: { status: number; body: string }, env: Readonly<Record<string, string>> = {}) {
    let asked = 0
    const service = createServer((_, response) => {
      asked += 1
      response.writeHead(answer.status).end(answer.body)
    }).listen(0, '127.0.0.1')
    await once(service, 'listening')
    const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}/ip`
    const { log, lines } = noted()
    const open = { SERVER_BIND: ':8080', MEMBER_MULTIUSER_USER_PASSWORD: 'u', MEMBER_MULTIUSER_ADMIN_PASSWORD: 'a' }
    const addresses = await announcedBy(configOf({ ...open, WEBRTC_IP_RETRIEVAL_URL: url, ...env }), log)
    service.close()
    return { addresses, asked, warnings: lines.filter(({ level }) => level === 'warn').length }
  }

  it('[OPT-32] webrtc.ip_retrieval_url: is asked, and its answer announced', async () => {
    expect(await announced({ status: 200, body: '192.0.2.44\n' })).toEqual({ addresses: ['192.0.2.44'], asked: 1, warnings: 0 })
    expect(await announced({ status: 200, body: '2001:db8::1' })).toEqual({ addresses: ['2001:db8::1'], asked: 1, warnings: 0 })
  })

  it('[OPT-32] webrtc.ip_retrieval_url: an answer that is none is said once, and the server starts without', async () => {
    for (const answer of [
      { status: 500, body: '192.0.2.44' },
      { status: 200, body: '<html>' },
      { status: 200, body: '' },
    ]) {
      expect(await announced(answer)).toEqual({ addresses: [], asked: 1, warnings: 1 })
    }
    expect(await announced({ status: 200, body: '' }, { WEBRTC_IP_RETRIEVAL_URL: 'http://127.0.0.1:9/' })).toMatchObject({
      addresses: [],
      warnings: 1,
    })
  })

  it('[OPT-32] webrtc.nat1to1: is announced, and nobody is asked; nor on loopback, nor with none', async () => {
    const good = { status: 200, body: '192.0.2.44' }
    expect(await announced(good, { WEBRTC_NAT1TO1: '192.0.2.1,neko.example' })).toMatchObject({
      addresses: ['192.0.2.1', 'neko.example'],
      asked: 0,
    })
    expect(await announced(good, { SERVER_BIND: '127.0.0.1:8080' })).toMatchObject({ addresses: [], asked: 0 })
    expect(await announced(good, { WEBRTC_IP_RETRIEVAL_URL: 'none' })).toMatchObject({ addresses: [], asked: 0 })
  })
})

describe('displays', () => {
  it('[OPT-33] desktop.display: its number is taken, and one that is taken already is said', async () => {
    const number = 7_000 + (process.pid % 2_000)
    expect(displayNumber(configOf({ DESKTOP_DISPLAY: `:${number}.0` }).desktop.display)).toBe(number)
    expect(configOf({ DISPLAY: ':99.0' }).desktop.display).toBe(':99.0')
    expect(configOf({ CAPTURE_VIDEO_DISPLAY: ':99.0' }).desktop.display).toBe(':99.0')
    await using taken = await claimDisplayNumber(number)
    expect(taken.number).toBe(number)
    await expect(claimDisplayNumber(number)).rejects.toThrow(`X display :${number} is taken`)
  })

  it('[OPT-34] capture.video.display: another display is captured without the room’s cookie and namespace, the room’s own with them', () => {
    const own = { env: { DISPLAY: ':101', XAUTHORITY: '/x', PULSE_SERVER: 'unix:/p' }, ipc: { of: () => 1 } }
    const child = (display: string) => captureChild(configOf({ CAPTURE_VIDEO_DISPLAY: display }), { captureChild: own, displayNumber: 101 })
    expect(child('')).toBe(own)
    expect(child(':101.0')).toBe(own)
    expect(child(':5')).toEqual({ env: { DISPLAY: ':5', PULSE_SERVER: 'unix:/p' } })
  })
})

describe('pipelines and media of clients', () => {
  const options = (env: Readonly<Record<string, string>>) => captureOptions(configOf(env))
  const prefixed = (prefix: string, env: Readonly<Record<string, string>>) =>
    options(Object.fromEntries(Object.entries(env).map(([name, value]) => [`CAPTURE_${prefix}_${name}`, value])))
  const to = { display: ':1', device: 'd', url: 'rtmp://h/k' }

  it('[OPT-37] capture.broadcast: rates, preset and a pipeline of one’s own', () => {
    const built = broadcastText(prefixed('BROADCAST', { AUDIO_BITRATE: '96', VIDEO_BITRATE: '777', PRESET: 'slow' }).broadcast, to)
    expect(built).toMatch(/voaacenc bitrate=96000 .*x264enc threads=4 bitrate=777 .*speed-preset=slow/)
    const own = broadcastText(prefixed('BROADCAST', { PIPELINE: '{display} {device} {url}' }).broadcast, { ...to, url: 'srt://x' })
    expect(own).toBe(':1 d srt://x')
  })

  it('[OPT-37] capture.screencast: rate, quality and a pipeline of one’s own', () => {
    const built = screencastText(prefixed('SCREENCAST', { RATE: '5/2', QUALITY: '33' }).screencast, ':1')
    expect(built).toMatch(/framerate=5\/2 .*jpegenc quality=33 /)
    const own = screencastText(prefixed('SCREENCAST', { PIPELINE: 'a {display} ! appsink name=appsink' }).screencast, ':1')
    expect(own).toMatch(/^a :1 ! multipartmux/)
  })

  it('[OPT-37] capture.webcam and capture.microphone: device and size, or a refusal', () => {
    const webcam = { ENABLED: 'true', DEVICE: '/dev/video9', WIDTH: '640', HEIGHT: '360' }
    expect(webcamText(prefixed('WEBCAM', webcam).webcam, codecs.vp8)).toMatch(/width=640,height=360 .*device=\/dev\/video9/)
    expect(() => webcamText(options({}).webcam, codecs.vp8)).toThrow('webcam is not enabled')
    expect(microphoneText(prefixed('MICROPHONE', { DEVICE: 'other' }).microphone, codecs.opus)).toContain('device=other')
    expect(() => microphoneText(prefixed('MICROPHONE', { ENABLED: 'false' }).microphone, codecs.opus)).toThrow('microphone is not enabled')
  })
})

describe('a node', () => {
  it('[OPT-36] sfu.workers, sfu.max_load, node.address, node.pipe_ports, webrtc.epr, webrtc.udpmux and webrtc.tcpmux: as many workers, on these ports', () => {
    const of = (env: Readonly<Record<string, string>>) => sfuOptions(configOf(env))
    expect(of({ SFU_WORKERS: '3', WEBRTC_EPR: '52000-52100' })).toEqual({
      workers: 3,
      maxLoad: 0.8,
      pipes: { ip: expect.stringMatching(/^[\d.]+$/), range: { min: 59_200, max: 59_299 } },
      ports: { range: { min: 52_000, max: 52_100 } },
    })
    expect(of({ NODE_ADDRESS: '10.1.2.3', NODE_PIPE_PORTS: '7000-7100' }).pipes).toEqual({
      ip: '10.1.2.3',
      range: { min: 7_000, max: 7_100 },
    })
    expect(of({ WEBRTC_UDPMUX: '5000', WEBRTC_TCPMUX: '5001' })).toMatchObject({ workers: 1, ports: { udp: 5000, tcp: 5001 } })
    const cores = availableParallelism()
    expect([of({}).workers, of({ NODE_ROLES: 'relay' }).workers]).toEqual([Math.max(1, cores - 1), cores])
    expect(of({ SFU_MAX_LOAD: '50' }).maxLoad).toBe(0.5)
    expect(of({}).ports).toEqual({ range: { min: 59_000, max: 59_100 } })
  })

  it('[OPT-36] node.roles, node.id and sfu.workers: a relay has one worker a processor and no room, a capture node has the room under its name', async () => {
    await using owned = new AsyncDisposableStack()
    const redis = owned.use(await TempRedis.open())
    const connection = owned.use(await connect({ url: redis.url, log: silentLog }))
    const room = owned.use(await Room.open('default' as RoomId, { connection, log: silentLog }))
    const start = async (name: string, env: Readonly<Record<string, string>>) => {
      const ports = { WEBRTC_NAT1TO1: '127.0.0.1', DESKTOP_APP: 'sleep infinity', NODE_ID: name, ...env }
      const common = { redisUrl: redis.url, runFolder: join(folder, name), dataFolder, workerBin: workerBinary() ?? '', log: silentLog }
      return startCaptureNode({ config: configOf(ports), ...common })
    }
    const workers = async () => (await processTree(process.pid)).filter(({ name }) => name.startsWith('mediasoup-work')).length
    const before = await workers()
    await using relay = await start('a-relay', { NODE_ROLES: 'relay', SFU_WORKERS: '0', WEBRTC_EPR: '41000-41100' })
    expect(await workers()).toBe(before + availableParallelism())
    expect([relay !== undefined, room.view.node]).toEqual([true, undefined])
    const uid = 150_000 + (process.pid % 50_000)
    owned.use(await start('a-stage', { WEBRTC_UDPMUX: String(await freeUdpPort()), DESKTOP_UID_BASE: String(uid) }))
    await until(() => room.view.node?.node === 'a-stage', { ms: 10_000, what: 'the name of the node' })
    const users = execFileSync('ps', ['-eo', 'uid='], { encoding: 'utf8' }).split('\n').map(Number)
    expect(users.includes(uid)).toBe(process.getuid?.() === 0)
  })

  it('[OPT-39] filetransfer.refresh_interval: a file that appears by itself is in the list', async () => {
    const { dir, refreshIntervalMs } = configOf({
      FILETRANSFER_DIR: join(folder, 'files'),
      FILETRANSFER_REFRESH_INTERVAL: '1s',
    }).filetransfer
    const lists: string[][] = []
    const options = { path: dir, identity: undefined, refreshMs: refreshIntervalMs, clock: systemClock, log: silentLog }
    const onList = async (files: readonly { name: string }[]) => void lists.push(files.map(({ name }) => name))
    await using _ = await TransferFolder.open({ ...options, onList })
    await writeFile(join(dir, 'by itself'), 'x')
    await until(() => lists.at(-1)?.includes('by itself') === true, { ms: 5_000, what: 'the new file' })
  })
})

describe('automatic quality', () => {
  it('[OPT-38] webrtc.estimator: passive is as if off; the first estimate and the wish for a log arrive', () => {
    const of = (env: Readonly<Record<string, string>>) =>
      sfuOptions(configOf(Object.fromEntries(Object.entries(env).map(([name, value]) => [`WEBRTC_ESTIMATOR_${name}`, value])))).estimator
    expect(of({})).toBeUndefined()
    expect(of({ ENABLED: 'true', PASSIVE: 'true' })).toBeUndefined()
    expect(of({ ENABLED: 'true', INITIAL_BITRATE: '300000', DEBUG: 'true' })).toEqual({ initialBitrate: 300_000, isTold: true })
  })

  it('[OPT-38] webrtc.estimator.debug: estimates are logged, and begin with the first one', async () => {
    await using browser = await openChromium()
    await using world = await testRoom({ estimator: { initialBitrate: 640_000, isTold: true } })
    const peer = await world.room.openPeer({ kind: 'v3', canShare: false, video: { id: 'hq', auto: true } })
    const viewer = await ChromiumPeer.open(browser.context)
    await viewer.join(peer)
    const told = () => world.lines.find(({ message }) => message === 'estimate of the path')
    await until(() => told() !== undefined, { ms: patienceMs, what: 'an estimate in the log' })
    expect(told()?.fields).toMatchObject({ type: 'bwe', info: { startBitrate: 640_000, availableBitrate: expect.any(Number) } })
  })
})
