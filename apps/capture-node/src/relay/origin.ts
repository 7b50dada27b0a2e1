import type { Config } from '@neko-edge/config'
import type { Clock, Log, NodeId } from '@neko-edge/kit'
import type { RelayArgs } from '@neko-edge/protocol'
import type { Room } from '@neko-edge/store'
import type { RoomCapture } from '../capture/room-capture.ts'
import type { Facts } from '../room/facts.ts'
import type { SfuRoom } from '../sfu/sfu.ts'
import { Uplinks } from '../uplink/uplinks.ts'
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
  /** Is told which relay this node goes to, where it needs one. */
  readonly facts: Pick<Facts, 'tell'>
  readonly clock: Clock
  readonly log: Log
}

/** Makes a room the origin of whatever relays it will need, and answers what they ask. */
export function openOrigin(options: OriginOptions): Relays {
  const { room, node, config, capture, fanOut, relaying, greet, onInput, facts, clock, log } = options
  const { own, ...rest } = relaying
  const { videos, cursorVideo, audio } = capture
  const sources = { rungs: [...videos.values()], cursorVideo, audio }
  const uplinks = config.node.uplink === 'relay' ? new Uplinks({ room: room.id, sources, onInput, clock, log }) : undefined
  const relays: Relays = new Relays({
    ...rest,
    ...{ room, node, fanOut, clock, log },
    onUplink: (uplink) => void facts.tell('uplink', { facts: { uplink }, actor: '' }),
    ...(uplinks && { uplinks }),
    relayBus: own.bus,
    sources: [...sources.rungs, cursorVideo, audio],
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
    onClosed: () => {
      stop()
      void uplinks?.[Symbol.asyncDispose]()
    },
  })
  const stop = own.serveOrigin(room.id, {
    'pipe.open': (args) => relays.openPipe(args),
    'uplink.open': (args) => relays.openUplink(args),
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
