import { isIP } from 'node:net'
import { messageOf, NekoError } from '@neko-edge/kit'
import type { PipeTransport, Router, RtpParameters, WebRtcTransport } from 'mediasoup/types'
import type { RtpSource } from '../capture/rtp-source.ts'
import type { Media, MediaFeed, Picture } from './carrier.ts'
import type { PipedStream, PipeEnd, PipeOffer } from './sfu.ts'

/*
 * Pipes between two routers of a room, on two machines or on two workers of one. Each end takes packets from the address of the other one alone,
 * and only those that bear its key (SRTP, AEAD_AES_256_GCM): what a stranger sends to the port goes nowhere. Lost packets are asked for again.
 */

/** Where ends of pipes listen. */
export interface PipePorts {
  /** A local address, under which other nodes reach this one. */
  readonly ip: string
  readonly range: { readonly min: number; readonly max: number }
}

/** A viewer that asks for a key frame over several hops is answered once for all of them; the encoder's own spacing is the origin's. */
const keyFrameDelayMs = 250

export function openPipeTransport(router: Router, { ip, range }: PipePorts): Promise<PipeTransport> {
  return router.createPipeTransport({ listenInfo: { protocol: 'udp', ip, portRange: { ...range } }, enableSrtp: true, enableRtx: true })
}

/** What the other end has to know of this one. */
export function endOf({ tuple, srtpParameters }: PipeTransport): PipeEnd {
  if (srtpParameters === undefined) {
    throw new NekoError('internal', 'a pipe without a key')
  }
  return { ip: tuple.localAddress, port: tuple.localPort, srtp: srtpParameters }
}

/** Ties a transport to its other end. Errors: `invalid` for an end that can not be one. */
export async function connectPipe(transport: PipeTransport, { ip, port, srtp }: PipeEnd): Promise<void> {
  if (isIP(ip) === 0 || !(port >= 1 && port <= 65_535)) {
    throw new NekoError('invalid', `the end of a pipe is an IP address and a port from 1 to 65535, not ${ip}:${port}`)
  }
  try {
    // The worker knows the names of its crypto suites, and refuses others.
    await transport.connect({ ip, port, srtpParameters: srtp as NonNullable<PipeTransport['srtpParameters']> })
  } catch (error) {
    throw new NekoError('invalid', `no pipe to ${ip}:${port}: ${messageOf(error)}`, { cause: error })
  }
}

/** Sends pictures and sound into a pipe, one copy of each stream. */
export async function sendInto(transport: PipeTransport, pictures: readonly Picture[]): Promise<PipedStream[]> {
  return Promise.all(
    pictures.map(async ({ producer, layers }) => {
      const { kind, rtpParameters } = await transport.consume({ producerId: producer.id })
      return { kind, ids: layers.map(({ id }) => id), rtp: rtpParameters }
    }),
  )
}

/** Takes out of a transport what the other node sends. Errors: `invalid` for streams that are not the room's. */
export async function receiveFrom(
  transport: PipeTransport | WebRtcTransport,
  { streams, sources }: { streams: readonly PipedStream[]; sources: readonly RtpSource[] },
): Promise<Picture[]> {
  return Promise.all(
    streams.map(async ({ kind, ids, rtp }) => {
      const layers = ids.map((id) => sources.find((source) => source.id === id)).filter((source) => source !== undefined)
      if (layers.length !== ids.length || ids.length === 0) {
        throw new NekoError('invalid', `streams of another room: ${ids.join(', ')}`)
      }
      // mediasoup validates what it is given, and throws.
      const rtpParameters = rtp as RtpParameters
      const producer = await transport.produce({ kind, rtpParameters, ...(kind === 'video' && { keyFrameRequestDelay: keyFrameDelayMs }) })
      return { producer, layers }
    }),
  )
}

export interface FromPipeOptions {
  readonly ports: PipePorts
  readonly sources: readonly RtpSource[]
  /** Asks the other end to open its side, and gives what it sends. */
  readonly connect: (end: PipeEnd) => Promise<PipeOffer>
}

/** A carrier's media out of a pipe. */
export function fromPipe({ ports, sources, connect }: FromPipeOptions): MediaFeed {
  return async ({ router }) => {
    const transport = await openPipeTransport(router, ports)
    const { streams, ...end } = await connect(endOf(transport))
    await connectPipe(transport, end)
    const pictures = await receiveFrom(transport, { streams, sources })
    return { ...mediaOf(pictures), stop: () => transport.close() }
  }
}

/** What came from another node as a carrier's media. Errors: `invalid` where something is missing. */
export function mediaOf(pictures: readonly Picture[]): Pick<Media, 'videos' | 'audio'> {
  const videos = pictures.filter(({ producer }) => producer.kind === 'video')
  const audio = pictures.find(({ producer }) => producer.kind === 'audio')
  if (audio === undefined || videos.length === 0) {
    throw new NekoError('invalid', 'a room without sound or without a picture')
  }
  return { videos, audio }
}
