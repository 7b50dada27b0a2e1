import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '@neko-edge/config'
import { type Clock, type InstanceId, type Log, messageOf, NekoError, type NodeId, type RoomId, SerialQueue } from '@neko-edge/kit'
import {
  type Bus,
  type Connection,
  DeadSessions,
  type Fleet,
  type FleetRoom,
  forgetRoom,
  NewsQueue,
  Room,
  tellParticipants,
} from '@neko-edge/store'
import type { GstInstallation } from '../capture/gst-installation.ts'
import { checkPipelines } from '../capture/pipeline-check.ts'
import type { NodeRoomOptions } from '../room/node-room.ts'
import { captureOptions } from '../room/room-config.ts'
import { RoomRuns } from '../room/room-runs.ts'
import type { Sfu } from '../sfu/sfu.ts'
import type { PauseWatch } from './pause-watch.ts'
import { configOfRoom, type Place, type Places } from './place.ts'
import { RoomTimeouts } from './room-timeouts.ts'

/** How long the process of a session may be dead before this node ends the session, in milliseconds: control planes are quicker. */
const sessionGraceMs = 8_000
const sweepMs = 2_000

/** What all rooms of a node share. */
export interface NodeParts {
  readonly connection: Connection
  readonly fleet: Fleet
  readonly bus: Bus
  readonly sfu: Sfu
  readonly gst: GstInstallation
  readonly config: Config
  readonly node: NodeId
  readonly instance: InstanceId
  readonly dataFolder: string
  /** Folders that applications must not see. */
  readonly hidden: readonly string[]
  readonly places: Places
  readonly relaying: NodeRoomOptions['relaying']
  /** When this process last stood still. */
  readonly pauses: PauseWatch
  /** Why the node takes no further viewer. */
  readonly noPlace: () => string | undefined
  readonly clock: Clock
  readonly log: Log
}

/** One room on this node, from the placement that gave it to the node to its end here. */
export class RoomSeat {
  readonly #parts: NodeParts
  readonly #log: Log
  readonly #queue = new SerialQueue()
  readonly #place: Place
  #assigned: FleetRoom
  #config: Config
  #first: Promise<void> | undefined
  /** The revision that what runs was started with. */
  #startedRev = 0
  #owned: AsyncDisposableStack | undefined
  #runs: RoomRuns | undefined
  /** Why the room does not run here; `undefined` while it does, or is still starting. */
  failure: NekoError | undefined

  constructor(assigned: FleetRoom, parts: NodeParts) {
    this.#parts = parts
    this.#assigned = assigned
    this.#log = parts.log.child({ room: assigned.record.id })
    this.#place = parts.places.take(assigned.record.id)
    this.#config = this.#configOf(assigned)
  }

  get assigned(): FleetRoom {
    return this.#assigned
  }

  get viewers(): number {
    return this.#runs?.running?.viewerCount ?? 0
  }

  /** Whether nobody can watch the room, since no relay takes it. */
  get isWithoutRelay(): boolean {
    return this.#runs?.running?.facts.uplink === null
  }

  /** Starts the room, once; resolves when it runs, or has failed to. */
  start(): Promise<void> {
    this.#first ??= this.#queue.run(() => this.#start())
    return this.#first
  }

  /** A newer word of the fleet about the room: what can change while it runs changes now. */
  follow(assigned: FleetRoom): void {
    const { rev } = this.#assigned.record
    if (assigned.record.rev < rev) {
      return
    }
    if (assigned.record.rev > rev) {
      this.#config = this.#configOf(assigned)
    }
    this.#assigned = assigned
  }

  /** Whether the node has a place for another viewer. */
  tellFull(isFull: boolean): void {
    this.#runs?.running?.tellFull(isFull)
  }

  /** Stops the room here. `isOver`: nobody goes on with it, so that nothing of it is kept. */
  stop({ isOver }: { isOver: boolean }): Promise<void> {
    return this.#queue.run(async () => {
      await this.#close()
      if (isOver) {
        const { record } = this.#assigned
        await forgetRoom(this.#parts.connection, { id: record.id as RoomId, reason: farewell })
        await rm(this.#filesFolder, { recursive: true, force: true })
      }
      this.#parts.places.give(this.#place)
    })
  }

