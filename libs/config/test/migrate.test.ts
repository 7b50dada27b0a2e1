import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadConfig } from '../src/load.ts'
import { readEnvFile } from '../src/migrate/env-file.ts'
import { type Migration, migrateConfig } from '../src/migrate.ts'
import { textValue } from '../src/print.ts'
import { type Config, valueAt } from '../src/schema/config.ts'
import { load } from './sample.ts'

const folder = join(import.meta.dirname, 'migrate')
const pipeline04 = 'ximagesrc display-name={display} show-pointer=true use-damage=false'

interface Case {
  readonly file: string
  /** What the new configuration says, beside defaults. */
  readonly values: Readonly<Record<string, string>>
  /** Parts of the lines that begin with `!`; none means that the exit code is 0. */
  readonly lost?: readonly string[]
}

const common = { 'member.multiuser.user_password': 'u', 'member.multiuser.admin_password': 'a' }
const image = (app: string): Record<string, string> => ({ 'desktop.app': app, 'server.bind': ':8080' })
const turn = (address: string): string => `[{"urls":["${address}"],"username":"neko","credential":"n3ko"}]`

const cases: readonly Case[] = [
  {
    file: '01-v2-firefox.compose.yaml',
    values: {
      ...image('firefox'),
      'desktop.screen': '1920x1080@30',
      'member.multiuser.user_password': 'neko',
      'member.multiuser.admin_password': 'admin',
      'webrtc.epr': '52000-52100',
      'webrtc.icelite': 'true',
    },
  },
  {
    file: '02-v3-firefox.compose.yaml',
    values: {
      ...image('firefox'),
      'desktop.screen': '1920x1080@30',
      'member.multiuser.user_password': 'neko',
      'member.multiuser.admin_password': 'admin',
      'webrtc.epr': '52000-52100',
      'webrtc.icelite': 'true',
    },
  },
  {
    file: '03-v2-nvidia.compose.yaml',
    values: {
      ...image('google-chrome'),
      ...common,
      'capture.video.codec': 'h264',
      'capture.video.hwenc': 'nvenc',
      'capture.video.bitrate': '8000',
      'capture.video.max_fps': '60',
      'desktop.screen': '1920x1080@60',
    },
  },
  { file: '04-v3-nvidia.compose.yaml', values: { ...image('firefox'), ...common, 'capture.video.codec': 'h264' } },
  {
    file: '05-v2-arm.compose.yaml',
    values: { ...image('chromium'), ...common, 'capture.video.codec': 'h264', 'capture.video.bitrate': '3072' },
  },
  {
    file: '06-v3-turn.compose.yaml',
    values: {
      ...image('chromium'),
      ...common,
      'webrtc.nat1to1': '192.0.2.7',
      'webrtc.iceservers.frontend':
        '[{"urls":["turn:coturn.example.org:3478","stun:coturn.example.org:3478"],"username":"neko","credential":"n3ko"}]',
      'webrtc.iceservers.backend': turn('turn:coturn:3478'),
    },
  },
  {
    file: '07-v2-turn.compose.yaml',
    values: {
      ...image('chromium'),
      ...common,
      'webrtc.nat1to1': '192.0.2.7',
      'webrtc.ip_retrieval_url': 'http://ip.example.org',
      'webrtc.iceservers.frontend':
        '[{"urls":["turn:t.example.org:3478"],"username":"u","credential":"c"},{"urls":["stun:stun.example.org:3478"]}]',
    },
  },
  {
    file: '08-v3-proxy.compose.yaml',
    values: {
      ...image('brave-browser'),
      ...common,
      'server.proxy': 'true',
      'server.path_prefix': '/neko',
      'server.cors': 'https://a.example.org,https://b.example.org',
      'session.cookie.expiration': '72h',
      'webrtc.udpmux': '59000',
      'webrtc.tcpmux': '59000',
      'webrtc.epr': '',
    },
  },
  {
    file: '09-v2-broadcast.compose.yaml',
    values: {
      ...image('vlc'),
      ...common,
      'capture.broadcast.url': 'rtmp://live.example.org/app/key',
      'capture.broadcast.autostart': 'false',
      'capture.audio.codec': 'g722',
      'capture.audio.bitrate': '64',
    },
  },
  {
    file: '10-v3-pipelines.yaml',
    values: {
      'capture.video.ids': 'hq,lq',
      'server.bind': '0.0.0.0:8080',
      'server.metrics': 'false',
      'member.provider': 'object',
      'webrtc.estimator.stable_duration': '20s',
    },
  },
  {
    file: '11-v3-file-members.yaml',
    values: {
      debug: 'true',
      'log.json': 'true',
      'member.file.path': '/opt/neko/members.json',
      'session.api_token': 't0ken',
      'filetransfer.refresh_interval': '1m',
      'openinapp.enabled': 'true',
    },
  },
  {
    file: '12-v2.yaml',
    values: {
      ...common,
      'server.bind': ':8080',
      'session.locked_controls': 'true',
      'session.locked_logins': 'false',
      'session.locked_file_transfer': 'true',
      'session.control_protection': 'true',
      'filetransfer.dir': '/home/neko/Files',
      'webrtc.nat1to1': '192.0.2.7',
    },
  },
  {
    file: '13-mixed.yaml',
    values: { 'member.multiuser.user_password': 'u', 'member.multiuser.admin_password': 'keep', 'desktop.screen': '1024x768@30' },
  },
  {
    file: '14-v2.env',
    values: {
      'member.multiuser.user_password': 'u x',
      'member.multiuser.admin_password': 'a',
      'server.proxy': 'true',
      'webrtc.udpmux': '9000',
      'session.heartbeat_interval': '120',
    },
  },
  {
    file: '15-v3.env',
    values: {
      'member.provider': 'noauth',
      'chat.enabled': 'false',
      'capture.screencast.enabled': 'true',
      'capture.microphone.enabled': 'false',
    },
  },
  {
    file: '16-v2.docker-run.sh',
    values: {
      ...image('microsoft-edge'),
      'member.multiuser.user_password': 'a $b',
      'member.multiuser.admin_password': 'x y',
      'webrtc.epr': '59000-59100',
      'webrtc.nat1to1': '127.0.0.1',
    },
  },
  {
    file: '17-v3.serve.sh',
    values: {
      ...common,
      'server.bind': ':8080',
      'desktop.screen': '1280x720@60',
      'session.merciful_reconnect': 'false',
      debug: 'true',
      'webrtc.nat1to1': '192.0.2.1,192.0.2.2',
    },
  },
  {
    file: '18-v2-defaults.compose.yaml',
    values: {
      'server.bind': ':8080',
      'desktop.app': 'chromium',
      'member.multiuser.user_password': 'u',
      'member.multiuser.admin_password': 'a$b',
      'capture.video.codec': 'vp9',
      'server.cert': '/certs/c.pem',
      'log.dir': '/var/log/neko',
    },
    lost: ['m1k1o/neko:tor-browser'],
  },
  {
    file: '19-lost.compose.yaml',
    values: { ...image('chromium'), 'member.multiuser.user_password': 'u' },
    lost: [
      'NEKO_PASSWORD_ADMIN',
      'NEKO_NAT1TO1',
      'NEKO_SCREEEN',
      'NEKO_HOLIDAY',
      '/etc/neko/neko.yaml',
      'NEKO_MEMBER_MULTIUSER_ADMIN_PASSWORD',
    ],
  },
]

