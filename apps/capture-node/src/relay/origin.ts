import type { Config } from '@neko-edge/config'
import type { Clock, Log, NodeId } from '@neko-edge/kit'
import type { RelayArgs } from '@neko-edge/protocol'
import type { Room } from '@neko-edge/store'
import type { RoomCapture } from '../capture/room-capture.ts'
import type { SfuRoom } from '../sfu/sfu.ts'
import type { NodeRelays } from './node-relays.ts'
import { Relays, type RelaysOptions } from './relays.ts'

/** Through which a room finds relays, and they it. */
export interface Relaying extends Pick<RelaysOptions, 'fleet' | 'width' | 'publish' | 'isReachable'> {
  readonly own: NodeRelays
}

export interface OriginOptions {
  readonly room: Room
  readonly node: NodeId
  readonly config: Config
  readonly capture: Pick<RoomCapture, 'videos' | 'cursorVideo' | 'audio'>
  readonly fanOut: SfuRoom
  readonly relaying: Relaying
  /** What a new viewer of the data channel is told first. */
  readonly greet: (send: (message: Uint8Array) => void) => void
  readonly onInput: (args: RelayArgs<'relay.input'>) => void
  readonly clock: Clock
  readonly log: Log
}

/** Makes a room the origin of whatever relays it will need, and answers what they ask. */
export function openOrigin({ room, node, config, capture, fanOut, relaying, greet, onInput, clock, log }: OriginOptions): Relays {
  const { own, ...rest } = relaying
  const { videos, cursorVideo, audio } = capture
  const relays: Relays = new Relays({
    ...rest,
    ...{ room, node, fanOut, clock, log },
    relayBus: own.bus,
    sources: [...videos.values(), cursorVideo, audio],
    media: {
      videoCodec: cursorVideo.codec.name,
      audioCodec: audio.codec.name,
      rungs: [...videos.keys()],
      cursorVideo: cursorVideo.id,
      audio: audio.id,
      legacy: config.legacy,
      setup: config.webrtc.setup,
    },
    // A relay that is new knows nothing of the cursor.
    onAttached: () => greet((message) => relays.tellChannel(message)),
    onClosed: () => stop(),
  })
  const stop = own.serveOrigin(room.id, {
    'pipe.open': (args) => relays.openPipe(args),
    'pipe.close': ({ name }) => done(fanOut.closePipe(name)),
    'relay.input': (args) => done(onInput(args)),
    'relay.held': (args) => done(relays.hold(args)),
    'relay.left': (args) => done(relays.left(args)),
    'relay.leaving': ({ relay }) => done(relays.leaving(relay)),
  })
  return relays
}

/** What has nothing to say in reply. */
function done(_: unknown): null {
  return null
}
