import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { until } from '@neko-edge/kit'
import { freeTcpPort, JsonSocket, ThinViewer } from '@neko-edge/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Site } from './options.fixture.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'neko-options-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const failure = (env: Readonly<Record<string, string>>): Promise<string> =>
  Site.open(env).then(
    () => 'it started',
    (error: unknown) => String(error),
  )

describe('where the server listens', () => {
  /** A request over a unix socket. */
  async function ask(
    socketPath: string,
    { path, ...rest }: { path: string; method?: string; headers?: Record<string, string>; body?: string },
  ) {
    const asked = request({ socketPath, path, ...rest })
    asked.end(rest.body)
    const [response] = (await once(asked, 'response')) as [AsyncIterable<Buffer> & { statusCode: number }]
    let text = ''
    for await (const chunk of response) {
      text += chunk.toString()
    }
    return { status: response.statusCode, text }
  }

  it('[OPT-10] server.bind: a unix socket for owner and group, in place of one that a killed server left', async () => {
    const path = join(folder, 'neko.sock')
    const listen = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
    await once(spawn(process.execPath, ['-e', listen], { stdio: 'ignore' }), 'exit')
    expect((await stat(path)).isSocket()).toBe(true)
    await using site = await Site.open({ SERVER_BIND: `unix:${path}` })
    expect(await ask(path, { path: '/health' })).toEqual({ status: 200, text: 'true' })
    expect((await stat(path)).mode & 0o777).toBe(0o660)
    expect(await failure({ SERVER_BIND: `unix:${path}` })).toContain(`${path} is in use`)
    expect(site.lines.map(({ message }) => message)).toContain('control plane listens')
  })

  it('[OPT-10] server.bind: what is no socket is never removed', async () => {
    const path = join(folder, 'a file')
    await writeFile(path, 'somebody needs this')
    expect(await failure({ SERVER_BIND: `unix:${path}` })).toContain('is there, and no socket')
    expect((await stat(path)).size).toBe(19)
  })

  it('[OPT-13] server.proxy: headers are believed on a unix socket, where nobody but a proxy can be', async () => {
    const path = join(folder, 'proxied.sock')
    await using _ = await Site.open({ SERVER_BIND: `unix:${path}`, SERVER_PROXY: 'true', SERVER_LOGIN_LIMIT_PER_ADDRESS: '1' })
    const login = async (address: string) =>
      (await ask(path, { path: '/api/login', method: 'POST', headers: { 'x-real-ip': address }, body: '{"username":"x","password":"no"}' }))
        .status
    expect([await login('192.0.2.1'), await login('192.0.2.1'), await login('192.0.2.2')]).toEqual([401, 429, 401])
  })
})

describe('TLS', () => {
  const certificate = async (name: string): Promise<{ cert: string; key: string }> => {
    const [cert, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)]
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
    execFileSync('openssl', ['req', '-x509', ...kind, '-keyout', key, '-out', cert, '-subj', `/CN=${name}`], { stdio: 'ignore' })
    return { cert, key }
  }

  /** The common name of the certificate that a new connection is shown. */
  async function shown(port: number): Promise<string> {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    const { CN } = socket.getPeerCertificate().subject
    socket.destroy()
    return String(CN)
  }

  it('[OPT-11] server.cert and server.key: new files are used for new connections, and open ones stay', async () => {
    const used = await certificate('first')
    const next = await certificate('second')
    const port = await freeTcpPort()
    await using site = await Site.open({ SERVER_BIND: `127.0.0.1:${port}`, SERVER_CERT: used.cert, SERVER_KEY: used.key })
    expect(await shown(port)).toBe('first')
    const open = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
    await once(open, 'secureConnect')
    await rename(next.cert, used.cert)
    // A renewal writes one after the other; until they fit the old ones are used, and that is said.
    await until(() => site.lines.some(({ level, message }) => level === 'error' && message.includes('not usable')), {
      ms: 10_000,
      what: 'the complaint',
    })
    expect(await shown(port)).toBe('first')
    await rename(next.key, used.key)
    await until(async () => (await shown(port)) === 'second', { ms: 10_000, what: 'the new certificate' })
    open.write('GET /health HTTP/1.1\r\nhost: x\r\n\r\n')
    const [answer] = (await once(open, 'data')) as [Buffer]
    open.destroy()
    expect(String(answer)).toContain('200 OK')
  })

  it('[OPT-12] server.cert and server.key: a file that is not there, and a key of another certificate, end the start', async () => {
    const [one, other] = [await certificate('one'), await certificate('other')]
    expect(await failure({ SERVER_CERT: '/nowhere/cert.pem', SERVER_KEY: one.key })).toMatch(
      /server\.cert: \/nowhere\/cert\.pem can not be read/,
    )
    expect(await failure({ SERVER_CERT: one.cert, SERVER_KEY: '/nowhere/key.pem' })).toMatch(
      /server\.key: \/nowhere\/key\.pem can not be read/,
    )
    expect(await failure({ SERVER_CERT: one.cert, SERVER_KEY: other.key })).toMatch(/are no certificate and its key: .*mismatch/)
  })
})

