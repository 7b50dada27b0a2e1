import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { until } from '@neko-edge/kit'
import { freeTcpPort, freeUdpPort, processTree, TempRedis } from '@neko-edge/testing'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { cachedWorker, workerBinary } from '../../infra/worker/locate.ts'

const main = fileURLToPath(new URL('../../apps/neko/src/main.ts', import.meta.url))
let folder: string
let redis: TempRedis
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'neko-options-'))
  redis = await TempRedis.open()
})
afterAll(async () => {
  await redis[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

async function environment(env: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const { PATH = '', HOME = '/root', MEDIASOUP_WORKER_BIN, NODE_COMPILE_CACHE } = process.env
  return {
    PATH,
    HOME,
    ...(MEDIASOUP_WORKER_BIN && { MEDIASOUP_WORKER_BIN }),
    ...(NODE_COMPILE_CACHE && { NODE_COMPILE_CACHE }),
    NEKO_DATA_DIR: join(folder, 'data'),
    NEKO_REDIS_URL: `unix://${redis.path}`,
    NEKO_SERVER_BIND: `127.0.0.1:${await freeTcpPort()}`,
    NEKO_WEBRTC_UDPMUX: String(await freeUdpPort()),
    NEKO_DESKTOP_APP: 'sleep infinity',
    ...env,
  }
}

/** A command of the CLI and what it says, on both outputs together. */
async function start(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [main, ...args], { env: await environment(env), stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
  }
  // All that it said has been read when both outputs are closed.
  const ended = once(child, 'close')
  return {
    said: () => text,
    pid: child.pid ?? 0,
    async says(words: string | RegExp): Promise<void> {
      await until(() => (typeof words === 'string' ? text.includes(words) : words.test(text)), { ms: 30_000, what: `${words} in: ${text}` })
    },
    async end(): Promise<number | null> {
      await ended
      return child.exitCode
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM')
      }
      await ended
    },
  }
}

describe('the log', () => {
  /** The lines of a control plane from its start to its stop. */
  async function lines(env: Readonly<Record<string, string>>): Promise<string[]> {
    const plane = await start(['control-plane'], env)
    const address = new URL(`http://${env['NEKO_SERVER_BIND']}/health`)
    const isUp = () =>
      fetch(address).then(
        ({ ok }) => ok,
        () => false,
      )
    await until(isUp, { ms: 30_000, what: 'the control plane' })
    // Without a capture node some of its numbers are missing, which is a line of level debug.
    await fetch(new URL('/metrics', address))
    await plane[Symbol.asyncDispose]()
    return plane
      .said()
      .split('\n')
      .filter((line) => line !== '')
  }
  const bind = async () => ({ NEKO_SERVER_BIND: `127.0.0.1:${await freeTcpPort()}` })

  it('[OPT-40] log.level, debug, log.json and log.time: no line below the level, each an object with its time in that unit', async () => {
    const seen = async (env: Record<string, string>) => {
      const said = await lines({ ...(await bind()), NEKO_LOG_JSON: 'true', ...env })
      const objects = said.map((line) => JSON.parse(line) as { level: string; time: number })
      return { levels: new Set(objects.map(({ level }) => level)), digits: new Set(objects.map(({ time }) => String(time).length)) }
    }
    const [info, debug, flagged, warn, none] = await Promise.all([
      seen({}),
      seen({ NEKO_LOG_LEVEL: 'trace', NEKO_LOG_TIME: 'unixms' }),
      seen({ NEKO_DEBUG: 'true', NEKO_LOG_LEVEL: 'error', NEKO_LOG_TIME: 'unixmicro' }),
      seen({ NEKO_LOG_LEVEL: 'warn' }),
      seen({ NEKO_LOG_LEVEL: 'disabled', NEKO_WEBRTC_ICELITE: 'true' }),
    ])
    expect([info, debug, flagged].map(({ levels }) => levels.has('debug'))).toEqual([false, true, true])
    expect([info.levels.has('info'), warn.levels.has('info'), none.levels.size]).toEqual([true, false, 0])
    expect([info, debug, flagged].map(({ digits }) => [...digits])).toEqual([[10], [13], [16]])
  })

  it('[OPT-40] log.dir: lines go to a file there, and the last run keeps its own', async () => {
    const logs = join(folder, 'logs')
    for (let run = 0; run < 2; run++) {
      expect(await lines({ ...(await bind()), NEKO_LOG_DIR: logs })).toEqual([])
    }
    const files = (await readdir(logs)).toSorted()
    expect(files).toEqual([expect.stringMatching(/^neko-\d{4}-.+\.log$/), 'neko-latest.log'])
    for (const file of files) {
      expect(await readFile(join(logs, file), 'utf8')).toContain('control plane listens')
    }
  })

  it('[OPT-41] log.nocolor and NO_COLOR: colours on a terminal, unless one says no', async () => {
    const onTerminal = async (env: Readonly<Record<string, string>>) => {
      // An inert option gives a line at once; a Redis that is not there ends the process.
      const inert = { NEKO_WEBRTC_ICELITE: 'true', NEKO_REDIS_URL: `unix://${folder}/none` }
      const command = `${process.execPath} ${main} control-plane`
      const child = spawn('script', ['-qefc', command, '/dev/null'], {
        env: await environment({ ...inert, ...env }),
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      let text = ''
      child.stdout.on('data', (chunk: Buffer) => {
        text += chunk.toString()
      })
      await once(child, 'close')
      expect(text).toContain('webrtc.icelite')
      return text.includes('\u001b[')
    }
    expect(await Promise.all([onTerminal({}), onTerminal({ NEKO_LOG_NOCOLOR: 'true' }), onTerminal({ NO_COLOR: '1' })])).toEqual([
      true,
      false,
      false,
    ])
  })
})

describe('bad input ends the start with one clear text for each', () => {
  it.each([
    ['a file that is not there', { NEKO_CONFIG: '/nowhere/neko.yaml' }, /\/nowhere\/neko\.yaml/],
    ['a file that is no file', { NEKO_CONFIG: '/' }, /NEKO_CONFIG/],
    ['a port out of range', { NEKO_WEBRTC_UDPMUX: '70000' }, /NEKO_WEBRTC_UDPMUX.*out of range/s],
    ['an address with a port out of range', { NEKO_SERVER_BIND: '127.0.0.1:99999' }, /NEKO_SERVER_BIND/],
    ['an inverted range of ports', { NEKO_WEBRTC_UDPMUX: '0', NEKO_WEBRTC_EPR: '60000-59000' }, /NEKO_WEBRTC_EPR/],
    ['an unknown codec', { NEKO_CAPTURE_VIDEO_CODEC: 'mpeg2' }, /NEKO_CAPTURE_VIDEO_CODEC.*vp8, vp9/s],
    ['a certificate without its key', { NEKO_SERVER_CERT: '/etc/ssl/cert.pem' }, /server\.key|NEKO_SERVER_KEY/],
    ['a key without its certificate', { NEKO_SERVER_KEY: '/etc/ssl/key.pem' }, /server\.cert|NEKO_SERVER_CERT/],
    ['a page that is not there', { NEKO_SERVER_STATIC: '/nowhere/www' }, /server\.static: \/nowhere\/www is not a directory/],
    [
      'a certificate that can not be read',
      { NEKO_SERVER_CERT: '/nowhere/c', NEKO_SERVER_KEY: '/nowhere/k' },
      /server\.cert: \/nowhere\/c can not be read/,
    ],
  ])('[OPT-42] %s', async (_, env, words) => {
    await using plane = await start(['control-plane'], env)
    expect(await plane.end()).toBe(1)
    expect(plane.said()).toMatch(words)
    // A clear text is no stack.
    expect(plane.said()).not.toMatch(/^\s+at /m)
  })

  it('[OPT-42] YAML that is none: line and column', async () => {
    const file = join(folder, 'broken.yaml')
    await writeFile(file, 'server:\n  bind: ":8080"\n  cors: [a, b\nlog:\n')
    await using plane = await start(['control-plane', '--config', file])
    expect(await plane.end()).toBe(1)
    expect(plane.said()).toMatch(/broken\.yaml:\d+:\d+/)
  })

  it('[OPT-42] a pipeline that GStreamer can not read: its option and GStreamer’s words, and nothing is left', async () => {
    const pipeline = 'ximagesrc display-name={display} ! videoconvert ! vp9encoder ! appsink name=appsink'
    await using server = await start(['serve'], { NEKO_CAPTURE_VIDEO_PIPELINE: pipeline })
    expect(await server.end()).toBe(1)
    expect(server.said()).toContain('capture.video.pipeline: GStreamer can not read this pipeline: no element "vp9encoder"')
    expect(await processTree(server.pid)).toEqual([])
  })
})

describe('what a node starts with', () => {
  it('[OPT-43] sfu.worker: a path as it is, fast what was built here, and refused where it was not', async () => {
    await using bare = await start(['capture-node'], { NEKO_SFU_WORKER: 'fast', XDG_CACHE_HOME: join(folder, 'bare') })
    expect([await bare.end(), bare.said()]).toEqual([1, expect.stringContaining('there is no fast worker on this machine')])
    await using none = await start(['capture-node'], { NEKO_SFU_WORKER: '/nowhere/worker' })
    expect([await none.end(), none.said()]).toEqual([1, expect.stringContaining('/nowhere/worker does not start')])
    await using named = await start(['capture-node'], { NEKO_SFU_WORKER: workerBinary() ?? '', NEKO_NODE_ROLES: 'relay' })
    await named.says('media worker started')
    await using fast = await start(['capture-node'], { NEKO_SFU_WORKER: 'fast', NEKO_NODE_ROLES: 'relay' })
    await fast.says('media worker started')
    expect(fast.said()).toContain('sfu.worker is fast')
  })

  it('[INF-1101] sfu.worker stock: what was built of it is used, and what can not be built is said', async () => {
    // To build it takes two minutes: here its tools are missing, and then a worker lies where the build would have put it.
    const cache = join(folder, 'stock')
    const environment = { NEKO_SFU_WORKER: 'stock', XDG_CACHE_HOME: cache, NEKO_NODE_ROLES: 'relay' }
    await using broken = await start(['capture-node'], { ...environment, PATH: '/nowhere' })
    expect([await broken.end(), broken.said()]).toEqual([1, expect.stringContaining('flatc can not be started')])
    vi.stubEnv('XDG_CACHE_HOME', cache)
    const place = cachedWorker('stock')
    vi.unstubAllEnvs()
    await mkdir(dirname(place), { recursive: true })
    await symlink(workerBinary() ?? '', place)
    await using node = await start(['capture-node'], environment)
    await node.says('media worker started')
    expect(node.said()).toContain(place)
  })

  it('[OPT-44] data.dir: what a node keeps is there', async () => {
    const kept = join(folder, 'kept')
    await using node = await start(['capture-node'], { NEKO_DATA_DIR: kept, NEKO_NODE_ROLES: 'relay' })
    await node.says('media worker started')
    expect(await readdir(kept)).toEqual(['gstreamer'])
  })
})
