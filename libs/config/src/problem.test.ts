import { expect, test } from 'vitest'
import { load } from '../test/sample.ts'
import { formatProblem, hasErrors } from './problem.ts'

const said = (input: Parameters<typeof load>[0]): string => load(input).problems.map(formatProblem).join('\n')

const failing = (code: string) => (): string => {
  throw Object.assign(new Error(`${code}: it did not work`), { code })
}

test('[CFG-60] several problems are reported together, each with source, value, reason and remedy', () => {
  const text = said({
    yaml: 'webrtc:\n  epr: 60000-59000\n  udpmux: 70000\ncapture: { video: { codec: theora } }\nserver: { bindd: x }\n',
    env: { NEKO_DESKTOP_SCREEN: 'big', NEKO_MEMBER_PROVIDER: 'ldap' },
    argv: ['--server.cert=/c.pem'],
  })
  expect(text).toMatchInlineSnapshot(`
    "error: /etc/neko/neko.yaml:5:11: server.bindd is not an option
      Did you mean server.bind?
    error: /etc/neko/neko.yaml:2:8: webrtc.epr is inverted: 60000 is greater than 59000 (given: 60000-59000)
      Write a range such as 59000-59100.
    error: /etc/neko/neko.yaml:3:11: webrtc.udpmux is out of range (0 … 65535) (given: 70000)
      Write a whole number from 0 to 65535.
    error: /etc/neko/neko.yaml:4:28: capture.video.codec is not one of vp8, vp9, av1, h264, h265 (given: theora)
      Write one of vp8, vp9, av1, h264, h265.
    error: NEKO_DESKTOP_SCREEN: desktop.screen is not a screen (given: big)
      Write a screen such as 1920x1080@30.
    error: NEKO_MEMBER_PROVIDER: member.provider is not one of multiuser, object, file, noauth, redis (given: ldap)
      Write one of multiuser, object, file, noauth, redis.
    error: --server.cert: server.cert is set and server.key is not
      Set NEKO_SERVER_KEY to the certificate's private key, or remove the certificate."
  `)
})

test('[CFG-61] a file that is named must be there and be readable', () => {
  expect(said({ argv: ['--config=neko.yaml'], readFile: failing('ENOENT') })).toMatchInlineSnapshot(`
    "error: --config: config names /work/neko.yaml, which does not exist
      Correct the path, or create the file."
  `)
  expect(said({ env: { NEKO_CONFIG: '/etc/neko/x.yaml' }, readFile: failing('EACCES') })).toMatchInlineSnapshot(`
    "error: NEKO_CONFIG: config names /etc/neko/x.yaml, which may not be read by this user
      Give the user that runs neko the right to read it: chmod or chown /etc/neko/x.yaml."
  `)
  expect(said({ env: { NEKO_CONFIG: '/etc/neko' }, readFile: failing('EISDIR') })).toMatchInlineSnapshot(`
    "error: NEKO_CONFIG: config names /etc/neko, which is a directory
      Name the file in it."
  `)
  expect(said({ env: { NEKO_CONFIG: '/etc/x.yaml' }, readFile: failing('EIO') })).toMatchInlineSnapshot(`
    "error: NEKO_CONFIG: config names /etc/x.yaml, which can not be read: EIO: it did not work
      Look at the file and its disk."
  `)
  expect(said({ argv: ['-c', 'neko.toml'] })).toMatchInlineSnapshot(`
    "error: -c: config names /work/neko.toml, a .toml file: only YAML and JSON are read
      Write it as YAML: neko migrate-config turns an env file into YAML."
  `)
})