function migrate(files: readonly string[], to: 'yaml' | 'env'): Migration {
  return migrateConfig({ files: files.map((path) => ({ path, text: readFileSync(join(folder, path), 'utf8') })), to })
}

const read = (config: Config, path: string): string => textValue(path, valueAt(config, path))

test('[CFG-100] every sample has its case', () => {
  expect([...cases.map(({ file }) => file), '20-two-rooms.compose.yaml']).toEqual(readdirSync(folder).toSorted())
})

test.each(cases)('[CFG-101] $file', ({ file, values, lost = [] }) => {
  const { documents, exitCode } = migrate([file], 'yaml')
  const [document] = documents
  const { config, notices, changes } = load({ yaml: document?.text ?? '' })
  expect(Object.fromEntries(Object.keys(values).map((path) => [path, read(config, path)]))).toEqual(values)
  expect([notices.filter((notice) => notice.includes('V2')), changes]).toEqual([[], []])
  const cries = document?.lines.filter((line) => line.startsWith('!')) ?? []
  expect(lost.filter((name) => !cries.some((line) => line.includes(name)))).toEqual([])
  expect([exitCode, cries.length]).toEqual([lost.length === 0 ? 0 : 2, lost.length])
})

test.each(cases.filter(({ file }) => !file.startsWith('04')))('[CFG-102] $file as variables means the same as YAML', ({ file }) => {
  const yaml = load({ yaml: migrate([file], 'yaml').documents[0]?.text ?? '' }).config
  const env = load({ env: Object.fromEntries(readEnvFile(migrate([file], 'env').documents[0]?.text ?? '')) }).config
  expect(env).toEqual(yaml)
})

test('[CFG-103] a pipeline keeps its text, and its line breaks only fit into YAML', () => {
  const yaml = migrate(['04-v3-nvidia.compose.yaml'], 'yaml').documents[0]?.text ?? ''
  expect(load({ yaml }).config.capture.video.pipeline.startsWith(`${pipeline04}\n  ! video`)).toBe(true)
  const { documents, exitCode } = migrate(['04-v3-nvidia.compose.yaml'], 'env')
  expect([exitCode, documents[0]?.lines.some((line) => line.startsWith('! capture.video.pipeline: a line break'))]).toEqual([2, true])
})

