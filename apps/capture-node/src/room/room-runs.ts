import { messageOf, NekoError, SerialQueue } from '@neko-edge/kit'
import type { PauseWatch } from '../node/pause-watch.ts'
import { NodeRoom, type NodeRoomOptions } from './node-room.ts'
import { Tenancy } from './tenancy.ts'

export interface RoomRunsOptions extends Omit<NodeRoomOptions, 'hasRoom'> {
  /** When this process last stood still. */
  readonly pauses: PauseWatch
  /** The number of the placement that gave the room to this node. */
  readonly claim: number
  /** The room runs, after each start of it here. */
  readonly onRunning: () => void
  /** It was ours to start, and did not. */
  readonly onFailed: (why: NekoError) => void
}

/** A room of this node, running for as long as this node has it. */
export class RoomRuns implements AsyncDisposable {
  readonly #options: RoomRunsOptions
  readonly #queue = new SerialQueue()
  #tenancy: Tenancy | undefined
  #running: NodeRoom | undefined

  private constructor(options: RoomRunsOptions) {
    this.#options = options
  }

  /** Claims the room and starts it, or waits for it while another node has it. Resolves after the first try. */
  static async open(options: RoomRunsOptions): Promise<RoomRuns> {
    const runs = new RoomRuns(options)
    await runs.#claim()
    await runs.#queue.run(() => undefined)
    return runs
  }

  /** What runs here now; `undefined` while it does not. */
  get running(): NodeRoom | undefined {
    return this.#running
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tenancy?.[Symbol.asyncDispose]()
    await this.#queue.run(() => this.#stop())
  }

  async #claim(): Promise<void> {
    const { room, node, instance, claim, pauses, clock, log } = this.#options
    this.#tenancy = await Tenancy.open({
      room,
      node,
      instance,
      claim,
      pauses,
      clock,
      log,
      facts: () => this.#running?.facts,
      onClaimed: (fence) => void this.#queue.run(() => this.#run(fence)),
      onLost: () => void this.#queue.run(() => this.#stop()),
    })
  }

  async #run(fence: number): Promise<void> {
    try {
      this.#running ??= await NodeRoom.open({ ...this.#options, hasRoom: () => this.#hasRoom })
      this.#running.onClaimed(fence)
      this.#options.onRunning()
    } catch (error) {
      this.#options.log.error({ error: messageOf(error) }, 'room does not start')
      this.#options.onFailed(error instanceof NekoError ? error : new NekoError('internal', messageOf(error), { cause: error }))
    }
  }

  /** Another node may have the room by now: news of that is here sooner than this run ends, or comes late where this process stood still. */
  get #hasRoom(): boolean {
    const { room, instance } = this.#options
    const holder = room.view.node?.instance
    return (holder === undefined || holder === instance) && this.#tenancy?.isSure === true
  }

  async #stop(): Promise<void> {
    const running = this.#running
    this.#running = undefined
    await running?.[Symbol.asyncDispose]()
  }
}
