import { BadValue } from './bad-value.ts'

/** Where Redis is, and who asks there. */
export interface RedisAddress {
  readonly kind: 'single' | 'sentinel' | 'cluster'
  /** The servers (of a cluster: the ones asked first; of a sentinel: the sentinels). Empty for a unix socket. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[]
  /** The unix socket, in place of hosts. */
  readonly path?: string
  readonly username?: string
  readonly password?: string
  /** 0 of a cluster, which has no others. */
  readonly db: number
  /** The name under which sentinels know the master. */
  readonly master: string
  readonly sentinelUsername?: string
  readonly sentinelPassword?: string
  /** Present where TLS is asked for; the values are files in PEM. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string }
}

const form = /^(?:(unix)|(rediss?)(?:\+(sentinel|cluster))?):\/\/(?:([^@/]*)@)?([^/?]*)([^?]*)(?:\?(.*))?$/i

const parameters = {
  unix: ['db'],
  single: [],
  sentinel: ['master', 'sentinel_username', 'sentinel_password'],
  cluster: [],
  tls: ['ca', 'cert', 'key'],
} as const

/**
 * `redis://[user[:password]@]host[:6379][/db]`, `rediss://…` with TLS (`?ca=`, `cert=`, `key=` name PEM files), `unix:///path[?db=]`,
 * `redis+sentinel://[…@]host[:26379],…[/db]?master=name` (with `sentinel_username` and `sentinel_password` where the sentinels ask for them)
 * and `redis+cluster://[…@]host[:6379],…`. What is special in a URL is percent-encoded in names and passwords.
 */
export function readRedisUrl(text: string): RedisAddress | BadValue {
  const match = form.exec(text)
  if (!match) {
    return new BadValue('is not the URL of a Redis')
  }
  const [, unix, scheme = '', deployment, userinfo = '', authority = '', rest = '', query = ''] = match
  const kind = (deployment?.toLowerCase() ?? 'single') as RedisAddress['kind']
  const isTls = scheme.toLowerCase() === 'rediss'
  const given = new URLSearchParams(query)
  const known: readonly string[] = [...(unix ? parameters.unix : parameters[kind]), ...(isTls ? parameters.tls : [])]
  const unknown = [...given.keys()].find((key) => !known.includes(key))
  if (unknown !== undefined) {
    return new BadValue(`has a parameter ${unknown}, and takes ${known.length === 0 ? 'none' : known.join(', ')}`)
  }
  const db = unix ? (given.get('db') ?? '0') : rest.slice(1) || '0'
  if (!/^\d{1,4}$/.test(db)) {
    return new BadValue(`names database ${db}, which is not a number`)
  }
  if (kind === 'cluster' && db !== '0') {
    return new BadValue(`names database ${db}, and a cluster has only 0`)
  }
  const hosts = unix ? [] : authority.split(',').map((host) => readHost(host, kind === 'sentinel' ? 26_379 : 6379))
  const badHost = hosts.find((host) => host instanceof BadValue)
  if (badHost instanceof BadValue) {
    return badHost
  }
  if (kind === 'single' && hosts.length > 1) {
    return new BadValue('names several servers: write redis+sentinel:// or redis+cluster://')
  }
  if (unix && (authority !== '' || rest.length < 2)) {
    return new BadValue('names no absolute path of a socket')
  }
  const credentials = readCredentials(userinfo)
  if (credentials instanceof BadValue) {
    return credentials
  }
  const { ca, cert, key, sentinel_username: sentinelUsername, sentinel_password: sentinelPassword } = Object.fromEntries(given)
  if ((cert === undefined) !== (key === undefined)) {
    return new BadValue('names only one of cert and key')
  }
  return {
    kind,
    hosts: hosts as { host: string; port: number }[],
    db: Number(db),
    master: given.get('master') ?? 'mymaster',
    ...(unix && { path: rest }),
    ...credentials,
    ...(sentinelUsername !== undefined && { sentinelUsername }),
    ...(sentinelPassword !== undefined && { sentinelPassword }),
    ...(isTls && { tls: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) } }),
  }
}

function readHost(text: string, defaultPort: number): { host: string; port: number } | BadValue {
  const match = /^(?:\[([\da-f:.]+)\]|([^:[\]\s]+))(?::(\d+))?$/i.exec(text)
  if (!match) {
    return new BadValue(text === '' ? 'names no host' : 'names a host that is not host or host:port')
  }
  const port = Number(match[3] ?? defaultPort)
  return port > 65_535 ? new BadValue(`names port ${port}, and ports end at 65535`) : { host: match[1] ?? match[2] ?? '', port }
}

function readCredentials(userinfo: string): { username?: string; password?: string } | BadValue {
  const [username = '', ...rest] = userinfo.split(':')
  const password = rest.join(':')
  try {
    return {
      ...(username !== '' && { username: decodeURIComponent(username) }),
      ...(password !== '' && { password: decodeURIComponent(password) }),
    }
  } catch {
    return new BadValue('has a user or password that is not percent-encoded')
  }
}
