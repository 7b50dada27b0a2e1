import { chmod, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Config, effects, optionByPath, referenceMarkdown } from '@neko-edge/config'
import { silentLog, systemClock } from '@neko-edge/kit'
import { freeUdpPort, TempRedis } from '@neko-edge/testing'
import { describe, expect, it } from 'vitest'
import { startCaptureNode } from '../../apps/capture-node/src/main.ts'
import { captureChild, captureOptions, displayNumber, sfuOptions } from '../../apps/capture-node/src/room/room-config.ts'
import { openControlPlane } from '../../apps/control-plane/src/control-plane.ts'
import { files } from '../../apps/control-plane/src/runtime/files.ts'
import { features, httpOptions, roomDefaults } from '../../apps/control-plane/src/settings.ts'
import { configOf } from '../../apps/control-plane/test/session/planes.fixture.ts'
import { workerBinary } from '../../infra/worker/locate.ts'
import { load, samplesOf } from '../../libs/config/test/sample.ts'

const root = new URL('../../', import.meta.url)
const paths = [...optionByPath.keys()]
const acting = [...optionByPath].filter(([, { inert }]) => inert === undefined).map(([path]) => path)
/** A shorthand has no value of its own. */
const withValue = acting.filter((path) => optionByPath.get(path)?.spread === undefined)

describe('every option acts, or says why not', () => {
  it('[OPT-1] each has an effect and its tests, or is inert with the reason; never both', () => {
    expect(Object.keys(effects).toSorted()).toEqual(acting.toSorted())
    expect(Object.entries(effects).filter(([, { effect, tests }]) => effect === '' || tests.length === 0)).toEqual([])
  })

  it('[OPT-1] the tests that are named exist', async () => {
    const titles = new Set<string>()
    for (const folder of ['apps', 'libs', 'test', 'infra']) {
      const all = await readdir(new URL(folder, root), { recursive: true })
      for (const name of all.filter((path) => path.endsWith('.test.ts') && !path.includes('node_modules'))) {
        const text = await readFile(new URL(`${folder}/${name}`, root), 'utf8')
        for (const [, id = ''] of text.matchAll(/\[([A-Z0-9]+-\d+)\]/g)) {
          titles.add(id)
        }
      }
    }
    const missing = Object.entries(effects).flatMap(([path, { tests }]) =>
      tests.filter((id) => !titles.has(id)).map((id) => `${path}: ${id}`),
    )
    expect(missing).toEqual([])
  })

  it('[OPT-3] the reference shows effect and tests of every option', () => {
    const rows = referenceMarkdown().split('\n')
    const effectOf = (path: string) =>
      rows
        .find((row) => row.startsWith(`| \`${path}\` |`))
        ?.replaceAll('\\|', '')
        .split(' | ')
        .at(-1) ?? ''
    expect(paths.filter((path) => !/^(none: )?.+ \([A-Z0-9]+-\d+.*\) \|$/.test(effectOf(path)))).toEqual([])
  })
})

/** All that processes make of a configuration before they open anything, with functions asked for an answer. */
function told(config: Config): string {
  const all = {
    roomDefaults: roomDefaults(config),
    features: features(config),
    httpOptions: httpOptions(config, '/own'),
    capture: captureOptions(config),
    sfu: sfuOptions(config),
    display: displayNumber(config.desktop.display),
    captured: captureChild(config, { captureChild: { env: {} }, displayNumber: 1 }),
  }
  return JSON.stringify(all, (_, value: unknown) =>
    typeof value === 'function'
      ? ['unix', '10.1.2.3', '192.0.2.7', 'fd00::1'].map((address) => (value as (address: string) => unknown)(address))
      : value,
  )
}

/** Options that are used where something is opened, and nowhere before: OPT-2 sees them there. */
const elsewhere = [
  ...['config', 'debug', 'log.level', 'log.time', 'log.json', 'log.nocolor', 'log.dir', 'redis.url', 'data.dir', 'sfu.worker'],
  ...['server.bind', 'server.cert', 'server.key'],
  ...['server.login_limit.per_address', 'server.login_limit.per_account', 'server.login_limit.window', 'session.file'],
  ...withValue.filter((path) => path.startsWith('member.')),
  ...[
    'desktop.input.enabled',
    'desktop.input.socket',
    'desktop.unminimize',
    'desktop.app',
    'desktop.app_url',
    'desktop.app_network',
    'desktop.app_network_deny',
    'desktop.uncaged',
    'desktop.uid_base',
  ],
  ...withValue.filter((path) => /^(rooms|webhook)\.|^node\./.test(path)),
  ...['webrtc.nat1to1', 'webrtc.ip_retrieval_url', 'webrtc.setup', 'filetransfer.refresh_interval'],
]
/** What has to be on for an option to count. */
const needs: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'server.proxy_trusted': { NEKO_SERVER_PROXY: 'true' },
  'webrtc.estimator.passive': { NEKO_WEBRTC_ESTIMATOR_ENABLED: 'true' },
  'webrtc.estimator.debug': { NEKO_WEBRTC_ESTIMATOR_ENABLED: 'true' },
  'webrtc.estimator.initial_bitrate': { NEKO_WEBRTC_ESTIMATOR_ENABLED: 'true' },
  'capture.video.ids': { NEKO_CAPTURE_VIDEO_PIPELINES: '{"hq":{"gst_encoder":"vp8enc"},"lq":{"gst_encoder":"vp8enc"}}' },
}

