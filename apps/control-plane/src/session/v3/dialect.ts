import { encodeV3, type NodeReplies, type ServerMessage, type Session } from '@neko-edge/protocol'
import type { PeerNews, RoomEvent } from '@neko-edge/store'
import type { Announcement, Dialect, RoomSignal } from '../dialect.ts'
import type { Hub } from '../hub.ts'
import { reopenPeer } from '../peer.ts'
import type { SessionSocket } from '../socket.ts'
import { announceEvent, announceSignal } from './announce.ts'
import { crowd, greet, settle } from './greet.ts'
import { Listing } from './listing.ts'

const say = (socket: SessionSocket, message: ServerMessage) => socket.say(message)

/** V3: nested JSON, and a word for everything. */
export class V3Dialect implements Dialect {
  readonly name = 'v3'
  readonly heartbeat: ServerMessage = { event: 'system/heartbeat', payload: undefined }
  readonly #hub: Hub
  readonly #listing: Listing
  /** How many everybody was told are connected; undefined while everybody is listed. */
  #told: number | undefined

  constructor(hub: Hub) {
    this.#hub = hub
    this.#listing = new Listing(() => hub.room.view)
  }

  greet(socket: SessionSocket, session: Session): void {
    for (const message of greet(session, this.#hub.room.view, this.#hub.features)) {
      say(socket, message)
    }
  }

  settle(socket: SessionSocket): void {
    for (const message of settle(this.#hub.room.view, this.#hub.features)) {
      say(socket, message)
    }
  }

  announceEvent(event: RoomEvent): Announcement[] {
    return this.#listing.follow(event, announceEvent(event, this.#hub.room.view, this.#hub.features))
  }

  announceCount(): Announcement[] {
    const message = crowd(this.#hub.room.view)
    const connected = message.payload?.connected
    if (connected === this.#told) {
      return []
    }
    this.#told = connected
    return [{ message, isFleeting: true }]
  }

  announceSignal(signal: RoomSignal): Announcement[] {
    return announceSignal(signal, this.#hub.room.view, { chatEnabled: this.#hub.features.chat })
  }

  provide(socket: SessionSocket, { sdp, video, audio }: NodeReplies['peer.open']): void {
    say(socket, { event: 'signal/provide', payload: { sdp, iceservers: [...this.#hub.features.iceServers], video, audio } })
    say(socket, { event: 'signal/video', payload: video })
    if (!audio.disabled) {
      say(socket, { event: 'signal/audio', payload: audio })
    }
  }

  peerNews(socket: SessionSocket, news: PeerNews): void {
    switch (news.is) {
      case 'video':
        return say(socket, { event: 'signal/video', payload: news.video })
      case 'audio':
        return say(socket, { event: 'signal/audio', payload: news.audio })
      case 'candidate':
        return say(socket, { event: 'signal/candidate', payload: news.candidate })
      case 'offer':
        return say(socket, { event: 'signal/offer', payload: { sdp: news.sdp } })
      case 'closed':
        return say(socket, { event: 'signal/close', payload: null })
      case 'lost':
        void reopenPeer(this.#hub, socket)
        return
      default:
        return news satisfies never
    }
  }

  farewell(message: string): ServerMessage {
    return { event: 'system/disconnect', payload: { message } }
  }

  encode(message: object): string {
    // Only this dialect's own messages come here: its sockets are told nothing else.
    return encodeV3(message as ServerMessage)
  }
}
