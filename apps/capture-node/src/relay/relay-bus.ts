import { NekoError } from '@neko-edge/kit'
import { type RelayArgs, type RelayCall, type RelayReplies, relayCalls } from '@neko-edge/protocol'
import { type Bus, relayChannel } from '@neko-edge/store'
import { z } from 'zod'

type Reply<C extends RelayCall> = C extends keyof RelayReplies ? RelayReplies[C] : null

/** What a node answers of the calls of others; each knows its room. */
export type RelayHandlers = { readonly [C in RelayCall]?: (args: RelayArgs<C>) => Reply<C> | Promise<Reply<C>> }

/** Typed calls from node to node. */
export class RelayBus {
  readonly #bus: Bus

  constructor(bus: Bus) {
    this.#bus = bus
  }

  /** Fails with the other node's own error, `unavailable` where it is gone, or `timeout`. */
  async call<C extends RelayCall>(node: string, name: C, { args, ms = 5_000 }: { args: RelayArgs<C>; ms?: number }): Promise<unknown> {
    return this.#bus.call(relayChannel(node), name, { args, ms })
  }

  /** Says what needs no answer; lost where the other node is gone. */
  tell<C extends RelayCall>(node: string, name: C, args: RelayArgs<C>): void {
    this.#bus.tell(relayChannel(node), name, args).catch(() => undefined)
  }

  /** Answers the calls to `node` by what `handlersOf` gives for a room. */
  serve(node: string, handlersOf: (name: RelayCall, room: string) => RelayHandlers): Promise<() => void> {
    return this.#bus.serve(relayChannel(node), (name, args) => {
      if (!Object.hasOwn(relayCalls, name)) {
        throw new NekoError('invalid', `this node knows no call ${name}: it may be of an older version`)
      }
      const known = name as RelayCall
      const parsed = relayCalls[known].safeParse(args)
      if (!parsed.success) {
        throw new NekoError('invalid', `${name}: ${z.prettifyError(parsed.error)}`)
      }
      // The schema of this very name made the arguments.
      const handler = handlersOf(known, parsed.data.room)[known] as ((args: unknown) => unknown) | undefined
      if (handler === undefined) {
        throw new NekoError('notFound', `this node has no part in room ${JSON.stringify(parsed.data.room)} that answers ${name}`)
      }
      return handler(parsed.data)
    })
  }
}
