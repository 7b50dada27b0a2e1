import type { Consumer, WebRtcTransport } from 'mediasoup/types'
import type { DataChannels } from './data-channel.ts'
import type { PeerLife } from './peer-life.ts'
import type { PeerStats } from './sfu.ts'

export interface PeerStatsOptions {
  readonly transport: WebRtcTransport
  readonly consumer: Consumer | undefined
  readonly life: PeerLife
  readonly channels: DataChannels
}

/** Two requests to the worker: the transport, and the video that receiver reports speak of. */
export async function peerStats({ transport, consumer, life, channels }: PeerStatsOptions): Promise<PeerStats> {
  const [[sums], streams] = await Promise.all([transport.getStats(), consumer === undefined ? [] : consumer.getStats()])
  const sent = streams.find((one) => one.type === 'outbound-rtp')
  return {
    state: life.state,
    stateChanges: life.stateChanges,
    candidates: life.candidates,
    protocol: life.protocol,
    bytesSent: sums?.bytesSent ?? 0,
    bytesReceived: sums?.bytesReceived ?? 0,
    dataBytesSent: channels.bytesSent,
    dataBytesReceived: channels.bytesReceived,
    availableBitrate: sums?.availableOutgoingBitrate ?? 0,
    jitter: sent?.jitter ?? 0,
    packetsLost: sent?.packetsLost ?? 0,
    nackedPackets: sent?.nackPacketCount ?? 0,
    roundTripMs: sent?.roundTripTime ?? 0,
  }
}