describe('a value arrives where it acts', () => {
  it.each(withValue.filter((path) => !elsewhere.includes(path)))('[OPT-35] %s', (path) => {
    const outcomes = samplesOf(path).map((text) => {
      const { config } = load({ env: { ...needs[path], [`NEKO_${path.toUpperCase().replaceAll('.', '_')}`]: text } })
      return told(config)
    })
    expect(outcomes[0]).not.toBe(outcomes[1])
  })
})

/** A configuration that notes which of its options are looked at. */
function watched(config: Config, seen: Set<string>): Config {
  const snake = (key: string) => key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  const nameOf = (prefix: string, key: string) => {
    const path = `${prefix}${snake(key)}`
    return optionByPath.has(path) || !path.endsWith('_ms') ? path : path.slice(0, -3)
  }
  const watch = (value: object, prefix: string): object => {
    const copy = {}
    for (const [key, inner] of Object.entries(value)) {
      const path = nameOf(prefix, key)
      const isOption = optionByPath.has(path) && optionByPath.get(path)?.spread === undefined
      const shown: unknown = isOption ? inner : watch(inner as object, `${path}.`)
      Object.defineProperty(copy, key, {
        enumerable: true,
        get: () => {
          isOption && seen.add(path)
          return shown
        },
      })
    }
    return copy
  }
  // It has the same properties; only reading them is noticed.
  return watch(config, '') as Config
}

describe('no option is dead', () => {
  it('[OPT-2] whatever acts is read by a process, once everything that can be switched on is on', async () => {
    await using owned = new AsyncDisposableStack()
    const folder = await mkdtemp(join(tmpdir(), 'neko-read-'))
    owned.defer(() => rm(folder, { recursive: true, force: true }))
    await chmod(folder, 0o755)
    const redis = owned.use(await TempRedis.open())
    const seen = new Set<string>()
    const base = {
      FILETRANSFER_ENABLED: 'true',
      FILETRANSFER_DIR: join(folder, 'files'),
      OPENINAPP_ENABLED: 'true',
      DESKTOP_APP: 'sleep infinity',
      WEBRTC_UDPMUX: String(await freeUdpPort()),
      WEBRTC_NAT1TO1: '127.0.0.1',
      WEBRTC_ESTIMATOR_ENABLED: 'true',
      SESSION_COOKIE_ENABLED: 'true',
      SESSION_FILE: join(folder, 'sessions.json'),
      SERVER_PROXY: 'true',
      SERVER_STATIC: folder,
      MEMBER_FILE_PATH: join(folder, 'members.json'),
    }
    const runtime = { ...files, peerAddress: () => '127.0.0.1', upgrade: () => async () => undefined }
    for (const provider of ['multiuser', 'object', 'redis', 'file']) {
      const config = watched(configOf({ ...base, MEMBER_PROVIDER: provider }), seen)
      await using plane = await openControlPlane({
        config,
        redisUrl: redis.url,
        client: folder,
        runtime,
        clock: systemClock,
        log: silentLog,
      })
      const body = JSON.stringify({ username: 'ann', password: 'admin' })
      await plane.fetch(new Request('http://neko/api/login', { method: 'POST', body }))
    }
    const dataFolder = join(tmpdir(), 'neko-http-data')
    await mkdir(dataFolder, { recursive: true })
    const common = { redisUrl: redis.url, runFolder: join(folder, 'run'), dataFolder, workerBin: workerBinary() ?? '', log: silentLog }
    owned.use(await startCaptureNode({ config: watched(configOf(base), seen), ...common }))
    const byCli = ['config', 'debug', 'log.level', 'log.time', 'log.json', 'log.nocolor', 'log.dir', 'redis.url', 'data.dir', 'sfu.worker']
    const byListening = ['server.bind', 'server.cert', 'server.key']
    // Read when a viewer sends: OPT-35 and OPT-37 see them.
    const byViewers = withValue.filter((path) => /^capture\.(webcam|microphone)\./.test(path))
    // Of rooms that the rooms API makes, and of what is told about them: FLEET-1650 and FLEET-1660 see them.
    const byRooms = withValue.filter((path) => /^(rooms\.timeout|webhook)\./.test(path))
    expect(withValue.filter((path) => !seen.has(path) && ![...byCli, ...byListening, ...byViewers, ...byRooms].includes(path))).toEqual([])
  }, 60_000)
})
