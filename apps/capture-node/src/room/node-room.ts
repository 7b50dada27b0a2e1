import type { Config } from '@neko-edge/config'
import { type Clock, type InstanceId, type Log, messageOf, type NodeId } from '@neko-edge/kit'
import type { Identity } from '@neko-edge/process'
import { encodeChannel, type FileItem, type NodeFacts, type RelayArgs } from '@neko-edge/protocol'
import { type Bus, nodeChannel, type Room, type RoomEvent } from '@neko-edge/store'
import type { GstInstallation } from '../capture/gst-installation.ts'
import { RoomCapture } from '../capture/room-capture.ts'
import type { CursorImage } from '../desktop/desktop.ts'
import { applicationFrom } from '../process/application.ts'
import { openRoomDesktop, type RoomDesktop } from '../process/room-desktop.ts'
import { openOrigin, type Relaying } from '../relay/origin.ts'
import type { Relays } from '../relay/relays.ts'
import type { IncomingMedia, Sfu } from '../sfu/sfu.ts'
import { appNetwork } from './app-network.ts'
import { audienceCalls } from './audience.ts'
import { Blobs } from './blobs.ts'
import { createCalls, serveCalls } from './calls.ts'
import { ControlGuard } from './control-guard.ts'
import { DesktopLink } from './desktop-link.ts'
import { EarlyInput } from './early-input.ts'
import { Facts, initialFacts } from './facts.ts'
import { Feeds } from './feeds.ts'
import { InactiveCursors } from './inactive-cursors.ts'
import { applyInput } from './input.ts'
import { mayLegacyControl, showsPointer } from './rights.ts'
import { captureChild, captureOptions, displayNumber } from './room-config.ts'
import { TransferFolder } from './transfer-folder.ts'
import { Uploads } from './uploads.ts'
import { Viewers } from './viewers.ts'

export interface NodeRoomOptions {
  readonly room: Room
  readonly bus: Bus
  readonly sfu: Sfu
  readonly gst: GstInstallation
  readonly config: Config
  readonly node: NodeId
  readonly instance: InstanceId
  readonly runFolder: string
  /** The room's own user, where the node is root. */
  readonly identity: Identity | undefined
  /** Folders that the application must not see. */
  readonly hidden: readonly string[]
  /** What the node has to do with relays. */
  readonly relaying: Relaying
  /** Why the node takes no further viewer; nothing while it does. */
  readonly noPlace: () => string | undefined
  /** Whether the room is this run's: while it is not, the desktop hears nobody, its pictures go nowhere, and no call is answered. */
  readonly hasRoom: () => boolean
  /** Somebody used the desktop. */
  readonly onActivity: () => void
  /** Starts the application anew, or the whole room where its configuration is another one; says which. */
  readonly onRestart: (restartApplication: () => Promise<void>) => Promise<'application' | 'room'>
  readonly clock: Clock
  readonly log: Log
}

/** A room as its capture node runs it: desktop, capture and fan-out, and what control planes ask of them. */
export class NodeRoom implements AsyncDisposable {
  readonly #options: NodeRoomOptions
  readonly #guard = new ControlGuard()
  readonly #early = new EarlyInput<() => void>()
  readonly #owned = new AsyncDisposableStack()
  readonly #facts: Facts
  #link: DesktopLink | undefined
  #viewers: Viewers | undefined
  #relays: Relays | undefined
  #broadcast: (message: Uint8Array, except?: string) => void = () => undefined
  #frozen: Uint8Array | undefined

  private constructor(options: NodeRoomOptions) {
    this.#options = options
    const { room, instance, config, log } = options
    this.#facts = new Facts(room, { instance, initial: initialFacts(config), log })
  }

  /** Starts everything of the room. Fails with nothing left behind: a program is missing, or the machine can not cage. */
  static async open(options: NodeRoomOptions): Promise<NodeRoom> {
    const room = new NodeRoom(options)
    try {
      await room.#start()
    } catch (error) {
      await room[Symbol.asyncDispose]()
      throw error
    }
    return room
  }

  get facts(): NodeFacts {
    return this.#facts.current
  }

  get viewerCount(): number {
    return this.#viewers?.count ?? 0
  }