test('[CFG-61] a file that is looked for may be missing, but not be unreadable; one that is not read is named', () => {
  expect(said({})).toBe('')
  const only = (wanted: string, code?: string) => (path: string) => {
    if (path === wanted && code === undefined) {
      return ''
    }
    throw Object.assign(new Error('no'), { code: path === wanted ? code : 'ENOENT' })
  }
  expect(said({ readFile: only('/etc/neko/neko.yaml', 'EACCES') })).toMatchInlineSnapshot(`
    "error: /etc/neko/neko.yaml: config names /etc/neko/neko.yaml, which may not be read by this user
      Give the user that runs neko the right to read it: chmod or chown /etc/neko/neko.yaml."
  `)
  expect(said({ readFile: only('/work/neko.toml') })).toMatchInlineSnapshot(`
    "warning: /work/neko.toml: is not read: only YAML and JSON are
      Write it as YAML: neko migrate-config turns an env file into YAML."
  `)
})

test('[CFG-62] invalid YAML is shown with line and column, and nothing of the file is used', () => {
  expect(said({ yaml: 'server:\n  bind: ":8080\n' })).toMatchInlineSnapshot(`
    "error: /etc/neko/neko.yaml:3:1: is not valid YAML: Missing closing "quote
      Mend the line; nothing of the file is read until then."
  `)
  expect(said({ yaml: 'a: 1\na: 2\n' })).toMatchInlineSnapshot(`
    "error: /etc/neko/neko.yaml:2:1: is not valid YAML: Map keys must be unique
      Mend the line; nothing of the file is read until then."
  `)
  expect(said({ yaml: '- 1\n' })).toMatchInlineSnapshot(`
    "error: /etc/neko/neko.yaml:1:1: a configuration file is a map of options
      Write lines such as server: { bind: ":8080" }."
  `)
  expect(said({ yaml: 'server: ":8080"\n' })).toMatchInlineSnapshot(`
    "error: /etc/neko/neko.yaml:1:1: server is a section and takes a map
      Write its options below server:, indented."
  `)
})

test('[CFG-63] an unknown name is answered with the nearest one', () => {
  expect(said({ argv: ['--sever.bind=x', '--webrtc-epr', '1-2', '--bogus', 'value', '--log.level'] })).toMatchInlineSnapshot(`
    "error: --sever.bind: there is no such flag
      Did you mean --server.bind?
    error: --webrtc-epr: there is no such flag
      Did you mean --webrtc.epr?
    error: --bogus: there is no such flag
      neko serve --help lists all flags.
    error: --log.level: log.level needs a value
      Write --log.level=VALUE."
  `)
  expect(
    said({ env: { NEKO_WEBRTC_NAT1T01: 'x', NEKO_SERVER_BIN: 'x', NEKO_HOLIDAY: 'x', NEKO_MEMBER_MULTIUSER_USER_PROFILE_CAN_HOST: 'x' } }),
  ).toMatchInlineSnapshot(`
    "error: NEKO_WEBRTC_NAT1T01: there is no such option
      Did you mean NEKO_WEBRTC_NAT1TO1?
    error: NEKO_SERVER_BIN: there is no such option
      Did you mean NEKO_SERVER_BIND?
    warning: NEKO_HOLIDAY: there is no such option
      Remove it, or see neko serve --help for the names.
    error: NEKO_MEMBER_MULTIUSER_USER_PROFILE_CAN_HOST: there is no such option
      Did you mean NEKO_MEMBER_MULTIUSER_USER_PROFILE?"
  `)
  expect(said({ yaml: 'session:\n  cookie:\n    htttp_only: true\nnonsense: { a: 1 }\n' })).toMatchInlineSnapshot(`
    "error: /etc/neko/neko.yaml:3:5: session.cookie.htttp_only is not an option
      Did you mean session.cookie.http_only?
    error: /etc/neko/neko.yaml:4:1: nonsense is not an option
      Remove it, or see neko config reference for the names."
  `)
})

