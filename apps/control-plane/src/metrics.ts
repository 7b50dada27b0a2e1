import { type Clock, messageOf, NekoError, within } from '@neko-edge/kit'
import type { MetricFamily } from '@neko-edge/protocol'
import { type Connection, type Fleet, type NodeRecord, roomStates, scriptUse } from '@neko-edge/store'
import { Counter, Histogram, Registry } from 'prom-client'
import type { Hub } from './session/hub.ts'

/** What this process counts for `/metrics`, each under the name that a dashboard asks for. */
export function createMetrics() {
  const registry = new Registry()
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter({ name, help, labelNames, registers: [registry] })
  return {
    registry,
    ignored: counter('neko_edge_messages_ignored_total', 'Messages of clients that were not understood, by reason', ['reason']),
    slow: counter('neko_edge_sockets_too_slow_total', 'Sockets that were closed because their client did not keep up', []),
    webhooks: counter('neko_edge_webhooks_total', 'Calls of webhooks by outcome', ['outcome']),
    logins: counter('neko_edge_logins_total', 'Logins by outcome', ['outcome']),
    requests: counter('neko_edge_http_requests_total', 'HTTP requests by status', ['status']),
    streamFrames: counter('neko_edge_stream_frames_total', 'Frames for viewers on the thin line, by format and outcome', [
      'format',
      'outcome',
    ]),
    streamBytes: counter('neko_edge_stream_bytes_total', 'Bytes of frames sent to viewers on the thin line', []),
    busCalls: new Histogram({
      name: 'neko_edge_bus_call_seconds',
      help: 'How long capture nodes took to answer, by call and outcome',
      labelNames: ['call', 'outcome'],
      buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
      registers: [registry],
    }),
  }
}

export type Metrics = ReturnType<typeof createMetrics>

/** Times one call of a capture node; its outcome is `ok` or the code of its failure. */
export async function timed<T>({ busCalls }: Metrics, { call, clock }: { call: string; clock: Clock }, work: Promise<T>): Promise<T> {
  const startedAt = clock.now()
  const note = (outcome: string) => busCalls.observe({ call, outcome }, (clock.now() - startedAt) / 1000)
  try {
    const result = await work
    note('ok')
    return result
  } catch (error) {
    note(error instanceof NekoError ? error.code : 'internal')
    throw error
  }
}

interface MetricsParts {
  readonly metrics: Metrics
  readonly hub: Hub
  readonly connection: Connection
  readonly fleet: Fleet | undefined
}

/** How long the capture node may take to give its numbers; without them the others are shown, in milliseconds. */
const nodeMs = 2_000

/** Everything of `/metrics` in the exposition format: this process, Redis, the room, the room's capture node, and at the root of the server the fleet. What has ended has no numbers. */
export async function metricsPage({ metrics, hub, connection, fleet }: MetricsParts): Promise<string> {
  const [own, node, scripts, rooms] = await Promise.all([
    metrics.registry.metrics(),
    within(nodeMs, "the capture node's numbers", hub.node.call('metrics', {})).catch((error: unknown) => {
      hub.log.debug({ error: messageOf(error) }, 'no numbers of a capture node')
      return { families: [] }
    }),
    scriptUse(connection).catch(() => undefined),
    fleet ? fleetFamilies(fleet).catch(() => []) : [],
  ])
  return [own, ...[...roomFamilies(hub), ...(scripts ? scriptFamilies(scripts) : []), ...rooms, ...node.families].map(familyText)].join(
    '\n',
  )
}

/** The rooms and nodes of the fleet, the same whichever control plane is asked. */
async function fleetFamilies(fleet: Fleet): Promise<MetricFamily[]> {
  const [counts, nodes] = await Promise.all([fleet.counts(), fleet.nodes()])
  const of = (name: string, help: string, value: (node: NodeRecord) => number): MetricFamily => ({
    name: `neko_edge_node_${name}`,
    help,
    type: 'gauge',
    samples: nodes.map((node) => ({ labels: { node: node.id }, value: value(node) })),
  })
  const samples = roomStates.map((state) => ({ labels: { state }, value: counts[state] ?? 0 }))
  return [
    { name: 'neko_edge_rooms', help: 'Rooms of the fleet by state; ended ones for an hour', type: 'gauge', samples },
    of('rooms', 'Rooms that a node has', ({ rooms }) => rooms),
    of('max_rooms', 'Rooms that a node takes', ({ maxRooms }) => maxRooms),
    of('rooms_without_relay', 'Rooms of a node behind NAT that no relay takes', ({ withoutRelay }) => withoutRelay),
    of('viewers', 'Viewers that a node serves', ({ viewers }) => viewers),
    of('load_percent', 'Measured load of a node, percent of all its processors', ({ load }) => load),
  ]
}

function roomFamilies({ room: { id: room, view }, streams }: Hub): MetricFamily[] {
  const { users, admins } = view.connected()
  const sessions = [...view.sessions.values()]
  const thin = [...(streams?.viewers ?? [])]
  const gauge = (name: string, help: string, samples: MetricFamily['samples']): MetricFamily => ({
    name: `neko_edge_room_${name}`,
    help,
    type: 'gauge',
    samples,
  })
  const one = (value: number) => [{ labels: { room }, value }]
  return [
    gauge('sessions', 'Sessions of a room', one(sessions.length)),
    gauge('connected', 'Connected sessions of a room', [
      { labels: { room, kind: 'user' }, value: users },
      { labels: { room, kind: 'admin' }, value: admins },
    ]),
    gauge('watching', 'Sessions that see the picture', one(sessions.filter(({ state }) => state.is_watching).length)),
    gauge(
      'stream_viewers',
      'Viewers on the thin line through this process, by what they watch',
      (['video', 'jpeg', 'none'] as const).map((picture) => ({
        labels: { room, picture },
        value: thin.filter((viewer) => viewer.picture === picture).length,
      })),
    ),
    gauge('host', 'Whether somebody is at the controls', one(Number(view.host !== undefined))),
    gauge(
      'node',
      'The capture node that has a room',
      view.node ? [{ labels: { room, node: view.node.node }, value: Number(view.node.facts !== undefined) }] : [],
    ),
  ]
}

const scriptFamilies = ({ calls, seconds }: { calls: number; seconds: number }): MetricFamily[] => [
  {
    name: 'neko_edge_redis_script_calls_total',
    help: 'Lua scripts that Redis ran',
    type: 'counter',
    samples: [{ labels: {}, value: calls }],
  },
  {
    name: 'neko_edge_redis_script_seconds_total',
    help: 'Time that Redis spent in Lua scripts',
    type: 'counter',
    samples: [{ labels: {}, value: seconds }],
  },
]

const escaped = (value: string) => value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')

function familyText({ name, help, type, samples }: MetricFamily): string {
  const lines = samples.map(({ labels, value, suffix = '' }) => {
    const text = Object.entries(labels).map(([key, item]) => `${key}="${escaped(item)}"`)
    return `${name}${suffix}${text.length > 0 ? `{${text.join(',')}}` : ''} ${value}`
  })
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines, ''].join('\n')
}