test('[CFG-104] every service of a compose file becomes a configuration of its own', () => {
  const { documents, exitCode } = migrate(['20-two-rooms.compose.yaml'], 'env')
  expect(exitCode).toBe(0)
  expect(documents.map(({ title }) => title)).toEqual(['20-two-rooms.compose.yaml: service one', '20-two-rooms.compose.yaml: service two'])
  expect(documents[1]?.text).toBe(
    'NEKO_SERVER_BIND=:8080\nNEKO_SERVER_STATIC=/www\nNEKO_MEMBER_MULTIUSER_USER_PASSWORD=u2\nNEKO_MEMBER_MULTIUSER_ADMIN_PASSWORD=a2\nNEKO_DESKTOP_APP=startplasma-x11\nNEKO_WEBRTC_EPR=52101-52200\n',
  )
})

test('[CFG-105] files together are one configuration: variables over the file', () => {
  const { documents } = migrate(['11-v3-file-members.yaml', '15-v3.env'], 'yaml')
  expect(documents).toHaveLength(1)
  expect(documents[0]?.text).toContain('provider: noauth')
  expect(documents[0]?.text).toContain('api_token: t0ken')
})

test('[CFG-105] env_file, --env-file and .env are read where they are', () => {
  const readFile = (path: string): string | undefined =>
    ({ 'd/a.env': 'NEKO_SCREEN=800x600@25\n', 'd/.env': 'PW=u\n', 'b.env': 'NEKO_PASSWORD=v\n' })[path]
  const compose =
    'services: { neko: { image: "m1k1o/neko", env_file: [a.env, { path: gone.env }], environment: [NEKO_PASSWORD=$PW, NEKO_PASSWORD_ADMIN=x] } }'
  const [document] = migrateConfig({ files: [{ path: 'd/compose.yaml', text: compose }], to: 'env', readFile }).documents
  expect(document?.text).toContain('NEKO_DESKTOP_SCREEN=800x600@25\n')
  expect(document?.text).toContain('USER_PASSWORD=u\n')
  expect(document?.lines).toContain('! env_file gone.env can not be read: give it to migrate-config as well')
  const run = 'docker run --env-file b.env --env-file=c.env -e NEKO_PASSWORD_ADMIN=x -e NEKO_KEY m1k1o/neko:brave --proxy'
  const [other] = migrateConfig({ files: [{ path: 'run.sh', text: run }], to: 'env', readFile }).documents
  expect(other?.text).toContain('USER_PASSWORD=v\n')
  expect(other?.text).toContain('NEKO_SERVER_PROXY=true\n')
  expect(other?.lines.filter((line) => line.startsWith('!'))).toEqual([
    '! --env-file c.env can not be read: give it to migrate-config as well',
    '! NEKO_KEY: its value comes from the shell, which is not known here: set it by hand',
  ])
})

test('[CFG-106] what holds nothing of neko, or is no YAML, says so and exits with 2', () => {
  const lines = (text: string): readonly string[] | undefined => {
    const { documents, exitCode } = migrateConfig({ files: [{ path: 'x', text }], to: 'yaml' })
    expect(exitCode).toBe(2)
    return documents[0]?.lines
  }
  expect(lines('services: { db: { image: postgres } }')).toEqual(['! nothing of neko was found in it'])
  expect(lines('a: [')?.[0]).toMatch(/^! x:1:\d+: is not valid YAML/)
  expect(lines('server: { bind: x }')).toEqual([
    '! x:1:17: server.bind is not an address (given: x): Write an address such as 127.0.0.1:8080, :8080, [::1]:8080 or unix:/run/neko.sock.',
  ])
})

test('[CFG-107] the loader reads real files by itself', () => {
  const { config, problems } = loadConfig({ argv: ['--config', '10-v3-pipelines.yaml'], env: {}, cwd: folder })
  expect([problems, config.member.object.users[0]?.password, config.capture.video.ids]).toEqual([[], '0123', ['hq', 'lq']])
  expect(config.capture.video.pipelines['hq']?.gst_params).toEqual({
    'target-bitrate': 'round(3072 * 650)',
    'cpu-used': '4',
    'end-usage': 'cbr',
    'buffer-size': '(3072 * 4)',
  })
  const missing = loadConfig({ argv: ['--config', 'gone.yaml'], env: {}, cwd: folder }).problems
  expect(missing[0]?.reason).toContain('does not exist')
  expect(loadConfig({ argv: ['--config', folder], env: {}, cwd: '/' }).problems[0]?.reason).toContain('is a directory')
})