test('[CFG-64] a value that is wrong is answered with what to write', () => {
  const env = {
    NEKO_SERVER_BIND: '8080',
    NEKO_SERVER_PROXY: 'maybe',
    NEKO_SESSION_HEARTBEAT_INTERVAL: 'often',
    NEKO_SESSION_COOKIE_EXPIRATION: '86400000000000',
    NEKO_SERVER_CORS: 'example.org',
    NEKO_WEBRTC_ICESERVERS: '[{"urls":["http://x"]}]',
    NEKO_CAPTURE_VIDEO_PIPELINES: '{"a":{"gst_prefix":"x","gst_encoder":"y","gst_paramz":{}},"b":{}}',
    NEKO_MEMBER_OBJECT_USERS: '[{"username":"ann","pasword":"geheim"}]',
    NEKO_REDIS_URL: 'http://:geheim@x',
  }
  const text = said({ env })
  expect(text).not.toContain('geheim')
  expect(text).toMatchInlineSnapshot(`
    "error: NEKO_SERVER_BIND: server.bind is not an address (given: 8080)
      Write an address such as 127.0.0.1:8080, :8080, [::1]:8080 or unix:/run/neko.sock.
    error: NEKO_SERVER_PROXY: server.proxy is neither true nor false (given: maybe)
      Write true or false.
    error: NEKO_SESSION_HEARTBEAT_INTERVAL: session.heartbeat_interval is not a whole number (given: often)
      Write a whole number from 1 to 86400.
    error: NEKO_SESSION_COOKIE_EXPIRATION: session.cookie.expiration is out of range (1s … 87600h) (given: 86400000000000)
      Write a duration from 1s to 87600h, such as 30s, 5m or 1h30m.
    error: NEKO_SERVER_CORS: server.cors holds example.org, which is not an origin (given: example.org)
      Write origins such as https://example.org.
    error: NEKO_WEBRTC_ICESERVERS: webrtc.iceservers is not right: 0.urls.0: begins with none of stun:, stuns:, turn:, turns: (given: ***)
      Write a list such as [{"urls":["turn:turn.example.org:3478"],"username":"…","credential":"…"}].
    error: NEKO_CAPTURE_VIDEO_PIPELINES: capture.video.pipelines is not right: a.gst_prefix: does not start with !; a: Unrecognized key: "gst_paramz"; b: has neither gst_encoder nor gst_pipeline (given: {"a":{"gst_prefix":"x","gst_encoder":"y","gst_paramz":{}},"b":{}})
      Write a map of id to pipeline, such as {"hq":{"fps":"25","gst_encoder":"vp8enc","gst_params":{"deadline":"1"}}}.
    error: NEKO_MEMBER_OBJECT_USERS: member.object.users is not right: 0.password: is missing; 0: Unrecognized key: "pasword" (given: ***)
      Write a list such as [{"username":"ann","password":"…","profile":{"can_host":true}}].
    error: NEKO_REDIS_URL: redis.url is not the URL of a Redis (given: ***)
      Write redis://:password@host:6379/0, rediss://host?ca=/file, unix:///run/redis.sock, redis+sentinel://host,host?master=name or redis+cluster://host,host."
  `)
})

test('[CFG-65] the default passwords are refused off loopback; chosen ones that everybody knows are warned of', () => {
  expect(said({ env: { NEKO_SERVER_BIND: ':8080' } })).toMatchInlineSnapshot(`
    "error: NEKO_MEMBER_MULTIUSER_USER_PASSWORD: member.multiuser.user_password is not set, and the default "neko" is accepted on loopback only
      Set NEKO_MEMBER_MULTIUSER_USER_PASSWORD to a password of your own, or bind to 127.0.0.1.
    error: NEKO_MEMBER_MULTIUSER_ADMIN_PASSWORD: member.multiuser.admin_password is not set, and the default "admin" is accepted on loopback only
      Set NEKO_MEMBER_MULTIUSER_ADMIN_PASSWORD to a password of your own, or bind to 127.0.0.1."
  `)
  const chosen = load({
    env: { NEKO_SERVER_BIND: ':8080', NEKO_MEMBER_MULTIUSER_USER_PASSWORD: 'neko', NEKO_PASSWORD_ADMIN: 'admin' },
  }).problems
  expect([hasErrors(chosen), chosen.map(({ source }) => source)]).toEqual([
    false,
    ['NEKO_MEMBER_MULTIUSER_USER_PASSWORD', 'NEKO_PASSWORD_ADMIN'],
  ])
  for (const bind of ['127.0.0.1:8080', '[::1]:8080', 'unix:/run/neko.sock']) {
    expect(said({ env: { NEKO_SERVER_BIND: bind } })).toBe('')
  }
})