  get #filesFolder(): string {
    return join(this.#parts.dataFolder, 'rooms', this.#assigned.record.id)
  }

  async #start(): Promise<void> {
    try {
      await using opening = new AsyncDisposableStack()
      await this.#open(opening)
      this.#owned = opening.move()
    } catch (error) {
      // Redis was away while the room was opened; the next beat tries again.
      this.#log.error({ error: messageOf(error) }, 'room not opened')
      this.failure = error instanceof NekoError ? error : new NekoError('internal', messageOf(error), { cause: error })
      await this.#note('failed', messageOf(error))
    }
  }

  async #open(opening: AsyncDisposableStack): Promise<void> {
    const { connection, fleet, clock, bus, sfu, gst, node, instance, hidden, relaying, pauses, noPlace } = this.#parts
    const { record } = this.#assigned
    const config = this.#config
    if (Object.keys(this.#assigned.spec.config).some((path) => path.startsWith('capture.'))) {
      await checkPipelines({ options: captureOptions(config), gst, screen: config.desktop.screen, log: this.#log })
    }
    this.#startedRev = record.rev
    const room = opening.use(await Room.open(record.id as RoomId, { connection, log: this.#log }))
    const timeouts = record.isPermanent
      ? undefined
      : opening.use(new RoomTimeouts({ room, fleet, timeouts: () => this.#config.rooms.timeout, clock, log: this.#log }))
    // The node is a witness of its own: it is there also where a control plane dies.
    const isWanted = () => this.#config.webhook.url !== ''
    opening.defer(tellParticipants({ room, news: new NewsQueue(connection), isWanted, clock, log: this.#log }))
    const dead = new DeadSessions({ room, connection, clock, graceMs: sessionGraceMs })
    const sweep = () => dead.sweep(dead.holders()).catch((error: unknown) => this.#log.debug({ error: messageOf(error) }, 'sweep failed'))
    opening.defer(clock.every(sweepMs, () => void sweep()))
    this.#runs = opening.use(
      await RoomRuns.open({
        ...{ room, bus, sfu, gst, config, node, instance, hidden, relaying, pauses, noPlace, clock },
        claim: record.claim,
        runFolder: this.#place.runFolder,
        identity: this.#place.identity,
        log: this.#log,
        onActivity: () => timeouts?.noteActivity(),
        onRestart: (restartApplication) => this.#restart(restartApplication),
        onRunning: () => {
          this.failure = undefined
          void this.#note('running')
        },
        onFailed: (why) => {
          this.failure = why
          void this.#note('failed', why.message)
        },
      }),
    )
  }

  #configOf({ record, spec }: FleetRoom): Config {
    const { config, problems } = configOfRoom(this.#parts.config, { id: record.id, spec, filesFolder: this.#filesFolder })
    for (const problem of problems) {
      this.#log.warn({ problem }, 'an option of the room is not taken')
    }
    return config
  }

  async #restart(restartApplication: () => Promise<void>): Promise<'application' | 'room'> {
    // A change that was made a moment ago counts, also where the next beat has still to tell of it.
    const latest = await this.#parts.fleet.find(this.#assigned.record.id)
    if (latest?.record.claim === this.#assigned.record.claim) {
      this.follow(latest)
    }
    if (this.#assigned.record.rev === this.#startedRev) {
      await restartApplication()
      return 'application'
    }
    // The caller's answer goes out first: it comes from what is stopped here.
    void this.#queue.run(async () => {
      await this.#close()
      await this.#start()
    })
    return 'room'
  }

  async #close(): Promise<void> {
    const owned = this.#owned
    this.#owned = undefined
    this.#runs = undefined
    await owned?.disposeAsync()
  }

  async #note(what: 'running' | 'failed', why?: string): Promise<void> {
    try {
      await this.#parts.fleet.note(this.#assigned.record, { node: this.#parts.node, what, ...(why !== undefined && { why }) })
    } catch (error) {
      this.#log.debug({ what, error: messageOf(error) }, 'run not noted')
    }
  }
}

/** What people of a room hear when it is over. */
export const farewell = 'room ended'
