import { Listeners, messageOf } from '@neko-edge/kit'
import type { ServerMessage } from '@neko-edge/protocol'
import { Api, type LoginAnswer } from './api.ts'
import { Cell, type Watchable } from './cell.ts'
import { Chat } from './chat.ts'
import { type Account, type Connection, connectionOf } from './connection.ts'
import { Control } from './control.ts'
import { Cursor } from './cursor.ts'
import { Files } from './files.ts'
import { Ladder, type Path, type ThinPicture, type VideoChoice } from './ladder.ts'
import { Link } from './link.ts'
import { Media } from './media.ts'
import { browserPlatform, type Platform } from './platform.ts'
import { applyMessage, profileOf, type Room } from './room.ts'
import { Share } from './share.ts'
import type { Statistics } from './stats.ts'
import { endsSession, type Trouble, troubleOf, troubleOfFarewell } from './trouble.ts'

/** Which room, and how it is reached. */
export interface ClientOptions {
  /** The address of the room, such as `https://example.org/` or `https://example.org/room/kitchen/`. */
  base: string
  /** False: WebRTC is not tried, and picture and sound come over a WebSocket from the start. */
  webrtc?: boolean
  platform?: Partial<Platform>
}

/** How long a new session is asked for after the server lost the old one, in milliseconds between tries. */
const signInAgainMs = 3_000

/**
 * One person's connection to one room: signing in, the socket, picture and sound, the controls. It repairs itself; what it knows is in
 * watchable values, and `close()` ends everything that it started.
 */
export class NekoClient {
  /** The requests of the HTTP API. */
  readonly api: Api
  /** Who is at the controls, and one's input. */
  readonly control: Control
  /** What is said and happens. */
  readonly chat: Chat
  /** Files on their way, and those of the room. */
  readonly files: Files
  /** One's own microphone and camera. */
  readonly share: Share
  /** The desktop's pointer. */
  readonly cursor = new Cursor()
  readonly #platform: Platform
  readonly #link: Link
  readonly #media: Media
  readonly #ladder: Ladder
  readonly #account = new Cell<Account>({ is: 'signed-out' })
  readonly #connection = new Cell<Connection>({ is: 'signed-out' })
  readonly #room = new Cell<Room | undefined>(undefined)
  readonly #token = new Cell<string | undefined>(undefined)
  readonly #messages = new Listeners<ServerMessage>()
  readonly #closed = new AbortController()
  readonly #unwatch: (() => void)[]
  /** Kept in memory only, to come back by itself after the server lost its sessions. */
  #signInAsBefore: (() => Promise<LoginAnswer>) | undefined
  #cancelSignIn: () => void = () => {}
  #isIn = false
  /** What the server said before it dropped the socket. */
  #farewell: Trouble | undefined