test('[CFG-66] certificate and key go together', () => {
  expect(said({ env: { NEKO_SERVER_CERT: '/c.pem' } })).toMatchInlineSnapshot(`
    "error: NEKO_SERVER_CERT: server.cert is set and server.key is not
      Set NEKO_SERVER_KEY to the certificate's private key, or remove the certificate."
  `)
  expect(said({ argv: ['--key=/k.pem'] })).toMatchInlineSnapshot(`
    "error: --key: server.key is set and server.cert is not
      Set NEKO_SERVER_CERT to the key's certificate, or remove the key."
  `)
  expect(said({ argv: ['--server.key=/k.pem', '--server.cert=/c.pem'] })).toBe('')
})

test('[CFG-67] members: same passwords, an empty one, a file without a path, nobody, everybody', () => {
  const member = (env: Record<string, string>): string => said({ env })
  expect(member({ NEKO_PASSWORD: 'a', NEKO_PASSWORD_ADMIN: 'a' })).toMatchInlineSnapshot(`
    "warning: NEKO_PASSWORD: member.multiuser.user_password is the same as the password of admins, so that everybody is an admin
      Set two different passwords."
  `)
  expect(said({ argv: ['--member.multiuser.admin_password='] })).toMatchInlineSnapshot(`
    "error: --member.multiuser.admin_password: member.multiuser.admin_password is empty, so that anybody is an admin without a password
      Set a password, or choose member.provider noauth if that is meant."
  `)
  expect(member({ NEKO_MEMBER_PROVIDER: 'file' })).toMatchInlineSnapshot(`
    "error: NEKO_MEMBER_FILE_PATH: member.file.path is empty, and member.provider is file
      Name the JSON file with the members."
  `)
  expect(member({ NEKO_MEMBER_PROVIDER: 'object' })).toMatchInlineSnapshot(`
    "warning: NEKO_MEMBER_OBJECT_USERS: member.object.users is empty, so that nobody can log in
      List the members, or choose another member.provider."
  `)
  expect(member({ NEKO_MEMBER_PROVIDER: 'noauth', NEKO_SERVER_BIND: ':80' })).toMatchInlineSnapshot(`
    "warning: NEKO_MEMBER_PROVIDER: member.provider is noauth: whoever reaches the server is an admin
      Choose another provider unless something in front of the server asks for a password."
  `)
})

test('[CFG-68] pictures: unknown ids, two kinds of pipeline, an encoder that the hardware lacks', () => {
  const pipelines = '{"hq":{"gst_encoder":"vp8enc"}}'
  expect(said({ env: { NEKO_CAPTURE_VIDEO_PIPELINES: pipelines, NEKO_CAPTURE_VIDEO_IDS: 'hq lq hq' } })).toMatchInlineSnapshot(`
    "error: NEKO_CAPTURE_VIDEO_IDS: capture.video.ids names lq, which capture.video.pipelines lacks
      It has hq.
    error: NEKO_CAPTURE_VIDEO_IDS: capture.video.ids names a pipeline twice
      Name each once, best first."
  `)
  expect(
    said({ env: { NEKO_CAPTURE_VIDEO_PIPELINES: pipelines, NEKO_CAPTURE_VIDEO_PIPELINE: 'x', NEKO_CAPTURE_VIDEO_HWENC: 'vaapi' } }),
  ).toMatchInlineSnapshot(`
    "warning: NEKO_CAPTURE_VIDEO_PIPELINE: capture.video.pipeline is ignored, since capture.video.pipelines is set
      Remove one of the two.
    warning: NEKO_CAPTURE_VIDEO_HWENC: capture.video.hwenc is ignored, since a pipeline of your own is set
      Remove it, or the pipeline."
  `)
  expect(said({ env: { NEKO_HWENC: 'nvenc' } })).toMatchInlineSnapshot(`
    "warning: NEKO_HWENC: capture.video.hwenc is nvenc, which has no encoder for vp8: the processor encodes
      Choose capture.video.codec h264 or h265."
  `)
})

