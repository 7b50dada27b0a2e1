import { type ErrorCode, errorStatus, type InstanceId, type Log, messageOf, NekoError, randomText, within } from '@neko-edge/kit'
import { z } from 'zod'
import type { Connection } from './connection.ts'
import { reach } from './script.ts'

const Call = z.object({ id: z.string().optional(), from: z.string(), name: z.string(), args: z.unknown().optional() })
const Reply = z.object({
  id: z.string(),
  result: z.unknown().optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
})

/** How a served channel answers: by the name of the call. A NekoError reaches the caller as it is, anything else as `internal`. */
export type Serve = (name: string, args: unknown, from: InstanceId) => Promise<unknown> | unknown

/** The channel of whichever capture node has a room. */
export const nodeChannel = (room: string) => `neko:{room:${room}}:calls`

/** Where the frames of a feed go to. */
export const feedChannel = (feed: string) => `neko:feed:${feed}`

/** The channel of one node, for what nodes ask of each other. */
export const relayChannel = (node: string) => `neko:node:${node}:relay`

/** Where a room's origin tells its relays what all data channels are to hear. */
export const relayedChannel = (room: string) => `neko:{room:${room}}:relayed`

/** Calls between processes over Redis: every call has a bound, and a process that is gone is a quick `unavailable`. */
export class Bus implements AsyncDisposable {
  readonly instance: InstanceId
  readonly #connection: Connection
  readonly #log: Log
  readonly #pending = new Map<string, (reply: z.infer<typeof Reply>) => void>()
  #stop: (() => void) | undefined

  private constructor(connection: Connection, instance: InstanceId, log: Log) {
    this.#connection = connection
    this.instance = instance
    this.#log = log
  }

  static async open(connection: Connection, { instance, log }: { instance: InstanceId; log: Log }): Promise<Bus> {
    const bus = new Bus(connection, instance, log)
    bus.#stop = await connection.subscribe(replyChannel(instance), (text) => bus.#settle(text))
    return bus
  }

  /** Asks whoever serves `channel`, and gives its reply. Fails with `unavailable` when nobody does, `timeout` after `ms`. */
  async call(channel: string, name: string, { args, ms = 5_000 }: { args: unknown; ms?: number }): Promise<unknown> {
    const id = randomText(12)
    const reply = new Promise<z.infer<typeof Reply>>((resolve) => this.#pending.set(id, resolve))
    try {
      const isHeard = await reach(this.#connection.publish(channel, JSON.stringify({ id, from: this.instance, name, args })))
      if (!isHeard) {
        throw new NekoError('unavailable', 'no capture node serves this room right now')
      }
      const { result, error } = await within(ms, `the capture node's answer to ${name}`, reply)
      if (error) {
        throw new NekoError(error.code in errorStatus ? (error.code as ErrorCode) : 'internal', error.message)
      }
      return result
    } finally {
      this.#pending.delete(id)
    }
  }

  /** Says something that needs no answer; what is said while Redis is away is lost. */
  async tell(channel: string, name: string, args: unknown): Promise<void> {
    await reach(this.#connection.publish(channel, JSON.stringify({ from: this.instance, name, args })))
  }

  /** Sends bytes to whoever hears them at `channel`; fails with `unavailable` while Redis is away. */
  async sendBytes(channel: string, bytes: Uint8Array): Promise<void> {
    await reach(this.#connection.publish(channel, bytes))
  }

  /** Hands over the bytes that are sent to `channel`, in their order, until the returned function is called. */
  hearBytes(channel: string, listener: (bytes: Uint8Array) => void): Promise<() => void> {
    return this.#connection.subscribeBytes(channel, listener)
  }

  /** Answers the calls of a channel until the returned function is called; those that come while `isServing` says no are left to whoever else serves it. */
  serve(channel: string, answer: Serve, isServing = () => true): Promise<() => void> {
    return this.#connection.subscribe(channel, (text) => {
      if (isServing()) {
        void this.#answer(text, answer)
      }
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop?.()
  }

  async #answer(text: string, answer: Serve): Promise<void> {
    const call = Call.safeParse(parseJson(text))
    if (!call.success) {
      this.#log.warn({ problem: z.prettifyError(call.error) }, 'bus call not understood')
      return
    }
    const { id, from, name, args } = call.data
    try {
      const result = await answer(name, args, from as InstanceId)
      await this.#reply(from, { id, result })
    } catch (error) {
      const known = error instanceof NekoError
      this.#log[known ? 'debug' : 'error'](
        { call: name, error: messageOf(error), stack: known ? undefined : (error as Error).stack },
        'bus call failed',
      )
      await this.#reply(from, { id, error: { code: known ? error.code : 'internal', message: known ? error.message : 'internal error' } })
    }
  }

  async #reply(
    to: string,
    { id, ...outcome }: { id: string | undefined; result?: unknown; error?: { code: string; message: string } },
  ): Promise<void> {
    if (id !== undefined) {
      await this.#connection.publish(replyChannel(to), JSON.stringify({ id, ...outcome })).catch((error: unknown) => {
        this.#log.debug({ error: messageOf(error) }, 'bus reply lost')
      })
    }
  }

  #settle(text: string): void {
    const reply = Reply.safeParse(parseJson(text))
    if (reply.success) {
      this.#pending.get(reply.data.id)?.(reply.data)
    }
  }
}

const replyChannel = (instance: string) => `neko:instance:${instance}:replies`

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
