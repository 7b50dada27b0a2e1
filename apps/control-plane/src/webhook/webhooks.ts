import { type Config, roomConfig } from '@neko-edge/config'
import { type Clock, type Log, messageOf } from '@neko-edge/kit'
import type { DueNews, Fleet, News, NewsQueue, Retries } from '@neko-edge/store'
import type { Metrics } from '../metrics.ts'
import { sha256 } from '../secret.ts'
import { post } from './post.ts'
import { signedHeaders } from './sign.ts'

/** How often the queues are looked at, in milliseconds. */
const lookMs = 500
/** Targets that one control plane calls at once: one that hangs takes one of these for the time of an attempt. */
const maxCalls = 32
/** About an hour in all. */
const retries: Retries = { firstMs: 1_000, longestMs: 600_000, most: 14 }

export interface WebhooksOptions {
  readonly fleet: Pick<Fleet, 'find' | 'onRoom'>
  readonly news: NewsQueue
  readonly config: Config
  readonly metrics: Metrics
  readonly clock: Clock
  readonly log: Log
}

/** Delivers news to the webhooks of rooms; all control planes do, each a target at a time. */
export class Webhooks implements AsyncDisposable {
  readonly #options: WebhooksOptions
  readonly #calls = new Set<Promise<void>>()
  readonly #stop: (() => void)[]
  #working: Promise<void> | undefined
  #isClosed = false

  constructor(options: WebhooksOptions) {
    this.#options = options
    this.#stop = [options.clock.every(lookMs, () => this.#wake()), options.fleet.onRoom.add(() => this.#wake())]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    this.#stop.forEach((stop) => stop())
    // What is under way is taken up by another control plane where its answer is not waited for.
    await this.#working
  }

  #wake(): void {
    this.#working ??= this.#work()
      .catch((error: unknown) => this.#options.log.debug({ error: messageOf(error) }, 'news not delivered, tried again'))
      .finally(() => {
        this.#working = undefined
      })
  }

  async #work(): Promise<void> {
    await this.#sort()
    while (!this.#isClosed && this.#calls.size < maxCalls) {
      const due = await this.#options.news.take()
      if (!due) {
        return
      }
      const call = this.#deliver(due)
        .catch((error: unknown) => this.#options.log.debug({ error: messageOf(error) }, 'outcome of a webhook lost, it is tried again'))
        .finally(() => {
          this.#calls.delete(call)
          this.#isClosed || this.#wake()
        })
      this.#calls.add(call)
    }
  }

  async #sort(): Promise<void> {
    const { news } = this.#options
    for (let oldest = await news.oldest(); oldest && !this.#isClosed; oldest = await news.oldest()) {
      const hook = oldest.news && (await this.#hookOf(oldest.news.room))
      await news.sort(oldest.text, hook && (await sha256(`${hook.url}\0${hook.secret}`)))
    }
  }

  /** Whom the news of a room go to, as it is configured now. */
  async #hookOf(room: string): Promise<Config['webhook'] | undefined> {
    const { fleet, config } = this.#options
    const found = await fleet.find(room)
    const { webhook } = roomConfig(config, found?.spec.config ?? {}).config
    return webhook.url === '' || webhook.secret === '' ? undefined : webhook
  }

  async #deliver(due: DueNews): Promise<void> {
    const { news, metrics, log } = this.#options
    const hook = due.news && (await this.#hookOf(due.news.room))
    const isDone = due.news === undefined || hook === undefined || (await this.#call(due.news, hook))
    const outcome = await news.settle(due, { isDone, retries })
    if (hook) {
      metrics.webhooks.inc({ outcome: outcome === 'next' ? 'delivered' : outcome })
    }
    if (outcome === 'given-up') {
      log.warn({ room: due.news?.room, type: due.news?.type }, 'webhook given up: its target did not take it for an hour')
    }
  }

  /** `true` where the target took it: any status from 200 to 299. 410 says that it wants none of these any more. */
  async #call({ id, type, at, room, ...data }: News, { url, secret }: Config['webhook']): Promise<boolean> {
    const { clock, config, log } = this.#options
    const body = JSON.stringify({ type, timestamp: new Date(at).toISOString(), data: { room, ...shown(data) } })
    try {
      const headers = await signedHeaders({ id, body }, { secret, now: clock.now() })
      const status = await post({ url, headers, body, allowPrivate: config.webhook.allowPrivate })
      log.debug({ room, type, status }, 'webhook called')
      return (status >= 200 && status < 300) || status === 410
    } catch (error) {
      log.debug({ room, type, error: messageOf(error) }, 'webhook not called')
      return false
    }
  }
}

/** Times as texts; what marks a piece of news within the fleet is not its receiver's business. */
function shown({ mark: _, ends_at, ...data }: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return { ...data, ...(typeof ends_at === 'number' && { ends_at: new Date(ends_at).toISOString() }) }
}