test('[CFG-69] ports: a range beside a mux, a clash, more workers than ports', () => {
  expect(said({ env: { NEKO_WEBRTC_UDPMUX: '9000', NEKO_WEBRTC_EPR: '1-2' } })).toMatchInlineSnapshot(`
    "warning: NEKO_WEBRTC_EPR: webrtc.epr is ignored, since webrtc.udpmux is set
      Remove one of the two."
  `)
  expect(said({ env: { NEKO_WEBRTC_TCPMUX: '8079', NEKO_SFU_WORKERS: '2' } })).toMatchInlineSnapshot(`
    "error: NEKO_WEBRTC_TCPMUX: webrtc.tcpmux takes port 8080, on which the server listens
      Choose another port for one of the two."
  `)
  expect(said({ env: { NEKO_WEBRTC_UDPMUX: '65535', NEKO_SFU_WORKERS: '2' } })).toMatchInlineSnapshot(`
    "error: NEKO_WEBRTC_UDPMUX: webrtc.udpmux and sfu.workers 2 need ports up to 65536, and ports end at 65535
      Choose a port up to 65534."
  `)
})

test('[CFG-70] broadcast, cookies, origins and the cage', () => {
  expect(said({ env: { NEKO_CAPTURE_BROADCAST_URL: "rtmp://x/a'b" } })).toMatchInlineSnapshot(`
    "error: NEKO_CAPTURE_BROADCAST_URL: capture.broadcast.url has a quote, a backslash or a line break in it
      Write such characters as %27, %22, %5C."
  `)
  expect(said({ env: { NEKO_BROADCAST_URL: 'srt://x' } })).toMatchInlineSnapshot(`
    "error: NEKO_BROADCAST_URL: capture.broadcast.url is not an RTMP address
      Write rtmp://… or rtmps://…, or set capture.broadcast.pipeline for other protocols."
  `)
  expect(said({ env: { NEKO_CAPTURE_BROADCAST_URL: 'srt://x', NEKO_CAPTURE_BROADCAST_PIPELINE: 'x {url}' } })).toBe('')
  const env = {
    NEKO_SERVER_BIND: ':80',
    NEKO_PASSWORD: 'a',
    NEKO_PASSWORD_ADMIN: 'b',
    NEKO_SESSION_COOKIE_ENABLED: 'true',
    NEKO_SERVER_CORS: '*',
    NEKO_DESKTOP_UNCAGED: 'true',
    NEKO_DESKTOP_APP_URL: 'http://localhost:3000/',
  }
  expect(said({ env })).toMatchInlineSnapshot(`
    "warning: NEKO_SERVER_CORS: server.cors lets every site call the API
      List the origins that may.
    warning: NEKO_SESSION_COOKIE_SECURE: session.cookie.secure keeps browsers from sending the cookie over plain HTTP
      Set server.cert and server.key, or server.proxy behind a proxy with TLS, or switch session.cookie.secure off.
    warning: NEKO_DESKTOP_APP_URL: desktop.app_url is on this machine, which the application does not reach from its own network
      Set desktop.app_network to shared, or give the page an address that others reach.
    warning: NEKO_DESKTOP_UNCAGED: desktop.uncaged is on: whoever has the controls has the powers of the process that runs the node
      Switch it off where user namespaces work."
  `)
})
