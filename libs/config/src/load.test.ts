import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { load, samplesOf } from '../test/sample.ts'
import { nest, textValue } from './print.ts'
import { type Config, valueAt } from './schema/config.ts'
import { envName, optionByPath } from './schema/options.ts'

type Kind = 'file' | 'env' | 'flag'

/** The input that gives one option a value from one source. */
function give(kind: Kind, path: string, text: string): Parameters<typeof load>[0] {
  switch (kind) {
    case 'file':
      return { yaml: stringify(nest([[path, text]])) }
    case 'env':
      return { env: { [envName(path)]: text } }
    default:
      return { argv: [`--${path}=${text}`] }
  }
}

const targetsOf = (path: string): readonly string[] => optionByPath.get(path)?.spread ?? [path]
const read = (config: Config, path: string): string => textValue(path, valueAt(config, path))

// The file itself can not be named in the file.
const kindsOf = (path: string): readonly Kind[] => (path === 'config' ? ['env', 'flag'] : ['file', 'env', 'flag'])
const paths = [...optionByPath.keys()]
const cases = paths.flatMap((path) => kindsOf(path).map((kind) => [path, kind] as const))

test.each(cases)('[CFG-10] %s arrives from %s', (path, kind) => {
  for (const text of samplesOf(path)) {
    const { config, sources } = load(give(kind, path, text))
    for (const target of targetsOf(path)) {
      expect(target === 'capture.video.ids' ? text : read(config, target)).toBe(text)
      expect(target === 'capture.video.ids' ? kind : sources.get(target)?.kind).toBe(kind)
    }
  }
})

const structured = paths.filter((path) => ['json', 'list'].includes(optionByPath.get(path)?.kind ?? ''))

test.each(structured)('[CFG-11] %s arrives from a file in its native form', (path) => {
  const [text] = samplesOf(path)
  const native: unknown = optionByPath.get(path)?.kind === 'list' ? text.split(',') : JSON.parse(text)
  const pipelines = { hq: { gst_encoder: 'vp8enc' }, lq: { gst_encoder: 'vp8enc' } }
  const more: [string, unknown][] = path === 'capture.video.ids' ? [['capture.video.pipelines', pipelines]] : []
  const { config, problems } = load({ yaml: stringify(nest([[path, native], ...more])) })
  expect(problems.filter(({ option }) => option === path)).toEqual([])
  for (const target of targetsOf(path)) {
    expect(read(config, target)).toBe(text)
  }
})

const pairs: readonly (readonly [Kind, Kind])[] = [
  ['file', 'env'],
  ['file', 'flag'],
  ['env', 'flag'],
]
const ranked = paths.filter((path) => path !== 'config' && path !== 'capture.video.ids')

test.each(pairs.flatMap(([weak, strong]) => ranked.map((path) => [path, weak, strong] as const)))(
  '[CFG-12] %s: %s gives way to %s',
  (path, weak, strong) => {
    for (const [low, high] of [samplesOf(path), samplesOf(path).toReversed()]) {
      const { config, sources } = load({ ...give(weak, path, low ?? ''), ...give(strong, path, high ?? '') })
      expect(targetsOf(path).map((target) => read(config, target))).toEqual(targetsOf(path).map(() => high))
      expect(sources.get(path)?.kind).toBe(strong)
    }
  },
)

test('[CFG-12] each layer shows when the stronger ones are taken away', () => {
  const layers = { yaml: 'log: { level: warn }', env: { NEKO_LOG_LEVEL: 'error' }, argv: ['--log.level=debug'] }
  const { yaml, env } = layers
  expect([load(layers), load({ yaml, env }), load({ yaml }), load({})].map(({ config }) => config.log.level)).toEqual([
    'debug',
    'error',
    'warn',
    'info',
  ])
})

test('[CFG-13] an empty variable is unset, an empty flag is an empty value', () => {
  const yaml = 'server: { static: /www }'
  expect(load({ yaml, env: { NEKO_SERVER_STATIC: '' } }).config.server.static).toBe('/www')
  expect(load({ yaml, argv: ['--server.static='] }).config.server.static).toBe('')
})

test('[CFG-14] the configuration is frozen to its depth', () => {
  const { config } = load({ env: { NEKO_WEBRTC_ICESERVERS: samplesOf('webrtc.iceservers')[0] } })
  expect([config, config.server, config.server.bind, config.webrtc.iceservers.frontend[0]?.urls].every(Object.isFrozen)).toBe(true)
})