describe('behind a proxy', () => {
  const wrong = (site: Site, headers: Record<string, string>, name = 'x') => site.login(name, 'no', headers).then(({ status }) => status)

  it.each([
    ['believed from a trusted range', { SERVER_PROXY: 'true', SERVER_PROXY_TRUSTED: '127.0.0.0/8' }, [401, 429, 401]],
    ['not believed from another one', { SERVER_PROXY: 'true', SERVER_PROXY_TRUSTED: '10.0.0.0/8' }, [401, 429, 429]],
    ['not believed without server.proxy', {}, [401, 429, 429]],
  ] as const)('[OPT-13] server.proxy_trusted: headers are %s', async (_, env, statuses) => {
    await using site = await Site.open({ ...env, SERVER_LOGIN_LIMIT_PER_ADDRESS: '1' })
    const [first, second] = [{ 'x-forwarded-for': '192.0.2.1, 10.0.0.1' }, { 'x-forwarded-for': '192.0.2.2' }]
    expect([await wrong(site, first), await wrong(site, first), await wrong(site, second)]).toEqual(statuses)
  })

  it('[OPT-18] server.login_limit: so many failures of an address, and of a name, until the window is over', async () => {
    await using site = await Site.open({
      SERVER_PROXY: 'true',
      SERVER_LOGIN_LIMIT_PER_ADDRESS: '3',
      SERVER_LOGIN_LIMIT_PER_ACCOUNT: '2',
      SERVER_LOGIN_LIMIT_WINDOW: '1s',
    })
    const from = (host: number) => ({ 'x-real-ip': `192.0.2.${host}` })
    const same = [await wrong(site, from(1), 'ann'), await wrong(site, from(2), 'ann'), await wrong(site, from(3), 'ann')]
    expect(same).toEqual([401, 401, 429])
    const many = [
      await wrong(site, from(9), 'a'),
      await wrong(site, from(9), 'b'),
      await wrong(site, from(9), 'c'),
      await wrong(site, from(9), 'd'),
    ]
    expect(many).toEqual([401, 401, 401, 429])
    await until(async () => (await site.login('ann', 'neko', from(9))).status === 200, { ms: 5_000, what: 'the end of the window' })
  })

  it('[OPT-18] server.login_limit: 0 is no limit', async () => {
    await using site = await Site.open({ SERVER_LOGIN_LIMIT_PER_ADDRESS: '0', SERVER_LOGIN_LIMIT_PER_ACCOUNT: '0' })
    for (let attempt = 0; attempt < 40; attempt++) {
      expect(await wrong(site, {})).toBe(401)
    }
  })
})

