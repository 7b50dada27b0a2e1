import { messageOf, NekoError, SerialQueue } from '@neko-edge/kit'
import { NodeRoom, type NodeRoomOptions } from './node-room.ts'
import { Tenancy } from './tenancy.ts'

/** A room of this node, running for as long as this node has it. */
export class RoomRuns implements AsyncDisposable {
  readonly #options: NodeRoomOptions
  readonly #queue = new SerialQueue()
  #tenancy: Tenancy | undefined
  #running: NodeRoom | undefined
  #failure: unknown

  private constructor(options: NodeRoomOptions) {
    this.#options = options
  }

  /** Claims the room and starts it, or waits for it while another node has it. Fails when it is ours and does not start. */
  static async open(options: NodeRoomOptions): Promise<RoomRuns> {
    const runs = new RoomRuns(options)
    await runs.#claim()
    await runs.#queue.run(() => undefined)
    if (runs.#failure !== undefined) {
      await runs[Symbol.asyncDispose]()
      throw runs.#failure
    }
    return runs
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tenancy?.[Symbol.asyncDispose]()
    await this.#queue.run(() => this.#stop())
  }

  async #claim(): Promise<void> {
    const { room, node, instance, clock, log } = this.#options
    this.#tenancy = await Tenancy.open({
      room,
      node,
      instance,
      clock,
      log,
      facts: () => this.#running?.facts,
      onClaimed: (fence) => void this.#queue.run(() => this.#run(fence)),
      onLost: () => void this.#queue.run(() => this.#stop()),
    })
  }

  async #run(fence: number): Promise<void> {
    try {
      this.#running ??= await NodeRoom.open(this.#options)
      this.#running.onClaimed(fence)
    } catch (error) {
      this.#failure = error instanceof NekoError ? error : new NekoError('internal', messageOf(error), { cause: error })
      this.#options.log.error({ error: messageOf(error) }, 'room does not start')
    }
  }

  async #stop(): Promise<void> {
    const running = this.#running
    this.#running = undefined
    await running?.[Symbol.asyncDispose]()
  }
}
