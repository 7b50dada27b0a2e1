import type { MetricFamily } from '@neko-edge/protocol'
import type { PipelineNumbers, RoomCapture } from '../capture/room-capture.ts'
import type { RelayNumbers } from '../relay/relay-numbers.ts'
import type { Peer, PeerState, PeerStats, WorkerStats } from '../sfu/sfu.ts'
import type { WorkerCounters } from '../sfu/worker-counters.ts'

type Labels = Record<string, string>
type Sample = MetricFamily['samples'][number]

/** What is counted of a room on its node, under upstream's names, and of the node's workers under ours. */
export interface NodeNumbers {
  readonly capture: Pick<RoomCapture, 'numbers' | 'screencast'>
  /** The present peers: what has ended has no numbers any more. */
  readonly peers: () => Iterable<{ session: string; peer: Peer; opened: number }>
  readonly workers: () => Promise<WorkerStats[]>
  readonly relays: () => Promise<RelayNumbers[]>
  /** Messages of data channels that were not understood. */
  readonly ignoredMessages: () => number
}

/** Reads all numbers now. A peer that ends meanwhile is left out. */
export async function nodeFamilies({ capture, peers, workers, relays, ignoredMessages }: NodeNumbers): Promise<MetricFamily[]> {
  const viewers = await Promise.all(
    [...peers()].map(async ({ session, peer, opened }) => {
      const stats = await peer.stats().catch(() => undefined)
      return stats ? [{ session, stats, opened, video: peer.video.id }] : []
    }),
  )
  return [
    ...captureFamilies(capture.numbers(), capture.screencast.images),
    ...viewerFamilies(viewers.flat()),
    ...workerFamilies(await workers()),
    ...relayFamilies(await relays()),
    family('counter', 'edge_channel_messages_ignored_total', {
      help: 'Messages of data channels that were not understood',
      samples: [{ labels: {}, value: ignoredMessages() }],
    }),
  ]
}

const family = (type: MetricFamily['type'], name: string, { help, samples }: { help: string; samples: Sample[] }): MetricFamily => ({
  name: `neko_${name}`,
  type,
  help,
  samples,
})

function captureFamilies(numbers: readonly PipelineNumbers[], images: number): MetricFamily[] {
  const sinks = numbers.filter(({ submodule }) => submodule === 'streamsink')
  const sources = numbers.filter(({ submodule }) => submodule === 'streamsrc')
  const codec = (one: PipelineNumbers): Labels => ({
    video_id: one.id || 'main',
    codec_name: one.codec?.name ?? '-',
    codec_type: one.codec?.kind ?? '-',
  })
  const all = (value: (one: PipelineNumbers) => number) =>
    numbers.map((one) => ({ labels: { submodule: one.submodule, ...codec(one) }, value: value(one) }))
  const each = (some: readonly PipelineNumbers[], value: (one: PipelineNumbers) => number) =>
    some.map((one) => ({ labels: codec(one), value: value(one) }))
  return [
    family('counter', 'capture_pipelines_total', { help: 'Total number of created pipelines.', samples: all(({ started }) => started) }),
    family('gauge', 'capture_pipelines_active', {
      help: 'Total number of active pipelines.',
      samples: all(({ isActive }) => Number(isActive)),
    }),
    family('counter', 'capture_screencast_images_total', {
      help: 'Total number of created images.',
      samples: [{ labels: {}, value: images }],
    }),
    family('gauge', 'capture_streamsink_listeners', {
      help: 'Current number of listeners for a stream.',
      samples: each(sinks, ({ listeners }) => listeners),
    }),
    family('counter', 'capture_streamsink_bytes', {
      help: 'Total number of bytes created by the pipeline.',
      samples: each(sinks, ({ bytes }) => bytes),
    }),
    family('summary', 'capture_streamsrc_data_bytes', {
      help: 'Bytes of media taken from clients.',
      samples: sources.map((one) => ({ labels: codec(one), value: one.bytes, suffix: '_sum' })),
    }),
  ]
}

interface Viewer {
  readonly session: string
  readonly stats: PeerStats
  readonly opened: number
  readonly video: string
}

const states: Readonly<Record<PeerState, number>> = { new: 0, closed: 1, failed: 2, disconnected: 3, connecting: 4, connected: 5 }

