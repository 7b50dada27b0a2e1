import type { MetricFamily } from '@neko-edge/protocol'
import type { PipelineNumbers, RoomCapture } from '../capture/room-capture.ts'
import type { Peer, PeerState, PeerStats, WorkerStats } from '../sfu/sfu.ts'

type Labels = Record<string, string>
type Sample = MetricFamily['samples'][number]

/** What is counted of a room on its node, under upstream's names, and of the node's workers under ours. */
export interface NodeNumbers {
  readonly capture: Pick<RoomCapture, 'numbers' | 'screencast'>
  /** The present peers: what has ended has no numbers any more. */
  readonly peers: () => Iterable<{ session: string; peer: Peer; opened: number }>
  readonly workers: () => Promise<WorkerStats[]>
}

/** Reads all numbers now. A peer that ends meanwhile is left out. */
export async function nodeFamilies({ capture, peers, workers }: NodeNumbers): Promise<MetricFamily[]> {
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

function viewerFamilies(viewers: readonly Viewer[]): MetricFamily[] {
  const one = (value: (viewer: Viewer) => number, labels: (viewer: Viewer) => Labels = () => ({})) =>
    viewers.map((viewer) => ({ labels: { session_id: viewer.session, ...labels(viewer) }, value: value(viewer) }))
  const both = (values: readonly (readonly [Labels, (viewer: Viewer) => number])[]) =>
    values.flatMap(([labels, value]) => one(value, () => labels))
  const [udp, tcp, ice, sctp] = [{ protocol: 'udp' }, { protocol: 'tcp' }, { transport: 'ice' }, { transport: 'sctp' }] as const
  const rows: [MetricFamily['type'], string, string, Sample[]][] = [
    ['gauge', 'connection_state', 'Connection state of session.', one(({ stats }) => states[stats.state])],
    ['counter', 'connection_state_count', 'Count of connection state changes for a session.', one(({ stats }) => stats.stateChanges)],
    ['counter', 'connection_count', 'Connection count of a session.', one(({ opened }) => opened)],
    [
      'counter',
      'ice_candidates_count',
      'Count of ICE candidates sent by a remote client.',
      both([
        [udp, ({ stats }) => stats.candidates.udp],
        [tcp, ({ stats }) => stats.candidates.tcp],
      ]),
    ],
    [
      'gauge',
      'ice_candidates_used',
      'Remote ICE candidates that are in use.',
      both([
        [udp, ({ stats }) => Number(stats.protocol === 'udp')],
        [tcp, ({ stats }) => Number(stats.protocol === 'tcp')],
      ]),
    ],
    [
      'gauge',
      'video_listeners',
      'Listeners for a video stream by a session.',
      one(
        () => 1,
        ({ video }) => ({ video_id: video }),
      ),
    ],
    [
      'gauge',
      'receiver_estimated_maximum_bitrate',
      'Estimate for the path to the client, bit/s.',
      one(({ stats }) => stats.availableBitrate),
    ],
    [
      'gauge',
      'receiver_estimated_target_bitrate',
      'Estimate for the path to the client, bit/s.',
      one(({ stats }) => stats.availableBitrate),
    ],
    // Upstream counts in 1/65536 s.
    [
      'gauge',
      'receiver_report_delay',
      'Round trip by the last receiver report, 1/65536 s.',
      one(({ stats }) => Math.round(stats.roundTripMs * 65.536)),
    ],
    [
      'gauge',
      'receiver_report_jitter',
      'Interarrival jitter of the last receiver report, RTP clock units.',
      one(({ stats }) => stats.jitter),
    ],
    ['gauge', 'receiver_report_total_lost', 'Packets lost by the last receiver report.', one(({ stats }) => stats.packetsLost)],
    ['counter', 'transport_layer_nacks', 'Packets that the client asked for again.', one(({ stats }) => stats.nackedPackets)],
    [
      'gauge',
      'bytes_sent',
      'Sent bytes to a session.',
      both([
        [ice, ({ stats }) => stats.bytesSent],
        [sctp, ({ stats }) => stats.dataBytesSent],
      ]),
    ],
    [
      'gauge',
      'bytes_received',
      'Received bytes from a session.',
      both([
        [ice, ({ stats }) => stats.bytesReceived],
        [sctp, ({ stats }) => stats.dataBytesReceived],
      ]),
    ],
  ]
  return rows.map(([type, name, help, samples]) => family(type, `webrtc_${name}`, { help, samples }))
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
  ]
}
