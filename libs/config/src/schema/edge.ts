import { isIP } from 'node:net'
import { BadValue } from '../value/bad-value.ts'
import { type PortRange, printPortRange, readPortRange } from '../value/network.ts'
import { readRedisUrl } from '../value/redis-url.ts'
import { readList } from '../value/scalar.ts'
import { choice, integer, type Option, parsed, reading, text } from './option.ts'

const roleNames = ['capture', 'relay'] as const

/** What a node does: `capture` runs rooms with a desktop, `relay` only fans media out. */
export type NodeRole = (typeof roleNames)[number]

const defaultRoles: readonly NodeRole[] = ['capture']

function readRoles(raw: unknown): readonly NodeRole[] | BadValue {
  const words = readList(raw)
  if (words instanceof BadValue) {
    return words
  }
  const roles = roleNames.filter((role) => words.includes(role))
  const unknown = words.find((word) => !roleNames.some((role) => role === word))
  if (unknown !== undefined) {
    return new BadValue(`holds ${unknown}, which is not one of ${roleNames.join(', ')}`)
  }
  return roles.length === 0 ? new BadValue('is empty') : roles
}

function checkRedisUrl(value: string): string | undefined {
  const address = value === '' ? undefined : readRedisUrl(value)
  return address instanceof BadValue ? address.reason : undefined
}

const roles: Option<readonly NodeRole[], 'list'> = {
  kind: 'list',
  default: defaultRoles,
  since: 'edge',
  about: 'What this node does: capture runs rooms, relay only fans media out',
  form: `one or more of ${roleNames.join(', ')}`,
  choices: roleNames,
  schema: reading(readRoles),
  print: (value) => [...value],
}

/** Options of the split into processes; upstream has none of them. */
export const edge = {
  'redis.url': text({
    default: '',
    secret: true,
    since: 'edge',
    about: 'Redis that the processes share; empty: neko serve starts a private one',
    form: 'redis://:password@host:6379/0, rediss://host?ca=/file, unix:///run/redis.sock, redis+sentinel://host,host?master=name or redis+cluster://host,host',
    check: checkRedisUrl,
  }),
  'data.dir': text({
    default: '',
    since: 'edge',
    about: 'Directory for what must survive a restart; empty: /var/lib/neko-edge as root, else ~/.local/share/neko-edge',
    form: 'a directory',
  }),
  'node.id': text({
    default: '',
    since: 'edge',
    about: 'Name of this node among others; empty: the host name',
    form: 'letters, digits and -_.',
    check: (value) => (/^[\w.-]{0,63}$/.test(value) ? undefined : 'is not a name of a node'),
  }),
  'node.roles': roles,
  'node.address': text({
    default: '',
    since: 'edge',
    about: 'Address of this machine at which other nodes reach it, for media between nodes; empty: its first one that is not loopback',
    form: 'an IP address',
    check: (value) => (value === '' || isIP(value) !== 0 ? undefined : 'is not an IP address'),
  }),
  'node.uplink': choice({
    default: 'direct',
    choices: ['direct', 'relay'],
    since: 'edge',
    about:
      'How media leaves this node. direct: viewers and relays come to it. relay: only ways out of it are open (NAT, a firewall), so it goes to a relay, which serves all viewers',
  }),
  'node.pipe_ports': parsed<PortRange>({
    default: { min: 59_200, max: 59_299 },
    since: 'edge',
    about: 'UDP ports for media between nodes, and between the media workers of one; each takes packets of its other end alone',
    form: 'a range such as 59200-59299',
    read: (raw) => readPortRange(raw) ?? new BadValue('is empty'),
    write: printPortRange,
  }),
  'node.fan_out': integer({
    default: 8,
    min: 1,
    max: 1_000,
    unit: 'relays',
    since: 'edge',
    about: 'Relays that take a room from the same node; further ones take it from those',
  }),
  'sfu.worker': text({
    default: '',
    since: 'edge',
    about:
      'mediasoup worker: fast (the one with our packet path), stock (mediasoup as it is; built on first use), or a path; empty: fast where it was built',
    form: 'fast, stock or an absolute path',
    check: (value) =>
      value === '' || value === 'fast' || value === 'stock' || value.startsWith('/')
        ? undefined
        : 'is neither fast, stock nor an absolute path',
  }),
  'sfu.workers': integer({
    default: 0,
    min: 0,
    max: 256,
    since: 'edge',
    about:
      'Number of mediasoup workers of a node; 0: one per processor, less one where desktops run, and a single one on a fixed port (webrtc.udpmux, webrtc.tcpmux)',
  }),
  'sfu.max_load': integer({
    default: 80,
    min: 1,
    max: 100,
    unit: '% of a processor',
    since: 'edge',
    about: 'Measured load from which a mediasoup worker takes no more viewers while another one has place',
  }),
} as const
