import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { load, samplesOf } from '../../test/sample.ts'
import { nest, textValue } from '../print.ts'
import { type Config, valueAt } from '../schema/config.ts'
import { envName } from '../schema/options.ts'
import { audioPipelineFromV2, videoPipelineFromV2 } from './pipeline.ts'
import { v2Options } from './v2-options.ts'

/** A V2 option, a value of it, and what becomes of it in V3. */
const mappings: readonly (readonly [key: string, text: string, v3: Readonly<Record<string, string>>])[] = [
  ['logs', 'true', { 'log.dir': '/var/log/neko' }],
  ['logs', 'false', { 'log.dir': '' }],
  ['display', ':99.0', { 'desktop.display': ':99.0', 'capture.video.display': ':99.0' }],
  ['vp8', 'true', { 'capture.video.codec': 'vp8' }],
  ['vp9', '1', { 'capture.video.codec': 'vp9' }],
  ['h264', 'true', { 'capture.video.codec': 'h264' }],
  ['av1', 'true', { 'capture.video.codec': 'av1' }],
  ['video_codec', 'H264', { 'capture.video.codec': 'h264', 'capture.video.bitrate': '3072', 'capture.video.max_fps': '25' }],
  [
    'video',
    'ximagesrc display-name=%s show-pointer=true ! x264enc',
    { 'capture.video.pipeline': 'ximagesrc display-name={display} show-pointer=false ! x264enc ! appsink name=appsink' },
  ],
  ['video_bitrate', '5000', { 'capture.video.bitrate': '5000' }],
  ['video_bitrate', '0', { 'capture.video.bitrate': '3072' }],
  ['audio_bitrate', '0', { 'capture.audio.bitrate': '128' }],
  ['max_fps', '60', { 'capture.video.max_fps': '60' }],
  ['max_fps', '0', { 'capture.video.max_fps': '0' }],
  ['hwenc', 'NVENC', { 'capture.video.hwenc': 'nvenc' }],
  ['device', 'auto_null.monitor', { 'capture.audio.device': 'auto_null.monitor' }],
  ['opus', 'true', { 'capture.audio.codec': 'opus' }],
  ['g722', 'true', { 'capture.audio.codec': 'g722' }],
  ['pcmu', 'true', { 'capture.audio.codec': 'pcmu' }],
  ['pcma', 'true', { 'capture.audio.codec': 'pcma' }],
  ['audio_codec', 'g722', { 'capture.audio.codec': 'g722' }],
  ['audio', 'pulsesrc device=%s ! opusenc', { 'capture.audio.pipeline': 'pulsesrc device={device} ! opusenc ! appsink name=appsink' }],
  ['audio_bitrate', '96', { 'capture.audio.bitrate': '96' }],
  ['broadcast_pipeline', 'x {url}', { 'capture.broadcast.pipeline': 'x {url}' }],
  ['broadcast_url', 'rtmp://live.example/app/key', { 'capture.broadcast.url': 'rtmp://live.example/app/key' }],
  ['broadcast_autostart', 'false', { 'capture.broadcast.autostart': 'false' }],
  ['screen', '1920x1080@60', { 'desktop.screen': '1920x1080@60' }],
  [
    'password',
    'pw',
    { 'member.provider': 'multiuser', 'member.multiuser.user_password': 'pw', 'member.multiuser.admin_password': 'admin' },
  ],
  [
    'password_admin',
    'pw',
    { 'member.provider': 'multiuser', 'member.multiuser.admin_password': 'pw', 'member.multiuser.user_password': 'neko' },
  ],
  ['bind', ':8081', { 'server.bind': ':8081' }],
  ['cert', '/c.pem', { 'server.cert': '/c.pem' }],
  ['key', '/k.pem', { 'server.key': '/k.pem' }],
  ['proxy', 'true', { 'server.proxy': 'true' }],
  ['static', '/www', { 'server.static': '/www' }],
  ['path_prefix', 'neko/', { 'server.path_prefix': '/neko' }],
  ['cors', 'https://a.example https://b.example', { 'server.cors': 'https://a.example,https://b.example' }],
  [
    'locks',
    'control login',
    { 'session.locked_controls': 'true', 'session.locked_logins': 'true', 'session.locked_file_transfer': 'false' },
  ],
  ['locks', 'file_transfer', { 'session.locked_controls': 'false', 'session.locked_file_transfer': 'true' }],
  ['implicit_control', 'true', { 'session.implicit_hosting': 'true' }],
  ['control_protection', 'true', { 'session.control_protection': 'true' }],
  ['heartbeat_interval', '120', { 'session.heartbeat_interval': '120' }],
  [
    'file_transfer_enabled',
    'true',
    {
      'filetransfer.enabled': 'true',
      'filetransfer.user_download': 'true',
      'filetransfer.user_upload': 'true',
      'filetransfer.user_delete': 'false',
    },
  ],
  ['file_transfer_path', '/files', { 'filetransfer.dir': '/files' }],
  ['nat1to1', '192.0.2.1 192.0.2.2', { 'webrtc.nat1to1': '192.0.2.1,192.0.2.2' }],
  ['tcpmux', '9000', { 'webrtc.tcpmux': '9000', 'webrtc.epr': '59000-59100' }],
  ['udpmux', '9000', { 'webrtc.udpmux': '9000', 'webrtc.epr': '' }],
  ['icelite', 'true', { 'webrtc.icelite': 'true' }],
  [
    'iceservers',
    '[{"urls":["turn:t.example"],"username":"u","credential":"c","credentialType":"password"}]',
    {
      'webrtc.iceservers.frontend': '[{"urls":["turn:t.example"],"username":"u","credential":"c"}]',
      'webrtc.iceservers.backend': '[{"urls":["turn:t.example"],"username":"u","credential":"c"}]',
    },
  ],
  ['iceserver', 'stun:a.example stun:b.example', { 'webrtc.iceservers.frontend': '[{"urls":["stun:a.example","stun:b.example"]}]' }],
  ['ipfetch', 'http://ip.example/', { 'webrtc.ip_retrieval_url': 'http://ip.example/' }],
  ['epr', '52000-52100', { 'webrtc.epr': '52000-52100' }],
  ['epr', '52100-52000', { 'webrtc.epr': '52000-52100' }],
  ['epr', 'x-59200', { 'webrtc.epr': '59000-59200' }],
  ['epr', '58000', { 'webrtc.epr': '58000-59100' }],
]