describe('what is served', () => {
  const hello = '<!doctype html><p>somebody’s own client</p>'

  it('[OPT-14] server.static: its files are the page; a directory that is not there ends the start', async () => {
    const own = join(folder, 'client')
    await mkdir(own)
    await writeFile(join(own, 'index.html'), hello)
    await writeFile(join(folder, 'secret'), 'not for the web')
    await using site = await Site.open({ SERVER_STATIC: own })
    expect(await (await site.fetch('/')).text()).toBe(hello)
    expect((await site.fetch('/%2e%2e/secret')).status).toBe(404)
    expect(await failure({ SERVER_STATIC: join(folder, 'none') })).toMatch(/server\.static: .*none is not a directory/)
    expect(await failure({ SERVER_STATIC: join(own, 'index.html') })).toMatch(/is not a directory/)
  })

  it('[OPT-15] server.path_prefix: page, API, documentation, metrics and the sockets of V3 and V2 are below it, and nothing else is there', async () => {
    const own = join(folder, 'prefixed')
    await mkdir(own)
    await writeFile(join(own, 'index.html'), hello)
    await using site = await Site.open({ SERVER_PATH_PREFIX: 'deep/down/', SERVER_STATIC: own }, { node: true })
    const paths = ['/', '/health', '/api/login', '/docs', '/metrics', '/stats?pwd=admin', '/readyz']
    const statuses = async (prefix: string) => Promise.all(paths.map(async (path) => (await site.fetch(`${prefix}${path}`)).status))
    expect(await statuses('/deep/down')).toEqual([200, 200, 405, 200, 200, 200, 200])
    expect(await statuses('')).toEqual([404, 404, 404, 404, 404, 404, 404])
    const bare = await site.fetch('/deep/down')
    expect([bare.status, bare.headers.get('location')]).toEqual([301, '/deep/down/'])
    const v3 = await site.socket('neko', '/deep/down')
    expect((await v3.event('system/init')).event).toBe('system/init')
    const v2 = await JsonSocket.open(`${site.url.replace('http', 'ws')}/deep/down/ws?password=neko`, () => undefined)
    expect((await v2.event('signal/provide')).event).toBe('signal/provide')
    await expect(JsonSocket.open(`${site.url.replace('http', 'ws')}/ws?password=neko`, () => undefined)).rejects.toThrow()
    await Promise.all([v3.close(), v2.close()])
  })

  it('[OPT-16] server.pprof: admins get profiles, one at a time; without it there are none', async () => {
    await using site = await Site.open({ SERVER_PPROF: 'true' })
    const [admin, user] = [await site.token(), await site.token('neko', 'uwe')]
    expect((await site.fetch('/debug/pprof/')).status).toBe(401)
    expect((await site.fetch('/debug/pprof/profile?seconds=1', { token: user })).status).toBe(403)
    expect((await site.fetch('/debug/pprof/profile?seconds=0', { token: admin })).status).toBe(400)
    const taking = site.fetch('/debug/pprof/profile?seconds=1', { token: admin })
    await until(async () => (await site.fetch('/debug/pprof/heap?seconds=1', { token: admin })).status === 409, {
      ms: 900,
      what: 'a refusal',
      everyMs: 50,
    })
    const cpu = await taking
    expect(cpu.headers.get('content-disposition')).toContain('.cpuprofile')
    expect(Object.keys((await cpu.json()) as object)).toEqual(expect.arrayContaining(['nodes', 'samples', 'timeDeltas']))
    const heap = await site.fetch('/debug/pprof/heap?seconds=1', { token: admin })
    expect(Object.keys((await heap.json()) as object)).toEqual(expect.arrayContaining(['head', 'samples']))
    await using without = await Site.open()
    expect((await without.fetch('/debug/pprof/', { token: await without.token() })).status).toBe(404)
  })

  it('[OPT-17] server.metrics: /metrics is there, or not', async () => {
    await using site = await Site.open()
    await using without = await Site.open({ SERVER_METRICS: 'false' })
    expect(await (await site.fetch('/metrics')).text()).toContain('neko_edge_http_requests_total')
    expect((await without.fetch('/metrics')).status).toBe(404)
  })

  it('[OPT-23] legacy: V2 is served, or not', async () => {
    await using site = await Site.open()
    await using without = await Site.open({ LEGACY: 'false' })
    const stats = async (of: Site) => (await of.fetch('/stats?pwd=admin')).status
    expect([await stats(site), await stats(without)]).toEqual([200, 404])
    await expect(JsonSocket.open(`${without.url.replace('http', 'ws')}/ws?password=neko`, () => undefined)).rejects.toThrow()
  })
})

