import { type Clock, NekoError, type RoomId } from '@neko-edge/kit'
import type { NodeArgs, NodeCall, NodeReplies } from '@neko-edge/protocol'
import { type Bus, nodeChannel } from '@neko-edge/store'
import { type Metrics, timed } from '../metrics.ts'

/** How long each kind of call may take, in milliseconds, where it is not the usual five seconds. */
const bounds: Partial<Record<NodeCall, number>> = {
  'peer.open': 10_000,
  'screen.set': 10_000,
  'upload.drop': 10_000,
  'upload.choose': 15_000,
}

/** The capture node of a room, as the control plane asks it: typed calls over the bus. */
export class NodeClient {
  readonly #bus: Bus
  readonly #channel: string
  readonly #parts: { readonly metrics: Metrics; readonly clock: Clock }

  constructor(bus: Bus, room: RoomId, parts: { metrics: Metrics; clock: Clock }) {
    this.#bus = bus
    this.#parts = parts
    this.#channel = nodeChannel(room)
  }

  /** Fails with the node's own error, `unavailable` where no node has the room, or `timeout`. */
  async call<C extends NodeCall>(name: C, args: NodeArgs<C>): Promise<NodeReplies[C]> {
    // The node's side writes exactly NodeReplies; a reply of another version fails where it is used.
    const { metrics, clock } = this.#parts
    const answer = this.#bus.call(this.#channel, name, { args, ms: bounds[name] ?? 5_000 }) as Promise<NodeReplies[C]>
    return await timed(metrics, { call: name, clock }, answer)
  }

  /** For what needs no answer: input. */
  tell<C extends NodeCall>(name: C, args: NodeArgs<C>): Promise<void> {
    return this.#bus.tell(this.#channel, name, args)
  }
}

/** `true` where a call failed because there is no such stream, session or peer: V3 ignores that silently. */
export const isMissing = (error: unknown): boolean => error instanceof NekoError && (error.code === 'notFound' || error.code === 'conflict')

/** `true` for a failure that may be over in a moment: Redis or the capture node is away, or has no place. */
export const isAway = (error: unknown): boolean => error instanceof NekoError && (error.code === 'unavailable' || error.code === 'timeout')