const read = (config: Config, path: string): string => textValue(path, valueAt(config, path))
const readAll = (config: Config, v3: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.keys(v3).map((path) => [path, read(config, path)]))

test('[CFG-40] the test maps every V2 option', () => {
  expect(new Set(mappings.map(([key]) => key))).toEqual(new Set(v2Options.keys()))
})

test.each(mappings)('[CFG-41] V2 %s=%s from each source', (key, text, v3) => {
  const inputs = [{ env: { [envName(key)]: text } }, { argv: [`--${key}=${text}`] }, { yaml: stringify({ [key]: text }) }]
  for (const input of inputs) {
    const { config, notices, legacy } = load(input)
    expect(readAll(config, v3)).toEqual(v3)
    expect(legacy).toBe(true)
    expect(notices.filter((notice) => notice.includes('is a V2 option'))).toHaveLength(1)
  }
})

// Where V3 has a pipeline, V2's settings of a generated one say nothing: those are tried on their own below.
const overriding = mappings.filter(([, , v3]) => Object.keys(v3).length > 0)

test.each(overriding)('[CFG-42] V2 %s=%s wins over its V3 option, whatever its source', (key, text, v3) => {
  for (const path of v2Options.get(key)?.to ?? []) {
    const wanted = v3[path]
    const isUnset = text === '0' && key.endsWith('_bitrate')
    const other = samplesOf(path).find((sample) => sample !== wanted)
    // A lock that V2 does not name is not taken off, and a V3 pipeline is not replaced by a V2 one.
    if (wanted !== undefined && other !== undefined && key !== 'locks' && key !== 'video' && !isUnset) {
      const { config, sources } = load({ argv: [`--${path}=${other}`], yaml: stringify({ [key]: text }) })
      expect([path, read(config, path)]).toEqual([path, wanted])
      expect(sources.get(path)).toEqual({ kind: 'file', where: expect.stringContaining('neko.yaml:1:') })
    }
  }
})

