import { type Clock, type InstanceId, type Log, messageOf, type NodeId } from '@neko-edge/kit'
import type { NodeFacts } from '@neko-edge/protocol'
import { claimRoom, leaseMs, leaveRoom, type Room, renewRoom } from '@neko-edge/store'
import type { PauseWatch } from '../node/pause-watch.ts'

export interface TenancyOptions {
  readonly room: Room
  readonly node: NodeId
  readonly instance: InstanceId
  /** The number of the placement that gave the room to this node: a newer one elsewhere takes it away. */
  readonly claim: number
  /** What the room shows; `undefined` while it does not run here. */
  readonly facts: () => NodeFacts | undefined
  readonly onClaimed: (fence: number) => void
  /** Another node has the room now: everything of it here must stop. */
  readonly onLost: () => void
  /** When this process last stood still. */
  readonly pauses: PauseWatch
  readonly clock: Clock
  readonly log: Log
}

/**
 * This node's hold on a room: claimed when it is free, renewed three times in the time of a lease. While Redis is away the
 * hold stands: nobody else can claim the room meanwhile, and its viewers go on watching. After a pause of this process it has to be confirmed:
 * another node may have the room by then.
 */
export class Tenancy implements AsyncDisposable {
  readonly #options: TenancyOptions
  readonly #stop: (() => void)[] = []
  #isHeld = false
  #isBusy = false
  #isClosed = false
  /** When what last confirmed the hold was asked. */
  #confirmedAt = Number.NEGATIVE_INFINITY

  private constructor(options: TenancyOptions) {
    this.#options = options
  }

  /** Claims the room, or waits for it; resolves after the first try. */
  static async open(options: TenancyOptions): Promise<Tenancy> {
    const tenancy = new Tenancy(options)
    await tenancy.#tick()
    tenancy.#stop.push(
      options.clock.every(leaseMs / 3, () => void tenancy.#tick()),
      // After Redis was away, the claim is made anew if it was forgotten.
      options.room.onResumed.add(() => void tenancy.#tick()),
    )
    return tenancy
  }

  /** Whether the room is this node's, for all that can be known. After a pause it is not, until Redis has said so. */
  get isSure(): boolean {
    const isConfirmed = this.#confirmedAt >= this.#options.pauses.wokeAt
    if (!isConfirmed) {
      void this.#tick()
    }
    return this.#isHeld && isConfirmed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    this.#stop.forEach((stop) => stop())
    if (this.#isHeld) {
      this.#isHeld = false
      await this.#options.room.run(leaveRoom, [this.#options.instance]).catch(() => undefined)
    }
  }

  async #tick(): Promise<void> {
    if (this.#isBusy || this.#isClosed) {
      return
    }
    this.#isBusy = true
    const askedAt = this.#options.clock.now()
    try {
      this.#isHeld ? await this.#renew() : await this.#claim()
    } catch (error) {
      this.#options.log.debug({ error: messageOf(error) }, 'room lease not renewed')
    } finally {
      this.#isBusy = false
      this.#confirmedAt = askedAt
    }
  }

  async #claim(): Promise<void> {
    const { room, node, instance, claim, facts, onClaimed, log } = this.#options
    const reply = await room.run(claimRoom, [node, instance, leaseMs, JSON.stringify(facts() ?? null), claim])
    if (reply !== 'held') {
      // The script's reply is the epoch and the fence.
      const [epoch, fence] = reply as [number, number]
      this.#isHeld = true
      log.info({ epoch }, 'room claimed')
      onClaimed(fence)
    }
  }

  async #renew(): Promise<void> {
    const { room, instance, onLost, log } = this.#options
    if ((await room.run(renewRoom, [instance, leaseMs])) === 'kept') {
      return
    }
    this.#isHeld = false
    // Redis may have been emptied: then the room is free, and ours again.
    await this.#claim()
    if (!this.#isHeld) {
      log.warn({}, 'room lost to another node')
      onLost()
    }
  }
}