  /** Whether the node has a place for another viewer, as clients are told before they come in. */
  tellFull(isFull: boolean): void {
    const full = isFull && this.#relays?.hasPlace() !== true
    if ((this.facts.full ?? false) !== full) {
      void this.#facts.tell('full', { facts: { full }, actor: '' })
    }
  }

  /** The room was claimed as of this fence: older turns at the controls are over. */
  onClaimed(fence: number): void {
    this.#guard.note(fence, this.#options.room.view.host)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned.disposeAsync()
  }

  async #start(): Promise<void> {
    const { room, node, config, relaying, clock, log, sfu, bus } = this.#options
    const transfer = await this.#openTransfer()
    const processes = this.#owned.use(await this.#openProcesses(transfer))
    const link = this.#owned.use(await this.#openLink(processes))
    this.#link = link
    const capture = this.#owned.use(this.#openCapture(processes, link))
    const fanOut = this.#owned.use(
      await sfu.openRoom({ rungs: [...capture.videos.values()], cursorVideo: capture.cursorVideo, audio: capture.audio }),
    )
    const viewers = new Viewers({
      room,
      sfu: fanOut,
      rungs: () => [...capture.videos.values()].map(({ id, bitrate }) => ({ id, bitrate })),
      cursorVideoId: config.legacy ? capture.cursorVideo.id : undefined,
      setup: config.webrtc.setup,
      taken: [
        ...(config.capture.microphone.enabled ? ['audio' as const] : []),
        ...(config.capture.webcam.enabled ? ['video' as const] : []),
      ],
      noPlace: this.#options.noPlace,
      onInput: this.#onChannelInput,
      onChannel: (session, send) => this.#greet(session, send),
      onMedia: (media) => this.#takeMedia(capture, media),
      clock,
      log,
    })
    this.#viewers = viewers
    this.#owned.defer(() => viewers.close())
    const relays = this.#owned.use(
      openOrigin({
        ...{ room, node, config, capture, fanOut, relaying, facts: this.#facts, clock, log },
        greet: (send) => this.#greet(undefined, send),
        onInput: (args) => this.#onRelayedInput(args),
      }),
    )
    this.#relays = relays
    const feeds = this.#owned.use(
      new Feeds({
        capture,
        bus,
        greet: (send) => this.#greet(undefined, send),
        audience: () => viewers.count + relays.viewers,
        clock,
        log,
      }),
    )
    this.#broadcast = (message, except) => {
      fanOut.broadcast(message, except === undefined ? undefined : viewers.peerOf(except)?.id)
      feeds.tellChannel(message, except ?? '')
      relays.tellChannel(message, except)
    }
    this.#listen({ processes, link, capture })
    const calls = createCalls({
      viewers,
      peers: audienceCalls({ viewers, relays, isOutgrown: () => sfu.isFull || this.#options.noPlace() !== undefined }),
      desktop: link,
      capture,
      facts: this.#facts,
      blobs: new Blobs(clock),
      feeds,
      uploads: this.#owned.use(
        new Uploads({ desktop: processes.uploads, transfer: transfer?.path, identity: this.#options.identity, clock }),
      ),
      transfer,
      openLink: processes.openLink,
      workers: () => sfu.workers(),
      relays: () => relays.numbers(),
      restart: () => this.#options.onRestart(() => processes.restartApplication()),
      onInput: ({ session, fence, input }) => this.#guard.admits(session, fence) && this.#apply(session, input),
      onPointer: ({ session, x, y }) => this.#showPointer(session, { x, y }),
      frozen: () => this.#frozen,
      status: () => ({ instance: this.#options.instance, epoch: room.view.epoch, processes: processList(processes) }),
    })
    this.#owned.defer(await bus.serve(nodeChannel(room.id), serveCalls(calls), this.#options.hasRoom))
    capture.broadcast.autostart()
    await this.#tellReady(link)
    await transfer?.refresh()
    log.info({ viewers: 0, display: processes.display }, 'room runs')
  }

  /** The room runs without its transfer directory where that can not be used. */
  async #openTransfer(): Promise<TransferFolder | undefined> {
    const { config, identity, clock, log } = this.#options
    const { enabled, dir: path, refreshIntervalMs: refreshMs } = config.filetransfer
    if (!enabled) {
      return undefined
    }
    const onList = (files: FileItem[]) => this.#facts.tell('files', { facts: { files }, actor: '' })
    try {
      return this.#owned.use(await TransferFolder.open({ path, identity, refreshMs, onList, clock, log }))
    } catch (error) {
      log.error({ path, error: messageOf(error) }, 'transfer directory can not be used: set filetransfer.dir to one that can')
      return undefined
    }
  }

  async #openProcesses(transfer: TransferFolder | undefined): Promise<RoomDesktop> {
    const { config, runFolder, identity, hidden, clock, log } = this.#options
    const { app, appUrl, uncaged, screen, display } = config.desktop
    const network = await appNetwork(config, identity, log)
    return openRoomDesktop({
      runFolder,
      ...(identity && { identity }),
      screen,
      displayNumber: displayNumber(display),
      application: applicationFrom(app, { ...(appUrl !== '' && { url: appUrl }), answersDialogs: config.desktop.fileChooserDialog }),
      ...(transfer?.isReachable === true && { transfer: transfer.path }),
      opener: config.openinapp.enabled ? config.openinapp.openCommand.split(/\s+/).filter((word) => word !== '') : [],
      hidden,
      allowUncaged: uncaged,
      ...(network && { network }),
      clock,
      log,
    })
  }

  async #openLink(processes: RoomDesktop): Promise<DesktopLink> {
    const { config, clock, log } = this.#options
    const { input, unminimize, fileChooserDialog, screen } = config.desktop
    const link = await DesktopLink.open({
      processes,
      screen,
      x11: { touchSocket: input.enabled ? input.socket : undefined, unminimize, fileChooser: fileChooserDialog },
      clock,
      log,
    })
    await link.ready()
    return link
  }

  #openCapture(processes: RoomDesktop, link: DesktopLink): RoomCapture {
    const { config, gst, clock, log } = this.#options
    return new RoomCapture({
      options: captureOptions(config),
      environment: { child: captureChild(config, processes), isSilent: () => !this.#options.hasRoom(), log, clock },
      gst,
      screen: () => link.screen,
    })
  }

  #listen({ processes, link, capture }: { processes: RoomDesktop; link: DesktopLink; capture: RoomCapture }): void {
    const { room, clock, log } = this.#options
    const cursors = new InactiveCursors({
      clock,
      isOn: () => room.view.base.inactive_cursors === true,
      flush: (list) => void room.signal({ is: 'cursors', cursors: list }).catch(() => undefined),
    })
    this.#addInactive = (id, position) => cursors.add(id, position)
    this.#owned.defer(() => cursors.close())
    const tellClipboard = () =>
      this.#tellClipboard().catch((error: unknown) => log.debug({ error: messageOf(error) }, 'clipboard not told'))
    const stops = [
      room.onEvents.add((events) => events.forEach((event) => this.#follow(event))),
      link.onCursor.add((image) => this.#broadcast(cursorImage(image))),
      link.onClipboard.add(() => void tellClipboard()),
      link.onFileChooser.add((isOpen) => void this.#onDialog(isOpen)),
      link.onBack.add(() => void capture.restartPictures()),
      processes.audioServer.onUp(() => void capture.restartSound()),
    ]
    this.#owned.defer(() => stops.forEach((stop) => stop()))
  }

  /** From now on the room can be watched: whoever was watching before is given a new picture. */
  async #tellReady(link: DesktopLink): Promise<void> {
    const { input } = this.#options.config.desktop
    const desktop = await link.ready()
    const facts = { screen: link.screen, screens: [...desktop.configurations()], touch: input.enabled && desktop.isTouchSupported }
    await this.#facts.tell('ready', { facts, actor: '' })
  }

  #addInactive: (id: string, position: { x: number; y: number }) => void = () => undefined

  #follow(event: RoomEvent): void {
    if (event.is === 'host' && this.#guard.note(event.fence, event.host ?? undefined)) {
      this.#link?.now?.releaseAll()
      const { room, clock } = this.#options
      this.#early.take(this.#guard.host, { since: room.happenedAt, now: clock.now() }).forEach((apply) => apply())
    } else if (event.is === 'node') {
      this.#guard.note(event.fence, this.#options.room.view.host)
    } else if (event.is === 'settings') {
      void this.#freeze(event.base.private_mode)
    } else if (event.is === 'state' && !event.state.is_connected && this.#facts.current.dialog === event.id) {
      void this.#link?.now?.closeFileChooser()
    }
  }

  /** The picture at the moment when private mode was switched on is what users go on seeing. */
  async #freeze(isPrivate: boolean): Promise<void> {
    if (!isPrivate) {
      this.#frozen = undefined
    } else if (!this.#frozen) {
      this.#frozen = await this.#link?.now?.screenshot(90).catch(() => undefined)
    }
  }

  readonly #onChannelInput = (session: string, input: Parameters<typeof applyInput>[1], dialect: 'v3' | 'v2') => {
    if (this.#guard.isHost(session) || (dialect === 'v2' && mayLegacyControl(this.#options.room.view, session))) {
      this.#apply(session, input, dialect)
      return
    }
    this.#early.keep(session, () => this.#apply(session, input, dialect), this.#options.clock.now())
    if (input.is === 'move') {
      this.#showPointer(session, input)
    }
  }

  /** What a viewer of a relay did: at the controls only under the fence of his turn. */
  #onRelayedInput({ session, fence, dialect, input }: RelayArgs<'relay.input'>): void {
    if (fence === undefined) {
      this.#onChannelInput(session, input, dialect)
    } else if (this.#guard.admits(session, fence)) {
      this.#apply(session, input, dialect)
    }
  }

  #showPointer(session: string, { x, y }: { x: number; y: number }): void {
    if (showsPointer(this.#options.room.view, session)) {
      this.#addInactive(session, { x, y })
    }
  }

  #apply(session: string, input: Parameters<typeof applyInput>[1], dialect: 'v3' | 'v2' = 'v3'): void {
    const { hasRoom, onActivity } = this.#options
    const desktop = hasRoom() ? this.#link?.now : undefined
    onActivity()
    const moved = desktop && applyInput(desktop, input)
    if (moved && dialect === 'v3') {
      this.#broadcast(encodeChannel({ is: 'cursor-position', x: moved.x & 0xffff, y: moved.y & 0xffff }), session)
    }
  }

  /** A viewer who has just come sees the cursor: what it looks like, and, unless it is his own, where it is. */
  #greet(session: string | undefined, send: (message: Uint8Array) => void): void {
    const desktop = this.#link?.now
    const image = desktop?.cursor()
    if (image) {
      send(cursorImage(image))
    }
    if (desktop && (session === undefined || !this.#guard.isHost(session))) {
      desktop.pointer().then(
        ({ x, y }) => send(encodeChannel({ is: 'cursor-position', x, y })),
        (error: unknown) => this.#options.log.debug({ error: messageOf(error) }, 'pointer not found'),
      )
    }
  }

  async #tellClipboard(): Promise<void> {
    const { room } = this.#options
    const host = room.view.host === undefined ? undefined : room.view.session(room.view.host)
    if (host?.profile.can_access_clipboard) {
      const text = await this.#link?.now?.clipboardText()
      if (text !== undefined) {
        await room.signal({ is: 'clipboard', text })
      }
    }
  }

  /** A file dialog belongs to whoever hosts; without a host it is closed at once. */
  async #onDialog(isOpen: boolean): Promise<void> {
    const { host } = this.#options.room.view
    if (isOpen && host === undefined) {
      await this.#link?.now?.closeFileChooser()
    } else {
      await this.#facts.tell('dialog', { facts: { dialog: isOpen ? (host ?? null) : null }, actor: host ?? '' })
    }
  }

  #takeMedia(capture: RoomCapture, media: IncomingMedia): void {
    try {
      const sink = media.kind === 'audio' ? capture.openMicrophone(media.codec) : capture.openWebcam(media.codec)
      const stop = media.onPacket((packet) => sink.write(packet))
      media.onEnd(() => {
        stop()
        void sink.close()
      })
      media.requestKeyFrame()
    } catch (error) {
      this.#options.log.info({ kind: media.kind, codec: media.codec.name, error: messageOf(error) }, 'client media not taken')
    }
  }
}

const cursorImage = ({ width, height, hotX, hotY, png }: CursorImage) =>
  encodeChannel({ is: 'cursor-image', width, height, hotX, hotY, png })

const processList = (processes: RoomDesktop) => Object.entries(processes.pids()).map(([name, pid]) => ({ name, pid }))