type Value = (viewer: Viewer) => number
/** A family about viewers: type, name, help, and for each of its samples the labels beside the session with what it counts. */
type ViewerRow = readonly [
  type: MetricFamily['type'],
  name: string,
  help: string,
  ...samples: (readonly [(viewer: Viewer) => Labels, Value])[],
]

const plain = (value: Value) => [() => ({}), value] as const
const labelled = (name: string, label: string, value: Value) => [() => ({ [name]: label }), value] as const

const viewerRows: readonly ViewerRow[] = [
  ['gauge', 'connection_state', 'Connection state of session.', plain(({ stats }) => states[stats.state])],
  ['counter', 'connection_state_count', 'Count of connection state changes for a session.', plain(({ stats }) => stats.stateChanges)],
  ['counter', 'connection_count', 'Connection count of a session.', plain(({ opened }) => opened)],
  [
    'counter',
    'ice_candidates_count',
    'Count of ICE candidates sent by a remote client.',
    labelled('protocol', 'udp', ({ stats }) => stats.candidates.udp),
    labelled('protocol', 'tcp', ({ stats }) => stats.candidates.tcp),
  ],
  [
    'gauge',
    'ice_candidates_used',
    'Remote ICE candidates that are in use.',
    labelled('protocol', 'udp', ({ stats }) => Number(stats.protocol === 'udp')),
    labelled('protocol', 'tcp', ({ stats }) => Number(stats.protocol === 'tcp')),
  ],
  ['gauge', 'video_listeners', 'Listeners for a video stream by a session.', [({ video }) => ({ video_id: video }), () => 1]],
  // There is one estimate here, where upstream has two.
  [
    'gauge',
    'receiver_estimated_maximum_bitrate',
    'Estimate for the path to the client, bit/s.',
    plain(({ stats }) => stats.availableBitrate),
  ],
  [
    'gauge',
    'receiver_estimated_target_bitrate',
    'Estimate for the path to the client, bit/s.',
    plain(({ stats }) => stats.availableBitrate),
  ],
  [
    'gauge',
    'receiver_report_delay',
    'Round trip by the last report, 1/65536 s.',
    plain(({ stats }) => Math.round(stats.roundTripMs * 65.536)),
  ],
  ['gauge', 'receiver_report_jitter', 'Interarrival jitter of the last report, RTP clock units.', plain(({ stats }) => stats.jitter)],
  ['gauge', 'receiver_report_total_lost', 'Packets lost by the last report.', plain(({ stats }) => stats.packetsLost)],
  ['counter', 'transport_layer_nacks', 'Packets that the client asked for again.', plain(({ stats }) => stats.nackedPackets)],
  [
    'gauge',
    'bytes_sent',
    'Sent bytes to a session.',
    labelled('transport', 'ice', ({ stats }) => stats.bytesSent),
    labelled('transport', 'sctp', ({ stats }) => stats.dataBytesSent),
  ],
  [
    'gauge',
    'bytes_received',
    'Received bytes from a session.',
    labelled('transport', 'ice', ({ stats }) => stats.bytesReceived),
    labelled('transport', 'sctp', ({ stats }) => stats.dataBytesReceived),
  ],
]

const viewerFamilies = (viewers: readonly Viewer[]): MetricFamily[] =>
  viewerRows.map(([type, name, help, ...rows]) => {
    const samples = viewers.flatMap((viewer) =>
      rows.map(([labels, value]) => ({ labels: { session_id: viewer.session, ...labels(viewer) }, value: value(viewer) })),
    )
    return family(type, `webrtc_${name}`, { help, samples })
  })

function relayFamilies(relays: readonly RelayNumbers[]): MetricFamily[] {
  const each = (value: (relay: RelayNumbers) => number) => relays.map((relay) => ({ labels: { relay: relay.relay }, value: value(relay) }))
  return [
    family('gauge', 'edge_relay_viewers', { help: 'Viewers of a room behind a relay.', samples: each(({ viewers }) => viewers) }),
    family('counter', 'edge_relay_bytes_sent_total', {
      help: 'Bytes that this node itself has sent to a relay.',
      samples: each(({ bytesSent }) => bytesSent),
    }),
    family('counter', 'edge_relay_refused_packets_total', {
      help: 'Packets that the media workers of a relay refused: strangers at the ends of its pipes, and what bore the wrong key.',
      samples: relays.flatMap(({ relay, refused }) => (refused === undefined ? [] : [{ labels: { relay }, value: refused }])),
    }),
  ]
}