describe('how a room begins', () => {
  it('[OPT-19] session.*: the first settings and locks of the room are those of the configuration', async () => {
    const wanted = {
      private_mode: true,
      locked_logins: true,
      locked_controls: true,
      control_protection: true,
      implicit_hosting: true,
      inactive_cursors: true,
      merciful_reconnect: false,
      heartbeat_interval: 77,
    }
    const env = Object.fromEntries(Object.entries(wanted).map(([name, value]) => [`SESSION_${name.toUpperCase()}`, String(value)]))
    await using site = await Site.open({ ...env, SESSION_LOCKED_FILE_TRANSFER: 'true' })
    const settings = await site.fetch('/api/room/settings', { token: await site.token() })
    expect(await settings.json()).toEqual({ ...wanted, plugins: { 'filetransfer.enabled': false } })
    expect((await site.login('uwe', 'neko')).status).toBe(403)
    await using plain = await Site.open()
    const opposite = Object.fromEntries(Object.entries(wanted).map(([name, value]) => [name, typeof value === 'boolean' ? !value : 10]))
    expect(await (await plain.fetch('/api/room/settings', { token: await plain.token() })).json()).toMatchObject(opposite)
  })

  it('[OPT-20] member.*: passwords, profiles and members of each provider', async () => {
    await using multiuser = await Site.open({
      MEMBER_MULTIUSER_USER_PASSWORD: 'please',
      MEMBER_MULTIUSER_ADMIN_PASSWORD: 'sesame',
      MEMBER_MULTIUSER_USER_PROFILE: '{"can_host":false}',
      MEMBER_MULTIUSER_ADMIN_PROFILE: '{"can_access_clipboard":false}',
    })
    const profile = async (password: string) => ((await (await multiuser.login('x', password)).json()) as { profile: unknown }).profile
    expect((await multiuser.login('x', 'neko')).status).toBe(401)
    expect(await profile('please')).toMatchObject({ is_admin: false, can_host: false, can_access_clipboard: true })
    expect(await profile('sesame')).toMatchObject({ is_admin: true, can_host: true, can_access_clipboard: false })
    for (const provider of ['object', 'redis']) {
      const users = '[{"username":"ann","password":"hers","profile":{"can_login":true,"can_watch":true}}]'
      await using site = await Site.open({ MEMBER_PROVIDER: provider, [`MEMBER_${provider.toUpperCase()}_USERS`]: users })
      expect([(await site.login('ann', 'hers')).status, (await site.login('ann', 'neko')).status], provider).toEqual([200, 401])
    }
  })

  it('[OPT-21] screen, pictures and plugins: clients are told what the configuration says', async () => {
    await using site = await Site.open({
      DESKTOP_SCREEN: '1920x1080@60',
      CAPTURE_VIDEO_PIPELINES: '{"low":{"gst_encoder":"vp8enc"},"high":{"gst_encoder":"vp8enc"}}',
      CAPTURE_VIDEO_IDS: 'high,low',
      CHAT_ENABLED: 'false',
      OPENINAPP_ENABLED: 'true',
      FILETRANSFER_ENABLED: 'true',
      FILETRANSFER_DIR: '/srv/files',
      FILETRANSFER_USER_DOWNLOAD: 'true',
      FILETRANSFER_USER_UPLOAD: 'true',
      FILETRANSFER_USER_DELETE: 'true',
    })
    const socket = await site.socket()
    expect((await socket.event('system/init'))['payload']).toMatchObject({
      screen_size: { width: 1920, height: 1080, rate: 60 },
      webrtc: { videos: ['high', 'low'] },
    })
    const rights = { user_download: true, user_upload: true, user_delete: true }
    expect((await socket.event('filetransfer/update'))['payload']).toMatchObject({ enabled: true, root_dir: '/srv/files', ...rights })
    expect((await socket.event('chat/init'))['payload']).toEqual({ enabled: false })
    expect((await socket.event('openinapp/init'))['payload']).toEqual({ enabled: true })
    await socket.close()
  })

  it.each(['WEBRTC_ICESERVERS_FRONTEND', 'WEBRTC_ICESERVERS', 'ICESERVERS'])(
    '[OPT-22] %s: the servers are in signal/provide',
    async (name) => {
      const servers = [{ urls: ['turn:turn.example:3478'], username: 'u', credential: 'c' }]
      await using site = await Site.open({ [name]: JSON.stringify(servers) }, { node: true })
      const socket = await site.socket()
      await socket.event('openinapp/init')
      socket.send({ event: 'signal/request', payload: {} })
      expect((await socket.event('signal/provide'))['payload']).toMatchObject({ iceservers: servers })
      await socket.close()
    },
  )
})

describe('the thin line', () => {
  /** Somebody in the room. */
  async function enter(site: Site, name: string): Promise<{ url: string; token: string }> {
    const token = await site.token('neko', name)
    const socket = await JsonSocket.open(`${site.url.replace('http', 'ws')}/api/ws?token=${token}`, () => undefined)
    await socket.event('system/init')
    return { url: site.url, token }
  }

  it('[OPT-1300] stream.enabled: off, there is no such place', async () => {
    await using on = await Site.open()
    await using off = await Site.open({ STREAM_ENABLED: 'false' })
    await (await ThinViewer.open(await enter(on, 'ann'))).close()
    await expect(ThinViewer.open(await enter(off, 'ann'))).rejects.toThrow('no thin line')
    expect([(await on.fetch('/api/stream')).status, (await off.fetch('/api/stream')).status]).toEqual([400, 404])
  })

  it('[OPT-1301] stream.max_viewers: one more is refused, until somebody leaves', async () => {
    await using site = await Site.open({ STREAM_MAX_VIEWERS: '1' })
    const [ann, bob] = [await enter(site, 'ann'), await enter(site, 'bob')]
    const first = await ThinViewer.open(ann)
    first.say({ is: 'ping', time: 1 })
    await first.next('channel')
    expect(await (await ThinViewer.open(bob)).closed).toMatchObject({ code: 1013 })
    // One's own newer line takes the place of the one before.
    const newer = await ThinViewer.open(ann)
    newer.say({ is: 'ping', time: 1 })
    await newer.next('channel')
    await newer.close()
    await until(
      async () => {
        const line = await ThinViewer.open(bob)
        line.say({ is: 'ping', time: 1 })
        return line.next('channel').then(
          () => true,
          () => false,
        )
      },
      { ms: 5_000, what: 'bob is let in' },
    )
  })
})