test('[CFG-43] legacy: unset and true are on; false ignores V2 options and says so, but not those of file transfer', () => {
  const env = { NEKO_SCREEN: '800x600@25', NEKO_FILE_TRANSFER_ENABLED: 'true' }
  const seen = [undefined, '', 'true', 'false'].map((legacy) => {
    const loaded = load({ env: { ...env, NEKO_LEGACY: legacy } })
    return [loaded.legacy, loaded.config.desktop.screen.width, loaded.config.filetransfer.enabled]
  })
  expect(seen).toEqual([
    [true, 800, true],
    [true, 800, true],
    [true, 800, true],
    [false, 1280, true],
  ])
  expect(load({ env: { ...env, NEKO_LEGACY: 'false' } }).notices[0]).toBe('legacy is false: these V2 options are ignored: NEKO_SCREEN')
  expect(load({}).legacy).toBe(true)
})

test('[CFG-43] legacy that is neither true nor false is an error, not false', () => {
  const { problems, legacy } = load({ env: { NEKO_LEGACY: 'maybe' } })
  expect([problems.map(({ source }) => source), legacy]).toEqual([['NEKO_LEGACY'], true])
})

test('[CFG-44] V2 among itself: flag before variable before file', () => {
  const layers = { yaml: 'screen: 1x1@1', env: { NEKO_SCREEN: '2x2@2' }, argv: ['--screen=3x3@3'] }
  const { yaml, env } = layers
  expect([load(layers), load({ yaml, env }), load({ yaml })].map(({ config }) => config.desktop.screen.width)).toEqual([3, 2, 1])
})

test('[CFG-45] one V2 password leaves the other with its V3 value', () => {
  const { config } = load({ env: { NEKO_PASSWORD: 'v2', NEKO_MEMBER_MULTIUSER_ADMIN_PASSWORD: 'v3' } })
  expect(config.member.multiuser).toMatchObject({ userPassword: 'v2', adminPassword: 'v3' })
  expect(load({ env: { NEKO_PASSWORD: 'v2', NEKO_MEMBER_PROVIDER: 'noauth' } }).config.member.provider).toBe('multiuser')
})

test('[CFG-46] codec flags: the first true one wins over video_codec; false ones are not used', () => {
  const codec = (env: Record<string, string>): string => load({ env }).config.capture.video.codec
  expect(codec({ NEKO_VP8: 'true', NEKO_VIDEO_CODEC: 'h264' })).toBe('vp8')
  expect(codec({ NEKO_H264: 'true', NEKO_VP9: 'true' })).toBe('vp9')
  expect(codec({ NEKO_VP8: 'false', NEKO_VIDEO_CODEC: 'h264' })).toBe('h264')
  expect(codec({ NEKO_VP8: 'false', NEKO_CAPTURE_VIDEO_CODEC: 'av1' })).toBe('av1')
})

