import { type Clock, Listeners } from '@neko-edge/kit'
import type { ClientEvent, ScreenSize, ServerMessage } from '@neko-edge/protocol'
import { Cell, type Watchable } from './cell.ts'
import { isMuted, type LockName, lockNames, locksIn } from './permission.ts'
import type { Room } from './room.ts'

/** From so many people on, comings and goings share one line. */
const largeRoom = 12
/** Lines that are kept, and characters of each. */
const mostLines = 500
const mostCharacters = 10_000
/** The `send/broadcast` subject of emotes, as the V2 dialect of the server has it. */
const emoteSubject = 'emote'

/** One line of the log of a room: what somebody said, or what happened. Names are those of that moment. */
export type ChatLine = { readonly key: number; readonly at: number } & (
  | { readonly is: 'said'; readonly from: string; readonly name: string; readonly text: string; readonly isMine: boolean }
  | { readonly is: 'crowd'; readonly came: readonly string[]; readonly left: readonly string[] }
  | { readonly is: 'host'; readonly name: string; readonly has: boolean }
  | { readonly is: 'lock'; readonly lock: LockName; readonly isLocked: boolean; readonly name: string }
  | { readonly is: 'screen'; readonly name: string; readonly screen: ScreenSize }
  | { readonly is: 'mute'; readonly name: string; readonly isMuted: boolean }
)

type NewLine = ChatLine extends infer L ? (L extends ChatLine ? Omit<L, 'key' | 'at'> : never) : never

/** A picture that flies over the desktop for a moment. */
export interface Emote {
  readonly from: string
  /** A name of V2's list, such as `clap`; others come too. */
  readonly name: string
}

/** What the chat needs of its client. */
export interface ChatOptions {
  clock: Clock
  room: Watchable<Room | undefined>
  send: (event: ClientEvent, payload?: unknown) => boolean
}

/** The chat of a room, with what else happened in it, and emotes. */
export class Chat {
  readonly #options: ChatOptions
  readonly #lines = new Cell<readonly ChatLine[]>([])
  readonly #emotes = new Listeners<Emote>()
  #present = new Map<string, string>()
  #before: Room | undefined
  #next = 1

  constructor(options: ChatOptions) {
    this.#options = options
  }

  /** What was said and happened since one came, oldest first, the last 500 lines. */
  get lines(): Watchable<readonly ChatLine[]> {
    return this.#lines
  }

  /** Emotes of others, and one's own: the server does not send them back. */
  onEmote(listener: (emote: Emote) => void): () => void {
    return this.#emotes.add(listener)
  }

  /** Says something to the room; it shows when the server gives it back. False where there is no connection. */
  say(text: string): boolean {
    return this.#options.send('chat/message', { text })
  }

  /** Sends an emote to the room, and shows it to oneself. */
  emote(name: string): void {
    const room = this.#options.room.value
    if (room && this.#options.send('send/broadcast', { subject: emoteSubject, body: name })) {
      this.#emotes.emit({ from: room.me, name })
    }
  }

  /** Takes in what the server says, after the room has. */
  heard(message: ServerMessage): void {
    const before = this.#before
    const room = this.#options.room.value
    this.#before = room
    if (!room) {
      return
    }
    switch (message.event) {
      case 'system/init':
        this.#present = new Map(
          [...room.sessions.values()].filter(({ state }) => state.is_connected).map(({ id, profile }) => [id, profile.name]),
        )
        break
      case 'session/created':
      case 'session/state':
      case 'session/profile':
      case 'session/deleted':
        this.#moved(room, message.payload.id)
        this.#muted(before, room, message.payload.id)
        break
      case 'screen/updated':
        this.#add({ is: 'screen', name: this.#nameOf(room, message.payload.id), screen: room.screen })
        break
      case 'chat/message':
        this.#said(room, message.payload)
        break
      case 'send/broadcast':
        if (message.payload.subject === emoteSubject && typeof message.payload.body === 'string') {
          this.#emotes.emit({ from: message.payload.sender, name: message.payload.body })
        }
        break
      case 'control/host':
        this.#hostChanged(before, room)
        break
      case 'system/settings':
        this.#locksChanged(before, room, message.payload.id)
        break
      default:
        break
    }
  }

  /** Forgets everything: another person signs in. */
  clear(): void {
    this.#lines.set([])
    this.#before = undefined
    this.#present.clear()
  }

  #said({ me, sessions }: Room, { id, content }: Extract<ServerMessage, { event: 'chat/message' }>['payload']): void {
    const name = sessions.get(id)?.profile.name ?? ''
    this.#add({ is: 'said', from: id, name, text: content.text.slice(0, mostCharacters), isMine: id === me })
  }

  #moved(room: Room, id: string): void {
    const session = room.sessions.get(id)
    const isHere = session?.state.is_connected === true
    const known = this.#present.get(id)
    const name = session?.profile.name ?? known ?? ''
    if (isHere) {
      this.#present.set(id, name)
    } else {
      this.#present.delete(id)
    }
    if (isHere !== (known !== undefined) && id !== room.me) {
      this.#crowd(isHere ? { came: [name], left: [] } : { came: [], left: [name] })
    }
  }

  #crowd({ came, left }: { came: string[]; left: string[] }): void {
    const last = this.#lines.value.at(-1)
    if (last?.is === 'crowd' && this.#present.size >= largeRoom) {
      const line = { ...last, came: [...last.came, ...came], left: [...last.left, ...left] }
      this.#lines.set([...this.#lines.value.slice(0, -1), line])
    } else {
      this.#add({ is: 'crowd', came, left })
    }
  }

  #hostChanged(before: Room | undefined, room: Room): void {
    if (room.host !== undefined && room.host !== before?.host) {
      this.#add({ is: 'host', name: this.#nameOf(room, room.host), has: true })
    } else if (room.host === undefined && before?.host !== undefined) {
      this.#add({ is: 'host', name: this.#nameOf(room, before.host), has: false })
    }
  }

  #locksChanged(before: Room | undefined, room: Room, actor: string): void {
    const then = before && locksIn(before.settings)
    const now = locksIn(room.settings)
    const name = this.#nameOf(room, actor)
    for (const lock of lockNames.filter((each) => then && then[each] !== now[each])) {
      this.#add({ is: 'lock', lock, isLocked: now[lock], name })
    }
  }

  #muted(before: Room | undefined, room: Room, id: string): void {
    const now = isMuted(room, id)
    if (before?.sessions.has(id) && room.sessions.has(id) && isMuted(before, id) !== now) {
      this.#add({ is: 'mute', name: this.#nameOf(room, id), isMuted: now })
    }
  }

  /** Who has gone is still known by name while the line about it is written. */
  #nameOf(room: Room, id: string): string {
    return room.sessions.get(id)?.profile.name ?? this.#present.get(id) ?? ''
  }

  #add(line: NewLine): void {
    const whole: ChatLine = { ...line, key: this.#next++, at: this.#options.clock.now() }
    this.#lines.set([...this.#lines.value, whole].slice(-mostLines))
  }
}
