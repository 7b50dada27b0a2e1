import { Backoff, delay, Listeners, type Log, NekoError, type RoomId, SerialQueue, within } from '@neko-edge/kit'
import type { LockName, Settings } from '@neko-edge/protocol'
import type { Connection } from './connection.ts'
import type { BaseSettings, RoomBatch, RoomEvent } from './room-event.ts'
import { clearRoom, openRoom, readRoom, restoreRoom } from './room-facts.ts'
import { roomKeys } from './room-lua.ts'
import { viewAsRestorable } from './room-memory.ts'
import { RoomView, readView } from './room-view.ts'
import { evaluate, type LuaScript, reach } from './script.ts'
import type { Signal } from './signal.ts'
import { diffViews } from './view-diff.ts'

/** How long an event may be behind its script's reply before the room is read instead, in milliseconds. */
const eventDelayMs = 500

/** How a room starts, from the configuration. */
export interface RoomDefaults {
  readonly settings: Settings
  readonly locks: readonly LockName[]
}

/**
 * One room in one process: its facts as a view that follows Redis, and the scripts that change them.
 * Listeners hear each event after the view has it, in the room's one order, the sender's own changes included.
 */
export class Room implements AsyncDisposable {
  readonly id: RoomId
  readonly onEvents = new Listeners<readonly RoomEvent[]>()
  readonly onSignal = new Listeners<Signal>()
  /** The facts were read anew after Redis had been away; what this process holds (a lease, sockets) is to be asserted again. */
  readonly onResumed = new Listeners<void>()
  view = new RoomView({} as BaseSettings)
  /**
   * When what listeners are being told of happened, in milliseconds since 1970 by this process's clock; a little late rather than early. What was read
   * anew counts as of now.
   */
  happenedAt = 0
  /** The least that this process's clock was ahead of a batch from Redis: the difference of the clocks, and the quickest way here. */
  #ahead = Number.POSITIVE_INFINITY
  readonly #connection: Connection
  readonly #log: Log
  readonly #keys: ReturnType<typeof roomKeys>
  readonly #reading = new SerialQueue()
  #early: RoomBatch[] | undefined = []
  readonly #waiting = new Set<{ seq: number; resolve: () => void }>()
  readonly #stop: (() => void)[] = []
  #held: PromiseWithResolvers<void> | undefined
  /** How often the room began to be compared with Redis: only the newest goes on. */
  #resumes = 0

  private constructor(id: RoomId, connection: Connection, log: Log) {
    this.id = id
    this.#connection = connection
    this.#log = log.child({ room: id })
    this.#keys = roomKeys(id)
  }

  /**
   * Follows a room. With `defaults` (a control plane's) it is made where it does not exist, and set anew where the
   * configuration changed.
   */
  static async open(
    id: RoomId,
    { connection, log, defaults }: { connection: Connection; log: Log; defaults?: RoomDefaults },
  ): Promise<Room> {
    const room = new Room(id, connection, log)
    room.#stop.push(await connection.subscribe(room.#keys.channel, (text) => room.#receive(JSON.parse(text) as RoomBatch)))
    room.#stop.push(await connection.subscribe(room.#keys.signals, (text) => room.onSignal.emit(JSON.parse(text) as Signal)))
    room.#stop.push(connection.onLost.add(() => room.#hold()))
    room.#stop.push(connection.onBack.add(() => void room.#resume()))
    if (defaults) {
      await room.#evaluate(openRoom, firstFacts(defaults))
    }
    room.view = await room.#read()
    room.#release()
    return room
  }