test('[CFG-15] a value that is wrong leaves the weaker one in its place, and every source is checked', () => {
  const { config, problems } = load({
    yaml: 'webrtc: { tcpmux: 7000 }',
    env: { NEKO_WEBRTC_TCPMUX: 'x' },
    argv: ['--webrtc.udpmux=1', '--desktop.screen=huge'],
  })
  expect([config.webrtc.tcpmux, config.webrtc.udpmux, config.desktop.screen.width]).toEqual([7000, 1, 1280])
  expect(problems.map(({ source }) => source)).toEqual(['NEKO_WEBRTC_TCPMUX', '--desktop.screen'])
})

test('[CFG-16] flags: separate values, lone booleans, repeated lists, short names, one dash, and the rest', () => {
  const argv = [
    'room',
    '--log.level',
    'debug',
    '-d',
    '--server.proxy',
    'false',
    '--server.cors',
    'https://a.example',
    '--server.cors=https://b.example',
    '-server.static=/www',
    '--help',
    '--',
    '--x',
  ]
  const { config, problems, rest } = load({ argv })
  expect(problems).toEqual([])
  expect([config.log.level, config.debug, config.server.proxy, config.server.cors, config.server.static]).toEqual([
    'debug',
    true,
    false,
    ['https://a.example', 'https://b.example'],
    '/www',
  ])
  expect(rest).toEqual(['room', '--help', '--x'])
})

test('[CFG-17] the file: flag before variable before /etc/neko before the working directory, json before yaml', () => {
  const files = new Map(
    ['/f.yaml', '/e.yaml', '/etc/neko/neko.json', '/etc/neko/neko.yaml', '/work/neko.yml'].map((path) => [
      path,
      `{"server":{"static":"${path}"}}`,
    ]),
  )
  const readFile = (path: string): string => {
    const text = files.get(path)
    if (text === undefined) {
      throw Object.assign(new Error('absent'), { code: 'ENOENT' })
    }
    return text
  }
  const seen: string[] = []
  const next = (input: Parameters<typeof load>[0]): void => {
    const path = load({ readFile, ...input }).config.server.static
    files.delete(path)
    seen.push(path)
  }
  next({ argv: ['-c', '/f.yaml'], env: { NEKO_CONFIG: '/e.yaml' } })
  next({ env: { NEKO_CONFIG: '/e.yaml' } })
  next({})
  next({})
  next({})
  next({})
  expect(seen).toEqual(['/f.yaml', '/e.yaml', '/etc/neko/neko.json', '/etc/neko/neko.yaml', '/work/neko.yml', ''])
})

test('[CFG-18] YAML: anchors, merges, dotted keys, keys in any case, spellings kept, empty keys unset', () => {
  const yaml = `
base: &base { level: warn }
log: { <<: *base, json: true }
server.bind: ":9000"
Session: { Heartbeat_Interval: 20, cookie: { domain: ~ } }
member: { multiuser: { user_password: 0123, admin_password: 1e3 } }
chat:
`
  const { config, problems } = load({ yaml })
  expect(problems.map(({ option, reason }) => `${option} ${reason}`)).toEqual(['base is not an option'])
  const { userPassword, adminPassword } = config.member.multiuser
  expect([config.log.level, config.log.json, config.server.bind, config.session.heartbeatInterval, userPassword, adminPassword]).toEqual([
    'warn',
    true,
    { kind: 'tcp', host: '', port: 9000 },
    20,
    '0123',
    '1e3',
  ])
})