test('[CFG-47] V2 video settings give way to a V3 pipeline, and its codec with it', () => {
  const env = {
    NEKO_CAPTURE_VIDEO_PIPELINE: 'mine',
    NEKO_CAPTURE_VIDEO_CODEC: 'h264',
    NEKO_VIDEO: 'x %s',
    NEKO_HWENC: 'nvenc',
    NEKO_VIDEO_BITRATE: '9',
    NEKO_MAX_FPS: '9',
    NEKO_VIDEO_CODEC: 'vp9',
  }
  const { config, notices } = load({ env })
  expect(config.capture.video).toMatchObject({ pipeline: 'mine', codec: 'h264', hwenc: 'none', bitrate: 3072, maxFps: 25 })
  expect(notices.filter((notice) => notice.includes('it is ignored'))).toHaveLength(5)
  expect(load({ env: { ...env, NEKO_CAPTURE_VIDEO_CODEC: '' } }).config.capture.video.codec).toBe('vp9')
})

test('[CFG-48] iceservers and iceserver make one list; a bad one is a problem without its content', () => {
  const { config } = load({ env: { NEKO_ICESERVERS: '[{"urls":"turn:t.example"}]', NEKO_ICESERVER: 'stun:a,stun:b' } })
  expect(config.webrtc.iceservers.frontend).toEqual([{ urls: ['turn:t.example'] }, { urls: ['stun:a', 'stun:b'] }])
  const bad = load({ env: { NEKO_ICESERVERS: '[{"urls":"turn:t.example","credential":"geheim"' } })
  expect(bad.problems.map(({ source, option, value }) => [source, option, value])).toEqual([['NEKO_ICESERVERS', 'iceservers', '***']])
  expect(JSON.stringify(bad.problems)).not.toContain('geheim')
})

test('[CFG-49] locks are only ever put on, and unknown ones are named', () => {
  const { config, notices } = load({ env: { NEKO_LOCKS: 'control,foo', NEKO_SESSION_LOCKED_LOGINS: 'true' } })
  expect([config.session.lockedControls, config.session.lockedLogins]).toEqual([true, true])
  expect(notices[0]).toContain('there is no lock named foo')
})

test('[CFG-50] a V2 encoder that is none is said and the processor encodes', () => {
  const { config, notices, problems } = load({ env: { NEKO_HWENC: 'quick' } })
  expect([config.capture.video.hwenc, problems]).toEqual(['none', []])
  expect(notices[0]).toContain('it is none of none, vaapi, nvenc')
})

test('[CFG-51] the notice of a V2 option names V3 in the form of its source, without a secret', () => {
  const { notices } = load({ env: { NEKO_PASSWORD: 'geheim' }, argv: ['--locks=control'], yaml: 'screen: 1x1@1' })
  expect(notices).toEqual([
    '/etc/neko/neko.yaml:1:9 (screen) is a V2 option: in V3 write desktop.screen=1x1@1',
    'NEKO_PASSWORD is a V2 option: in V3 write NEKO_MEMBER_PROVIDER=multiuser and NEKO_MEMBER_MULTIUSER_USER_PASSWORD with the same value',
    '--locks is a V2 option: in V3 write --session.locked_controls=true',
  ])
})

test('[CFG-52] V2 pipelines: one %s, %% unescaped, a second %s dropped, the pointer taken out, a sink only if there is none', () => {
  expect(videoPipelineFromV2('ximagesrc display-name=%s ! a b=50%% ! c')).toBe(
    'ximagesrc show-pointer=false display-name={display} ! a b=50% ! c ! appsink name=appsink',
  )
  expect(videoPipelineFromV2('ximagesrc show-pointer=false display-name=%s%s ! x ! appsink name=appsink')).toBe(
    'ximagesrc show-pointer=false display-name={display} ! x ! appsink name=appsink',
  )
  expect(audioPipelineFromV2('audiotestsrc ! opusenc ')).toBe('audiotestsrc ! opusenc ! appsink name=appsink')
})

test('[CFG-53] V2 in a nested map with V3: both stand in one file', () => {
  const { config, problems } = load({ yaml: `${stringify(nest([['server.static', '/www']]))}password: a\npassword_admin: b\n` })
  expect([config.server.static, config.member.multiuser.userPassword, problems]).toEqual(['/www', 'a', []])
})