  /**
   * Runs one of the room's scripts and waits until this view has what the script did, and all before it.
   * Fails with `unavailable` while Redis is away.
   */
  async run(script: LuaScript, args: readonly (string | number)[]): Promise<unknown> {
    if (this.#held && this.#connection.isUp()) {
      // What this process knows is put back first, or the change would be made to a room that Redis may have forgotten.
      await within(eventDelayMs * 10, 'the room to be compared with Redis', this.#held.promise).catch(() => undefined)
    }
    const [seq, reply] = await this.#evaluate(script, args)
    await this.#reach(seq)
    return reply
  }

  /** The configuration says something else of the room than before: where that is so, it starts anew with this. */
  async configure(defaults: RoomDefaults): Promise<void> {
    await this.run(openRoom, firstFacts(defaults))
  }

  /** Tells everybody who follows the room. Lost while Redis is away: nothing of it is a fact. */
  async signal(signal: Signal): Promise<void> {
    await reach(this.#connection.publish(this.#keys.signals, JSON.stringify(signal)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#resumes++
    for (const stop of this.#stop) {
      stop()
    }
  }

  async #evaluate(script: LuaScript, args: readonly (string | number)[]): Promise<[number, unknown]> {
    const reply = await evaluate(this.#connection.commands, script, { keys: this.#keys.keys, args: [this.#keys.channel, ...args] })
    // Every script of a room ends in the prelude's `done`.
    return reply as [number, unknown]
  }

  /** Events travel on another connection than replies: waits for the one that is on its way, and reads the room where it does not come. */
  async #reach(seq: number): Promise<void> {
    if (this.view.seq >= seq) {
      return
    }
    const arrived = new Promise<void>((resolve) => this.#waiting.add({ seq, resolve }))
    await within(eventDelayMs, 'a room event', arrived).catch(() => this.#catchUp())
  }

  #wake(): void {
    for (const waiter of this.#waiting) {
      if (this.view.seq >= waiter.seq) {
        this.#waiting.delete(waiter)
        waiter.resolve()
      }
    }
  }

  #receive(batch: RoomBatch): void {
    if (this.#early) {
      this.#early.push(batch)
      return
    }
    if (batch.seq <= this.view.seq) {
      return
    }
    if (batch.seq !== this.view.seq + 1) {
      this.#log.warn({ expected: this.view.seq + 1, got: batch.seq }, 'room events missed, reading the room anew')
      void this.#catchUp()
      return
    }
    this.view.seq = batch.seq
    this.#ahead = Math.min(this.#ahead, Date.now() - batch.at)
    this.happenedAt = batch.at + this.#ahead
    this.#apply(batch.events)
  }

  #apply(events: readonly RoomEvent[]): void {
    for (const event of events) {
      this.view.apply(event)
    }
    this.onEvents.emit(events)
    this.#wake()
  }

  /** Batches that came while the room was being read are applied behind what was read. */
  #release(): void {
    const early = this.#early ?? []
    this.#early = undefined
    for (const batch of early) {
      this.#receive(batch)
    }
  }

  async #read(): Promise<RoomView> {
    // The script's reply is the four hashes of the room as flat lists.
    const [, reply] = await this.#evaluate(readRoom, [])
    return readView(reply as [string[], string[], string[], string[]])
  }

  /** Reads the room, and tells what was missed; `false` where Redis could not be asked. */
  #catchUp(): Promise<boolean> {
    this.#early ??= []
    return this.#reading.run(async () => {
      let isRead = false
      try {
        const after = await this.#read()
        const events = diffViews(this.view, after)
        this.view = after
        this.happenedAt = Date.now()
        this.onEvents.emit(events)
        this.#wake()
        isRead = true
      } catch (error) {
        this.#log.warn({ error: String(error) }, 'room could not be read')
      }
      this.#release()
      return isRead
    })
  }

  /** While Redis is away, and until it was compared: what others say of the room waits, so that what is known here stays as it was. */
  #hold(): void {
    this.#early ??= []
    this.#held ??= Promise.withResolvers()
  }

  /** Redis is back, or a server of a cluster took another's place, which takes its time: tries until the room could be compared. */
  async #resume(): Promise<void> {
    const round = ++this.#resumes
    const backoff = new Backoff({ firstMs: 200, maxMs: 1_000 })
    while (!(await this.#restore()) || !(await this.#catchUp())) {
      await delay(backoff.next(0))
      if (round !== this.#resumes) {
        return // closed, or Redis went away and came back once more
      }
    }
    this.#held?.resolve()
    this.#held = undefined
    this.onResumed.emit()
  }

  async #restore(): Promise<boolean> {
    try {
      const [, outcome] = await this.#evaluate(restoreRoom, [JSON.stringify(viewAsRestorable(this.view))])
      this.#log.info({ outcome }, 'room facts compared with redis')
      return true
    } catch (error) {
      if (!(error instanceof NekoError)) {
        throw error
      }
      this.#log.debug({ error: error.message }, 'room facts could not be compared with redis yet')
      return false
    }
  }
}

/** Ends every session of a room that is over, and forgets it. */
export async function forgetRoom(connection: Connection, { id, reason }: { id: RoomId; reason: string }): Promise<void> {
  const { keys, channel } = roomKeys(id)
  await evaluate(connection.commands, clearRoom, { keys, args: [channel, reason] })
}

/** The arguments of `openRoom`: the base settings, and why each lock is there. */
function firstFacts({ settings, locks }: RoomDefaults): [string, string] {
  const { locked_logins, locked_controls, ...base } = settings
  const causes: Partial<Record<LockName, 'config' | 'protection'>> = base.control_protection ? { control: 'protection' } : {}
  for (const name of [...locks, ...(locked_logins ? ['login' as const] : []), ...(locked_controls ? ['control' as const] : [])]) {
    causes[name] = 'config'
  }
  return [JSON.stringify(base), JSON.stringify(causes)]
}
