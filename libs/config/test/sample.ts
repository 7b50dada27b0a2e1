/** Two different good values of every option, as text in the form in which the loader prints them again. */
import { type LoadInput, loadConfig } from '../src/load.ts'
import type { Option } from '../src/schema/option.ts'
import { optionByPath } from '../src/schema/options.ts'

const ice = (name: string): string => `[{"urls":["turn:${name}:3478"],"username":"u","credential":"c"}]`
const user = (name: string): string => `[{"username":"${name}","password":"p","profile":{"can_host":true}}]`

const special: Readonly<Record<string, readonly [string, string]>> = {
  'server.bind': ['0.0.0.0:9000', '[::1]:9001'],
  'server.path_prefix': ['/a', '/b/c'],
  'server.cors': ['https://a.example,https://b.example', 'https://c.example'],
  'server.frame_ancestors': ['https://a.example,https://b.example', 'https://c.example'],
  'server.proxy_trusted': ['10.1.0.0/16', 'fd00::/8,192.0.2.7'],
  'member.object.users': [user('ann'), user('bob')],
  'member.redis.users': [user('ann'), user('bob')],
  'member.multiuser.user_profile': ['{"can_host":false}', '{"name":"guest"}'],
  'member.multiuser.admin_profile': ['{"can_host":false}', '{"plugins":{"chat.can_send":false}}'],
  'desktop.display': [':7', ':8.0'],
  'desktop.app_network_deny': ['10.0.0.0/8,fd00::/8', '192.0.2.7'],
  'desktop.screen': ['1920x1080@60', '800x600@25'],
  'capture.video.ids': ['hq,lq', 'lq'],
  'capture.video.pipelines': ['{"HQ":{"gst_encoder":"vp8enc"}}', '{"a":{"gst_pipeline":"x ! appsink name=appsink"}}'],
  'capture.screencast.rate': ['5/1', '30000/1001'],
  'webrtc.iceservers': [ice('a'), ice('b')],
  'webrtc.iceservers.frontend': [ice('a'), ice('b')],
  'webrtc.iceservers.backend': [ice('a'), ice('b')],
  'webrtc.epr': ['52000-52100', '60000-60000'],
  'webrtc.nat1to1': ['192.0.2.1,2001:db8::1', 'neko.example'],
  'webrtc.ip_retrieval_url': ['https://ip.example/', 'http://ip.example/v4'],
  'node.roles': ['relay', 'capture,relay'],
  'node.address': ['192.0.2.9', '2001:db8::9'],
  'node.pipe_ports': ['7000-7100', '8000-8000'],
  'redis.url': ['redis://one:6379/0', 'redis+sentinel://one,two/0?master=room'],
  'rooms.api_token': ['a-token-of-the-fleet', 'another-token-of-it'],
  'webhook.url': ['https://hooks.example/', 'http://hooks.example/neko'],
  'webhook.secret': ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'],
  'sfu.worker': ['fast', '/opt/worker'],
}

/** Two good texts of an option; the first is not its default. */
export function samplesOf(path: string): readonly [string, string] {
  const option = optionByPath.get(path)
  const known = special[path]
  if (known !== undefined || option === undefined) {
    return known ?? ['', '']
  }
  const [low = '', high = ''] = byKind(option)
  return String(option.print(option.default)) === low ? [high, low] : [low, high]
}

function byKind(option: Option): readonly string[] {
  switch (option.kind) {
    case 'boolean':
      return ['true', 'false']
    case 'choice':
      return (option.choices ?? []).slice(0, 2)
    case 'integer':
    case 'number':
    case 'duration':
      return (option.range ?? '').split(' … ')
    default:
      return ['one', 'two']
  }
}

const noFile = (path: string): string => {
  throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' })
}

/** Runs the loader in an empty world, with `yaml` as the file /etc/neko/neko.yaml if there is one. */
export function load({ yaml, ...input }: Partial<LoadInput> & { readonly yaml?: string }): ReturnType<typeof loadConfig> {
  const readFile = (path: string): string => (path === '/etc/neko/neko.yaml' && yaml !== undefined ? yaml : noFile(path))
  return loadConfig({ argv: [], env: {}, cwd: '/work', readFile, user: { uid: 1000, home: '/home/ann' }, ...input })
}
