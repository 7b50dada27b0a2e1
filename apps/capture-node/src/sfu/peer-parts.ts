import type { Clock, Log } from '@neko-edge/kit'
import { messageOf, NekoError } from '@neko-edge/kit'
import type { WebRtcTransport } from 'mediasoup/types'
import type { Carrier } from './carrier.ts'
import { DataChannels } from './data-channel.ts'
import type { EndableMedia } from './incoming-media.ts'
import type { MediasoupPeer } from './peer.ts'
import { PeerAudio } from './peer-audio.ts'
import { PeerDescription } from './peer-description.ts'
import { consentTimeoutS, PeerLife } from './peer-life.ts'
import { PeerVideo } from './peer-video.ts'
import type { PeerOptions } from './sfu.ts'

/** What a room gives its peers. */
export interface PeerSetting {
  readonly carrier: Carrier
  readonly addresses: readonly string[]
  readonly estimator: { readonly isEnabled: boolean; readonly initialBitrate: number; readonly isTold: boolean }
  /** The best rung, and the picture with the pointer. */
  readonly defaultId: { readonly v3: string; readonly v2: string }
  readonly log: Log
  readonly clock: Clock
  readonly onClosed: (peer: MediasoupPeer) => void
  readonly onMedia: (media: EndableMedia) => void
}

/** Everything that one peer holds in the worker. */
export interface PeerParts {
  readonly transport: WebRtcTransport
  readonly life: PeerLife
  readonly description: PeerDescription
  readonly video: PeerVideo
  readonly audio: PeerAudio
  readonly channels: DataChannels
}

async function openTransport({ carrier, estimator, log }: PeerSetting): Promise<WebRtcTransport> {
  const transport = await carrier.router.createWebRtcTransport({
    webRtcServer: carrier.run.server,
    preferUdp: true,
    enableSctp: true,
    iceConsentTimeout: consentTimeoutS,
    initialAvailableOutgoingBitrate: estimator.initialBitrate,
  })
  if (estimator.isTold) {
    transport.on('trace', ({ type, info }) => log.info({ transport: transport.id, type, info }, 'estimate of the path'))
    await transport.enableTraceEvent(['bwe'])
  }
  return transport
}

async function openInside(transport: WebRtcTransport, options: PeerOptions, setting: PeerSetting): Promise<PeerParts> {
  const { carrier, addresses, estimator, defaultId } = setting
  const {
    kind,
    canShare,
    taken = ['audio', 'video'],
    video: videoRequest = {},
    audio: audioRequest = {},
    paused: isPaused = false,
    setup = 'active',
  } = options
  const life = new PeerLife(transport, setting.clock, () => carrier.run.worker.died)
  // Together, so that the requests share their way to the worker; what came to be when one of them failed goes with the transport.
  const [audio, video, channels] = await Promise.allSettled([
    PeerAudio.open({ carrier, transport, disabled: audioRequest.disabled ?? false, isPaused }),
    PeerVideo.open({
      carrier,
      transport,
      request: videoRequest,
      defaultId: defaultId[kind],
      isPaused,
      hasEstimator: estimator.isEnabled,
      initialBitrate: estimator.initialBitrate,
      clock: setting.clock,
    }),
    DataChannels.open({ carrier, transport, opener: kind === 'v3' ? 'server' : 'client' }),
  ])
  if (audio.status === 'fulfilled' && video.status === 'fulfilled' && channels.status === 'fulfilled') {
    const description = new PeerDescription({ transport, addresses, setup, shares: canShare ? taken : [], codecs: carrier.codecs })
    const parts = { transport, life, description, audio: audio.value, video: video.value, channels: channels.value }
    for (const media of ['audio', 'video'] as const) {
      const { consumer } = parts[media]
      if (consumer !== undefined) {
        description.setSending(media, consumer)
      }
    }
    return parts
  }
  life.close('closed')
  for (const part of [audio, video, channels]) {
    if (part.status === 'fulfilled') {
      part.value.close()
    }
  }
  throw [video, audio, channels].find((part) => part.status === 'rejected')?.reason
}

/** Makes the parts of a peer, or leaves nothing behind. Errors: `notFound` for an unknown stream, `unavailable` when the worker dies meanwhile. */
export async function openParts(options: PeerOptions, setting: PeerSetting): Promise<PeerParts> {
  let transport: WebRtcTransport | undefined
  try {
    transport = await openTransport(setting)
    return await openInside(transport, options, setting)
  } catch (error) {
    transport?.close()
    throw error instanceof NekoError ? error : new NekoError('unavailable', `media worker: ${messageOf(error)}`, { cause: error })
  }
}
