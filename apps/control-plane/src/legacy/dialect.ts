import { messageOf } from '@neko-edge/kit'
import type { Lock, LockName, NodeReplies, Session, V2Message } from '@neko-edge/protocol'
import { deleteSession, type PeerNews, type RoomEvent } from '@neko-edge/store'
import type { Announcement, Dialect, RoomSignal } from '../session/dialect.ts'
import type { Hub } from '../session/hub.ts'
import { openPeer } from '../session/peer.ts'
import type { SessionSocket } from '../session/socket.ts'
import {
  factsMessages,
  fileList,
  hostMessage,
  lockMessages,
  maySeeFiles,
  signalMessages,
  toMembers,
  type V2Announcement,
} from './announce.ts'
import { Crowd } from './crowd.ts'
import { firstWords, privateNotice, whoIsThere } from './greet.ts'
import { isMember } from './member.ts'

/** The texts of ours that V2 has its own words for; `kicked` is the only one that its client looks at. */
const farewells: Readonly<Record<string, string>> = { 'profile changed': 'kicked', 'connection shutdown': 'server_shutdown' }

const say = (socket: SessionSocket, message: V2Message) => socket.say(message)

/**
 * V2: flat JSON to clients that know no sessions, only people who see the picture. The offer goes out first, since it tells
 * a client who it is; who is there is said when the picture has come.
 */
export class V2Dialect implements Dialect {
  readonly name = 'v2'
  readonly heartbeat = undefined
  readonly #hub: Hub
  readonly #crowd: Crowd
  #locks: Partial<Record<LockName, Lock>>
  #isPrivate: boolean
  /** Whom the room was described to, and who was told who is there. */
  readonly #welcomed = new WeakSet<SessionSocket>()
  readonly #shown = new WeakSet<SessionSocket>()

  constructor(hub: Hub) {
    this.#hub = hub
    this.#crowd = new Crowd(() => hub.room.view)
    this.#locks = hub.room.view.locks
    this.#isPrivate = hub.room.view.base.private_mode
  }

  greet(socket: SessionSocket): void {
    openPeer(this.#hub, socket, {}).catch((error: unknown) => {
      this.#hub.log.warn({ session: socket.id, error: messageOf(error) }, 'V2 viewer gets no picture')
      this.#end(socket, 'the desktop is not running right now')
    })
  }

  provide(socket: SessionSocket, { sdp }: NodeReplies['peer.open']): void {
    const ice = this.#hub.features.iceServers.map((server) => ({ ...server, credentialType: 'password' as const }))
    // `lite` makes clients leave out the servers: TURN has to stay usable, though we are ICE-lite.
    say(socket, { event: 'signal/provide', id: socket.id, sdp, lite: ice.length === 0, ice })
    this.#welcome(socket)
  }

  announceEvent(event: RoomEvent): Announcement[] {
    const { view } = this.#hub.room
    if (event.is === 'state' || event.is === 'profile') {
      this.#greetMember(event.id)
    }
    // Control and locks come before a member goes: his name is still known then.
    return [...this.#others(event, view), ...this.#crowd.follow(event)]
  }

  announceSignal(signal: RoomSignal): Announcement[] {
    return signalMessages(signal, this.#hub.room.view, this.#hub.features)
  }

  peerNews(socket: SessionSocket, news: PeerNews): void {
    switch (news.is) {
      case 'offer':
        return say(socket, { event: 'signal/offer', sdp: news.sdp })
      case 'candidate':
        return say(socket, { event: 'signal/candidate', data: JSON.stringify(news.candidate) })
      case 'closed':
        // Without a picture nobody is a member of a V2 room: the client comes back by a new login.
        return this.#end(socket, 'connection lost')
      case 'lost':
        // It takes no second offer for a picture that was lost; told to go, it comes back at once by itself.
        return this.#end(socket, 'the desktop was started again')
      case 'video':
      case 'audio':
        return
      default:
        return news satisfies never
    }
  }

  farewell(reason: string): V2Message {
    return { event: 'system/disconnect', title: '', message: farewells[reason] ?? reason }
  }

  encode(message: object): string {
    return JSON.stringify(message)
  }

  #greetMember(id: string): void {
    const socket = this.#hub.socketOf(id)
    if (socket?.dialect === this) {
      this.#welcome(socket)
      this.#showRoom(socket)
    }
  }

  /**
   * Describes the room to a viewer who has his offer. A client up to 2.9 says its name only with its answer: until then nobody knows
   * which lock is its own.
   */
  #welcome(socket: SessionSocket): void {
    const session = this.#hub.sessionOf(socket)
    if (session && socket.peer !== undefined && (session.profile.name !== '' || session.state.is_watching) && !this.#welcomed.has(socket)) {
      this.#welcomed.add(socket)
      for (const message of firstWords(session, this.#hub.room.view, this.#hub.features)) {
        say(socket, message)
      }
    }
  }

  /** A member whose picture has just come sees who is there before he is announced himself. */
  #showRoom(socket: SessionSocket): void {
    const session = this.#hub.sessionOf(socket)
    if (session && isMember(session) && !this.#shown.has(socket)) {
      this.#shown.add(socket)
      for (const message of whoIsThere(session, this.#hub.room.view, this.#hub.features.fallback.screen)) {
        say(socket, message)
      }
    }
  }

  #others(event: RoomEvent, view: Hub['room']['view']): V2Announcement[] {
    switch (event.is) {
      case 'host': {
        const message = hostMessage(event)
        return message ? [toMembers(message)] : []
      }
      case 'settings':
        return this.#settings(event, view)
      case 'facts':
        return factsMessages(event, view, this.#hub.features)
      default:
        return []
    }
  }

  #settings(event: Extract<RoomEvent, { is: 'settings' }>, view: Hub['room']['view']): V2Announcement[] {
    const [before, wasPrivate] = [this.#locks, this.#isPrivate]
    this.#locks = event.locks
    this.#isPrivate = event.base.private_mode
    const { features } = this.#hub
    const isOpenedAgain = before.file_transfer !== undefined && event.locks.file_transfer === undefined
    const seeFiles = (session: Session) => isMember(session) && maySeeFiles(session, { view, features })
    return [
      ...lockMessages(before, event),
      ...(isOpenedAgain ? fileList(view, features) : []).map((message) => ({ message, to: seeFiles })),
      ...(this.#isPrivate && !wasPrivate
        ? [{ message: privateNotice, to: (session: Session) => isMember(session) && view.isShutOut(session.profile) }]
        : []),
    ]
  }

  #end(socket: SessionSocket, reason: string): void {
    this.#hub.room.run(deleteSession, [socket.id, reason, socket.id]).catch((error: unknown) => {
      this.#hub.log.debug({ session: socket.id, error: messageOf(error) }, 'V2 session not ended')
      socket.end(reason)
    })
  }
}