  constructor({ base, webrtc = true, platform }: ClientOptions) {
    this.#platform = { ...browserPlatform(), ...platform }
    const { clock, fetch, openSocket, openPeer, openThin, sendForm, openDevice, random, origin } = this.#platform
    this.api = new Api({ base, fetch, origin, signal: this.#closed.signal })
    this.#link = new Link({ clock, random, openSocket, url: () => this.api.url('api/ws', { socket: true }) })
    const send = this.#link.send.bind(this.#link)
    this.#media = new Media({ clock, random, openPeer: webrtc ? openPeer : undefined, send })
    this.#ladder = new Ladder({
      clock,
      random,
      media: this.#media,
      url: () => this.api.url('api/stream', { socket: true }),
      openSocket,
      openThin,
      onChannel: (message) => this.cursor.heard(message),
    })
    this.control = new Control({
      clock,
      room: this.#room,
      send,
      // While the thin line helps out, the channel may be one into nowhere.
      sendOverChannel: (input) => this.#ladder.shown.value === undefined && this.#media.send(input),
      point: (at) => this.#ladder.point(at) || this.#media.send({ is: 'move', ...at }),
    })
    this.chat = new Chat({ clock, room: this.#room, send })
    this.files = new Files({ api: this.api, sendForm, send })
    this.share = new Share({ openDevice, takes: this.#media.takes, publish: (kind, track) => this.#media.publish(kind, track) })
    this.#unwatch = [
      this.#link.onMessage((message) => this.#heard(message)),
      this.#media.onChannel((message) => this.cursor.heard(message)),
      this.#link.state.watch((state) => this.#linkChanged(state.is)),
      this.#account.watch(() => this.#update()),
      this.#media.state.watch(() => this.#update()),
      this.#media.state.watch(({ is }) => is === 'up' && this.share.again()),
      this.#ladder.waiting.watch(() => this.#update()),
      this.#ladder.shown.watch(() => this.#tellWish()),
      this.#ladder.shown.watch(() => this.#update()),
      this.#ladder.path.watch((path) => path === 'jpeg' && this.cursor.hide()),
    ]
  }

  /** Where the connection stands, and what is wrong with it. */
  get connection(): Watchable<Connection> {
    return this.#connection
  }

  /** What is known of the room; `undefined` before the server has said it. */
  get room(): Watchable<Room | undefined> {
    return this.#room
  }

  /** Picture and sound, for a `<video>`; `undefined` before there are any. */
  get stream(): Watchable<MediaStream | undefined> {
    return this.#media.stream
  }

  /** The picture of the thin line, while that helps out: it is shown instead of `stream`. */
  get thin(): Watchable<ThinPicture | undefined> {
    return this.#ladder.shown
  }

  /** The way of picture and sound; `undefined` while there is none. */
  get path(): Watchable<Path | undefined> {
    return this.#ladder.path
  }

  /** Time of a message to the server and back, on the way of the picture, in milliseconds. */
  get roundTripMs(): Watchable<number | undefined> {
    return this.#ladder.roundTripMs
  }

  /** The browser lets nothing sound on the thin line before a click. */
  onSoundBlocked(listener: () => void): () => void {
    return this.#ladder.soundBlocked.add(listener)
  }

  /** How loud the thin line plays, 0 to 1; `stream` is played by whoever shows it. */
  setVolume(volume: number): void {
    this.#ladder.setVolume(volume)
  }

  /** Stops the thin line where it is, without sound, or lets it go on; `stream` is stopped by whoever shows it. */
  setHeld(isHeld: boolean): void {
    this.#ladder.setHeld(isHeld)
  }

  /** Every message of the server, after the room has taken it in. */
  onMessage(listener: (message: ServerMessage) => void): () => void {
    return this.#messages.add(listener)
  }

  /** What to `resume` with: `''` where the server keeps the session in a cookie, `undefined` where nobody is signed in. Changes when the client signs in anew. */
  get token(): Watchable<string | undefined> {
    return this.#token
  }

  /** Signs in and joins. A refusal shows in `connection`. */
  login(username: string, password: string): Promise<void> {
    return this.#signIn(() => this.api.login(username, password))
  }

  /** Signs in and joins by the token of a join link. A refusal shows in `connection`. */
  enter(link: string): Promise<void> {
    return this.#signIn(() => this.api.enter(link))
  }

  async #signIn(signIn: () => Promise<LoginAnswer>): Promise<void> {
    this.#account.set({ is: 'signing-in' })
    try {
      this.#join(await signIn())
      this.#signInAsBefore = signIn
    } catch (error) {
      this.#account.set({ is: 'signed-out', trouble: troubleOf(error) })
    }
  }

  /** Joins with the token of an earlier login; one that is worth nothing any more ends in `signed-out`. */
  resume(token: string): void {
    this.api.token = token === '' ? undefined : token
    this.#token.set(token)
    if (this.api.isForeign) {
      // A WebSocket that is refused says nothing of why; a request does.
      this.#account.set({ is: 'signing-in' })
      this.api
        .whoami()
        .then((session) => this.#enter(session.profile.can_watch))
        .catch((error: unknown) => this.#account.set({ is: 'signed-out', trouble: troubleOf(error) }))
      return
    }
    this.#enter(true)
  }

  /** Comes back after the server said goodbye (another window took over, say). */
  rejoin(): void {
    if (this.#account.value.is === 'dismissed') {
      this.#enter(true)
    }
  }

  /** Tries again now where it waits for its next try. */
  retryNow(): void {
    if (this.#link.state.value.is === 'waiting') {
      this.#link.open()
    } else if (this.#link.state.value.is === 'open' && this.#canWatch()) {
      this.#ladder.start()
    }
  }

  /** Leaves, and ends the session. */
  async logout(): Promise<void> {
    this.#leave({ is: 'signed-out', trouble: { code: 'signed-out' } })
    // Whether the server heard it or not: nobody is signed in here any more.
    await this.api.logout().catch(() => {})
    this.api.token = undefined
    this.#token.set(undefined)
  }

  /** A moment of the numbers behind picture and sound; `undefined` while nothing flows. */
  statistics(): Promise<Statistics | undefined> {
    return this.#ladder.statistics()
  }

  /** Asks for a change of one's own picture: a stream of `room.videos`, or the choice left to the server. */
  chooseVideo(choice: VideoChoice): void {
    this.#link.send('signal/video', 'id' in choice ? { auto: false, selector: { id: choice.id, type: 'exact' } } : choice)
    this.#ladder.choose(choice)
    this.#tellWish()
  }

  /** Ends everything that the client started. The session stays on the server: `logout` ends it. */
  close(): void {
    this.#leave({ is: 'signed-out' })
    this.#ladder.close()
    this.#closed.abort()
    this.#unwatch.forEach((unwatch) => unwatch())
    this.control.close()
    this.files.close()
  }

  #join(session: LoginAnswer): void {
    this.#token.set(session.token ?? '')
    this.#enter(session.profile.can_watch)
  }

  #enter(canWatch: boolean): void {
    if (!this.#closed.signal.aborted) {
      this.#account.set({ is: 'signed-in', canWatch })
      this.#link.open()
    }
  }

  #leave(account: Account): void {
    this.#cancelSignIn()
    this.share.close()
    this.#signInAsBefore = undefined
    this.#farewell = undefined
    this.#link.close()
    this.#ladder.stop()
    this.#room.set(undefined)
    this.chat.clear()
    this.#account.set(account)
  }

  #canWatch(): boolean {
    const room = this.#room.value
    const account = this.#account.value
    return room?.sessions.get(room.me)?.profile.can_watch ?? (account.is !== 'signed-in' || account.canWatch)
  }

