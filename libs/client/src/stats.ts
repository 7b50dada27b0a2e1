/** The numbers behind the picture at one moment. Counters grow; rates come from two moments. */
export interface Statistics {
  readonly at: number
  readonly width: number
  readonly height: number
  readonly framesDecoded: number
  readonly framesDropped: number
  readonly framesPerSecond: number
  readonly videoBytes: number
  readonly audioBytes: number
  readonly packetsReceived: number
  readonly packetsLost: number
  /** Mean time that a frame waited to be shown, since the start, in milliseconds. */
  readonly bufferMs: number
  readonly roundTripMs: number | undefined
  readonly codec: string
  /** `udp` or `tcp`, and whether through a relay; `websocket` on the thin line. */
  readonly path: string
}

type Entry = Readonly<Record<string, unknown>>

const number = (entry: Entry | undefined, key: string): number => {
  const value = entry?.[key]
  return typeof value === 'number' ? value : 0
}
const text = (entry: Entry | undefined, key: string): string => {
  const value = entry?.[key]
  return typeof value === 'string' ? value : ''
}

/** Reads a browser's report; what a browser does not tell is 0 or empty. */
export function readStats(report: { forEach(each: (entry: unknown) => void): void }, roundTripMs: number | undefined): Statistics {
  const byId = new Map<string, Entry>()
  report.forEach((entry) => {
    // Every entry of a report is an object with an id (W3C webrtc-stats §3).
    const item = entry as Entry
    byId.set(text(item, 'id'), item)
  })
  const all = [...byId.values()]
  const inbound = (kind: string) => all.find((entry) => entry['type'] === 'inbound-rtp' && entry['kind'] === kind)
  const video = inbound('video')
  const audio = inbound('audio')
  const transport = all.find((entry) => entry['type'] === 'transport')
  const pair =
    byId.get(text(transport, 'selectedCandidatePairId')) ??
    all.find((entry) => entry['type'] === 'candidate-pair' && entry['nominated'] === true && entry['state'] === 'succeeded')
  const local = byId.get(text(pair, 'localCandidateId'))
  const emitted = number(video, 'jitterBufferEmittedCount')
  return {
    at: number(video, 'timestamp'),
    width: number(video, 'frameWidth'),
    height: number(video, 'frameHeight'),
    framesDecoded: number(video, 'framesDecoded'),
    framesDropped: number(video, 'framesDropped'),
    framesPerSecond: number(video, 'framesPerSecond'),
    videoBytes: number(video, 'bytesReceived'),
    audioBytes: number(audio, 'bytesReceived'),
    packetsReceived: number(video, 'packetsReceived') + number(audio, 'packetsReceived'),
    packetsLost: number(video, 'packetsLost') + number(audio, 'packetsLost'),
    bufferMs: emitted === 0 ? 0 : (1000 * number(video, 'jitterBufferDelay')) / emitted,
    roundTripMs,
    codec: text(byId.get(text(video, 'codecId')), 'mimeType').replace('video/', ''),
    path: [text(local, 'protocol'), text(local, 'candidateType') === 'relay' ? 'relay' : ''].filter(Boolean).join(' over '),
  }
}

/** The ways of WebRTC: UDP, TCP, or through a TURN server. */
export type WebRtcPath = 'udp' | 'tcp' | 'relay'

/** Which way of WebRTC a report tells of; `undefined` while the browser does not say. */
export function pathIn(report: Parameters<typeof readStats>[0]): WebRtcPath | undefined {
  const { path } = readStats(report, undefined)
  return path.endsWith('relay') ? 'relay' : path === 'udp' || path === 'tcp' ? path : undefined
}

/** What flowed between two moments: bits a second and the share of packets that were lost, 0 to 1. */
export function ratesBetween(before: Statistics, after: Statistics): { bitsPerSecond: number; lossShare: number } {
  const seconds = (after.at - before.at) / 1000
  const bytes = after.videoBytes + after.audioBytes - before.videoBytes - before.audioBytes
  const lost = after.packetsLost - before.packetsLost
  const sent = after.packetsReceived - before.packetsReceived + lost
  return {
    bitsPerSecond: seconds > 0 ? Math.max(0, (8 * bytes) / seconds) : 0,
    lossShare: sent > 0 ? Math.min(1, Math.max(0, lost / sent)) : 0,
  }
}
