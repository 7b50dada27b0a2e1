import type { Kind } from '../schema/option.ts'

/** An option of V2: what it was, and the V3 options that it becomes. `debug` and `config` are the same in both and stand in the V3 table only. */
export interface V2Option {
  readonly kind: Kind
  readonly to: readonly string[]
  /** What to write in V3, where it is not simply the same value. */
  readonly form?: string
  readonly secret?: boolean
  readonly about: string
}

const codecFlag = (side: 'video' | 'audio', codec: string): V2Option => {
  return { kind: 'boolean', to: [`capture.${side}.codec`], form: codec, about: `${side} codec ${codec}` }
}

/** All of them, in the order in which they are applied. */
export const v2Options: ReadonlyMap<string, V2Option> = new Map<string, V2Option>([
  ['logs', { kind: 'boolean', to: ['log.dir'], form: '/var/log/neko', about: 'log to /var/log/neko' }],
  ['display', { kind: 'text', to: ['desktop.display', 'capture.video.display'], about: 'X display' }],
  ['vp8', codecFlag('video', 'vp8')],
  ['vp9', codecFlag('video', 'vp9')],
  ['h264', codecFlag('video', 'h264')],
  ['av1', codecFlag('video', 'av1')],
  ['video_codec', { kind: 'text', to: ['capture.video.codec'], about: 'video codec' }],
  [
    'video',
    {
      kind: 'text',
      to: ['capture.video.pipeline'],
      form: 'the pipeline with {display} for %s and ! appsink name=appsink at its end',
      about: 'video pipeline',
    },
  ],
  ['video_bitrate', { kind: 'integer', to: ['capture.video.bitrate'], about: 'video bit rate in kbit/s' }],
  ['max_fps', { kind: 'integer', to: ['capture.video.max_fps'], about: 'highest frame rate' }],
  ['hwenc', { kind: 'text', to: ['capture.video.hwenc'], about: 'hardware encoder' }],
  ['device', { kind: 'text', to: ['capture.audio.device'], about: 'PulseAudio source' }],
  ['opus', codecFlag('audio', 'opus')],
  ['g722', codecFlag('audio', 'g722')],
  ['pcmu', codecFlag('audio', 'pcmu')],
  ['pcma', codecFlag('audio', 'pcma')],
  ['audio_codec', { kind: 'text', to: ['capture.audio.codec'], about: 'audio codec' }],
  [
    'audio',
    {
      kind: 'text',
      to: ['capture.audio.pipeline'],
      form: 'the pipeline with {device} for %s and ! appsink name=appsink at its end',
      about: 'audio pipeline',
    },
  ],
  ['audio_bitrate', { kind: 'integer', to: ['capture.audio.bitrate'], about: 'audio bit rate in kbit/s' }],
  ['broadcast_pipeline', { kind: 'text', to: ['capture.broadcast.pipeline'], about: 'broadcast pipeline' }],
  ['broadcast_url', { kind: 'text', to: ['capture.broadcast.url'], secret: true, about: 'broadcast address' }],
  ['broadcast_autostart', { kind: 'boolean', to: ['capture.broadcast.autostart'], about: 'broadcast from the start' }],
  ['screen', { kind: 'text', to: ['desktop.screen'], about: 'screen size and rate' }],
  [
    'password',
    {
      kind: 'text',
      to: ['member.multiuser.user_password'],
      secret: true,
      about: 'password of users',
    },
  ],
  [
    'password_admin',
    {
      kind: 'text',
      to: ['member.multiuser.admin_password'],
      secret: true,
      about: 'password of admins',
    },
  ],
  ['bind', { kind: 'text', to: ['server.bind'], about: 'address of the server' }],
  ['cert', { kind: 'text', to: ['server.cert'], about: 'TLS certificate' }],
  ['key', { kind: 'text', to: ['server.key'], about: 'TLS key' }],
  ['proxy', { kind: 'boolean', to: ['server.proxy'], about: 'believe proxy headers' }],
  ['static', { kind: 'text', to: ['server.static'], about: 'directory of the web client' }],
  ['path_prefix', { kind: 'text', to: ['server.path_prefix'], about: 'path prefix' }],
  ['cors', { kind: 'list', to: ['server.cors'], about: 'allowed origins' }],
  [
    'locks',
    {
      kind: 'list',
      to: ['session.locked_controls', 'session.locked_logins', 'session.locked_file_transfer'],
      form: 'true for each lock',
      about: 'locks: control, login, file_transfer',
    },
  ],
  ['implicit_control', { kind: 'boolean', to: ['session.implicit_hosting'], about: 'implicit control' }],
  ['control_protection', { kind: 'boolean', to: ['session.control_protection'], about: 'control protection' }],
  ['heartbeat_interval', { kind: 'integer', to: ['session.heartbeat_interval'], about: 'heartbeat interval in seconds' }],
  ['file_transfer_enabled', { kind: 'boolean', to: ['filetransfer.enabled'], about: 'file transfer' }],
  ['file_transfer_path', { kind: 'text', to: ['filetransfer.dir'], about: 'directory of the files' }],
  ['nat1to1', { kind: 'list', to: ['webrtc.nat1to1'], about: 'announced addresses' }],
  ['tcpmux', { kind: 'integer', to: ['webrtc.tcpmux'], about: 'TCP port' }],
  ['udpmux', { kind: 'integer', to: ['webrtc.udpmux'], about: 'UDP port' }],
  ['icelite', { kind: 'boolean', to: ['webrtc.icelite'], about: 'ICE-lite' }],
  [
    'iceservers',
    {
      kind: 'json',
      to: ['webrtc.iceservers.frontend', 'webrtc.iceservers.backend'],
      secret: true,
      form: 'the same list',
      about: 'STUN and TURN servers in JSON',
    },
  ],
  [
    'iceserver',
    {
      kind: 'list',
      to: ['webrtc.iceservers.frontend', 'webrtc.iceservers.backend'],
      form: '[{"urls":["…"]}]',
      about: 'addresses of STUN and TURN servers',
    },
  ],
  ['ipfetch', { kind: 'text', to: ['webrtc.ip_retrieval_url'], about: 'where to ask for the public address' }],
  ['epr', { kind: 'text', to: ['webrtc.epr'], about: 'UDP port range' }],
])

/** Honoured even with legacy=false, as upstream does: it reads them where its plugin is configured. */
export const alwaysHonoured: ReadonlySet<string> = new Set(['file_transfer_enabled', 'file_transfer_path'])