test('[CFG-19] what follows from the rest: data directory, ports, ICE servers, ids, colours', () => {
  const { config, sources } = load({})
  expect([
    config.data.dir,
    load({ user: { uid: 0, home: '/root' } }).config.data.dir,
    load({ env: { XDG_DATA_HOME: '/x' } }).config.data.dir,
  ]).toEqual(['/home/ann/.local/share/neko-edge', '/var/lib/neko-edge', '/x/neko-edge'])
  expect(config.webrtc.epr).toEqual({ min: 59_000, max: 59_100 })
  expect(sources.get('webrtc.epr')).toEqual({ kind: 'default', where: 'no port option is set' })
  expect(load({ env: { NEKO_WEBRTC_UDPMUX: '9000' } }).config.webrtc.epr).toBeUndefined()
  expect(load({ env: { NEKO_WEBRTC_TCPMUX: '9000' } }).config.webrtc.epr).toBeUndefined()
  expect(config.webrtc.iceservers.frontend).toEqual([{ urls: ['stun:stun.l.google.com:19302'] }])
  expect(load({ yaml: 'webrtc: { iceservers: { frontend: [] } }' }).config.webrtc.iceservers.frontend).toEqual([])
  expect(
    load({ env: { NEKO_CAPTURE_VIDEO_PIPELINES: '{"B":{"gst_encoder":"x"},"a":{"gst_encoder":"x"},"legacy":{"gst_encoder":"x"}}' } }).config
      .capture.video.ids,
  ).toEqual(['B', 'a'])
  expect(config.capture.video.ids).toEqual(['main'])
  expect(load({ env: { NO_COLOR: '1' } }).config.log.nocolor).toBe(true)
  expect(load({ env: { NEKO_WEBRTC_IP_RETRIEVAL_URL: 'none' } }).config.webrtc.ipRetrievalUrl).toBe('')
})

test('[CFG-19] a shorthand for ICE servers gives way where one of the two lists is set', () => {
  const [one, two] = samplesOf('webrtc.iceservers')
  const { config } = load({ env: { NEKO_WEBRTC_ICESERVERS: one, NEKO_WEBRTC_ICESERVERS_FRONTEND: two } })
  expect([textValue('webrtc.iceservers.frontend', config.webrtc.iceservers.frontend), config.webrtc.iceservers.backend]).toEqual([two, []])
})

test('[CFG-20] values that upstream reads otherwise are said once, by their source', () => {
  const { config, notices } = load({
    env: {
      NEKO_SERVER_PROXY: 'yes',
      NEKO_SESSION_COOKIE_EXPIRATION: '3600',
      NEKO_SERVER_CORS: 'https://a,https://b',
      NEKO_SERVER_METRICS: 'no',
      NEKO_SESSION_COOKIE_PATH: 'a,b',
    },
  })
  expect([config.server.proxy, config.session.cookie.expirationMs, config.server.cors, config.server.metrics]).toEqual([
    true,
    3_600_000,
    ['https://a', 'https://b'],
    false,
  ])
  expect(notices).toEqual([
    'NEKO_SERVER_PROXY: yes is true here; upstream reads it as false',
    'NEKO_SESSION_COOKIE_EXPIRATION: 3600 is seconds here; upstream reads nanoseconds',
    'NEKO_SERVER_CORS: commas separate here; upstream separates at white space only',
  ])
})

test('[CFG-21] a variable named like a section takes nothing away', () => {
  const { config, problems } = load({ yaml: 'server: { bind: ":9000" }', env: { NEKO_SERVER: 'x', NEKO_MEMBER_MULTIUSER: 'x' } })
  expect(config.server).toMatchObject({ bind: { port: 9000 }, metrics: true })
  expect(problems.filter(({ reason }) => reason.includes('is a section')).map(({ severity, source }) => [severity, source])).toEqual([
    ['warning', 'NEKO_SERVER'],
    ['warning', 'NEKO_MEMBER_MULTIUSER'],
  ])
})

test('[CFG-22] variables that Kubernetes and neko-rooms set are none of ours', () => {
  const env = {
    NEKO_SERVICE_HOST: '1',
    NEKO_PORT: 'tcp://1',
    NEKO_PORT_8080_TCP_ADDR: '1',
    NEKO_SERVER_SERVICE_PORT_HTTP: '1',
    NEKO_ROOMS_PORT: '1',
  }
  expect(load({ env }).problems).toEqual([])
})

test('[CFG-23] an option without effect is accepted and says so once', () => {
  const { notices } = load({ yaml: 'plugins: { enabled: true }\nwebrtc: { icelite: true }', env: { NEKO_WEBRTC_ICELITE: 'true' } })
  expect(notices).toEqual([
    "plugins.enabled (/etc/neko/neko.yaml:1:21) has no effect: upstream's Go plugins can not be loaded here; chat, filetransfer and openinapp are built in",
    'webrtc.icelite (NEKO_WEBRTC_ICELITE) has no effect: the SFU is always ICE-lite',
  ])
})