  #linkChanged(is: 'closed' | 'opening' | 'open' | 'waiting'): void {
    if (is === 'open') {
      if (this.#canWatch()) {
        this.#ladder.start()
      }
    } else {
      this.#isIn = false
      this.#media.pause()
      this.#ladder.pause()
    }
    this.#update()
  }

  #update(): void {
    const link = this.#link.state.value
    this.#connection.set(
      connectionOf({
        account: this.#account.value,
        link,
        media: this.#media.state.value,
        isThin: this.#ladder.shown.value !== undefined,
        waiting: this.#ladder.waiting.value,
        isIn: this.#isIn,
        farewell: this.#farewell,
      }),
    )
  }

  /** On the thin line the server says nothing of the picture: it is the one that was wished for. */
  #tellWish(): void {
    const room = this.#room.value
    if (room && this.#ladder.shown.value) {
      this.#room.set({ ...room, video: this.#ladder.videoOf(room.videos) })
    }
  }

  #heard(message: ServerMessage): void {
    this.#room.set(applyMessage(this.#room.value, message))
    switch (message.event) {
      case 'system/init':
        this.#farewell = undefined
        this.#isIn = true
        this.#rightsChanged()
        this.#update()
        break
      case 'system/disconnect':
        this.#dismissed(troubleOfFarewell(message.payload.message))
        break
      case 'signal/provide':
        this.#media.provide(message.payload)
        break
      case 'signal/offer':
      case 'signal/restart':
        this.#media.renegotiate(message.payload.sdp)
        break
      case 'signal/answer':
        this.#media.answered(message.payload.sdp)
        break
      case 'signal/candidate':
        this.#media.candidate(message.payload)
        break
      case 'signal/close':
        this.#media.closedByServer()
        break
      case 'session/profile':
        this.#rightsChanged()
        break
      case 'session/cursors':
        this.cursor.othersMoved(message.payload)
        break
      default:
        break
    }
    this.chat.heard(message)
    this.#messages.emit(message)
  }

  #rightsChanged(): void {
    const room = this.#room.value
    if (room && profileOf(room)?.can_share_media === false) {
      this.share.close()
    }
    const account = this.#account.value
    const canWatch = this.#canWatch()
    if (account.is === 'signed-in' && account.canWatch !== canWatch) {
      this.#account.set({ is: 'signed-in', canWatch })
      if (canWatch) {
        this.#ladder.start()
      } else {
        this.#ladder.stop()
      }
    }
  }

  #dismissed(trouble: Trouble): void {
    this.#farewell = trouble
    if (trouble.code === 'server-stopped' || trouble.code === 'already-connected') {
      // The socket falls next, and the link comes back by itself until the server takes it.
      return
    }
    const wasIn = this.#room.value !== undefined
    this.#link.close()
    this.#ladder.stop()
    this.#room.set(undefined)
    if (trouble.detail === 'session not found' && this.#signInAsBefore) {
      this.#account.set({ is: 'returning' })
      this.#signInAgain(this.#signInAsBefore, trouble)
    } else {
      this.#account.set(wasIn ? { is: 'dismissed', trouble } : { is: 'signed-out', trouble })
      if (endsSession(trouble)) {
        this.#token.set(undefined)
      }
    }
  }

  /** The server restarted and forgot its sessions: sign in again as the same person. */
  #signInAgain(signIn: () => Promise<LoginAnswer>, trouble: Trouble): void {
    signIn()
      .then((session) => this.#join(session))
      .catch((error: unknown) => {
        const why = troubleOf(error).code
        if (why === 'server-away' || why === 'server-busy') {
          this.#cancelSignIn = this.#platform.clock.after(signInAgainMs, () => this.#signInAgain(signIn, trouble))
        } else {
          this.#account.set({ is: 'dismissed', trouble: { ...trouble, detail: messageOf(error) } })
        }
      })
  }
}