function workerFamilies(workers: readonly WorkerStats[]): MetricFamily[] {
  const each = (value: (worker: WorkerStats) => number) =>
    workers.map((worker) => ({ labels: { worker: String(worker.index) }, value: value(worker) }))
  return [
    family('counter', 'edge_worker_cpu_seconds_total', { help: 'CPU time of an SFU worker.', samples: each(({ cpuMs }) => cpuMs / 1000) }),
    family('gauge', 'edge_worker_memory_bytes', {
      help: 'Memory of an SFU worker at its highest.',
      samples: each(({ maxRssBytes }) => maxRssBytes),
    }),
    family('gauge', 'edge_worker_rooms', { help: 'Rooms that an SFU worker carries.', samples: each(({ rooms }) => rooms) }),
    family('gauge', 'edge_worker_viewers', { help: 'Viewers of an SFU worker.', samples: each(({ viewers }) => viewers) }),
    family('gauge', 'edge_worker_load', { help: 'Share of a processor that an SFU worker uses.', samples: each(({ load }) => load) }),
    family('gauge', 'edge_worker_info', {
      help: 'Which SFU worker runs: stock mediasoup or the fast one, and what protects the packets that the fast one sends.',
      samples: workers.map(({ index, counters }) => ({
        labels: { worker: String(index), flavour: counters ? 'fast' : 'stock', aead: counters?.aead ?? 'libsrtp' },
        value: 1,
      })),
    }),
    ...fastWorkerFamilies(workers),
  ]
}

/** Sizes of the batches that a fast worker counts, in segments. */
const batchSizes = ['1', '2', '3-4', '5-8', '9-16'] as const

const fastWorkerRows: readonly (readonly [name: string, help: string, value: (counters: WorkerCounters) => number])[] = [
  ['datagrams', 'Datagrams that a fast worker sent.', ({ datagrams }) => datagrams],
  ['bytes', 'Bytes of the datagrams that a fast worker sent.', ({ bytes }) => bytes],
  ['send_calls', 'System calls in which a fast worker sent them.', ({ calls }) => calls],
  ['send_fallbacks', 'Batches that had to go as single datagrams.', ({ fallbacks }) => fallbacks],
  ['send_again', 'Times that a socket could take no more (EAGAIN).', ({ again }) => again],
  ['send_backlogged', 'Datagrams that waited for such a socket.', ({ backlogged }) => backlogged],
  ['send_dropped', 'Datagrams given up because too many waited.', ({ dropped }) => dropped],
  ['send_failed', 'Datagrams that the kernel refused.', ({ failed }) => failed],
  ['frames_held', 'Times that the beginning of a frame was held for its end.', ({ holds }) => holds],
  ['frames_held_in_vain', 'Times that this end did not come in time.', ({ holdsExpired }) => holdsExpired],
  [
    'stranger_datagrams',
    'Datagrams to the end of a pipe between nodes or workers that did not come from its other end: refused.',
    ({ strangers }) => strangers,
  ],
  [
    'forged_packets',
    'RTP and RTCP, at pipes and from viewers, that did not bear the key of their sender (SRTP): refused.',
    ({ forged }) => forged,
  ],
]

function fastWorkerFamilies(workers: readonly WorkerStats[]): MetricFamily[] {
  const fast = workers.flatMap(({ index, counters }) => (counters ? [{ labels: { worker: String(index) }, counters }] : []))
  const batches = fast.flatMap(({ labels, counters }) =>
    batchSizes.map((segments, index) => ({ labels: { ...labels, segments }, value: counters.batchesBySegments[index] ?? 0 })),
  )
  return [
    ...fastWorkerRows.map(([name, help, value]) =>
      family('counter', `edge_worker_${name}_total`, {
        help,
        samples: fast.map(({ labels, counters }) => ({ labels, value: value(counters) })),
      }),
    ),
    family('counter', 'edge_worker_batches_total', {
      help: 'Batches that a fast worker sent, by how many segments they had.',
      samples: batches,
    }),
  ]
}
