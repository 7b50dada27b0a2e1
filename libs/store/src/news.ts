import { NekoError } from '@neko-edge/kit'
import { z } from 'zod'
import type { Connection } from './connection.ts'
import { outboxKey, outboxMax } from './fleet-lua.ts'
import { evaluate, luaScript, reach } from './script.ts'

/*
 * News for webhooks on their way. Scripts and processes put them into the outbox; control planes sort them into one queue a target, and deliver each
 * queue in its order, one piece at a time over all control planes. A target that does not take them holds up nobody else's, and its queue is bounded.
 */

const News = z.looseObject({
  /** Unique: a receiver knows a piece of news that comes twice by it. */
  id: z.string(),
  type: z.string(),
  room: z.string(),
  /** When it happened, milliseconds since 1970. */
  at: z.number(),
})
export type News = z.infer<typeof News>

const key = (name: string) => `neko:{fleet}:${name}`
const targetsKey = key('hooks')
const failuresKey = key('hook-failures')
const queueKey = (target: string) => key(`hook:${target}`)

/** Pieces that wait for one target: more than these are forgotten, oldest first. */
export const queueMax = 1_000
/** How long one control plane has a target to itself, in milliseconds: longer than an attempt can take. */
const leaseMs = 20_000
/** How long news of several witnesses count as one, in milliseconds. */
const seenMs = 600_000

const now = `
local time = redis.call('TIME')
local NOW = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
`

/** KEYS: outbox, mark. ARGV: the news. → told | known */
const tellNews = luaScript(`
if not redis.call('SET', KEYS[2], '1', 'PX', ${seenMs}, 'NX') then return 'known' end
redis.call('LPUSH', KEYS[1], ARGV[1])
redis.call('LTRIM', KEYS[1], 0, ${outboxMax - 1})
return 'told'`)

/** KEYS: outbox, targets, queue. ARGV: the oldest news of the outbox, its target ('' = nobody's). → sorted | taken */
const sortNews = luaScript(`${now}
if redis.call('LINDEX', KEYS[1], -1) ~= ARGV[1] then return 'taken' end
redis.call('RPOP', KEYS[1])
if ARGV[2] == '' then return 'sorted' end
redis.call('RPUSH', KEYS[3], ARGV[1])
redis.call('LTRIM', KEYS[3], -${queueMax}, -1)
redis.call('ZADD', KEYS[2], 'NX', NOW, ARGV[2])
return 'sorted'`)

/** KEYS: targets. → a target whose time has come, taken for a while | '' */
const takeTarget = luaScript(`${now}
local target = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', NOW, 'LIMIT', 0, 1)[1]
if not target then return '' end
redis.call('ZADD', KEYS[1], NOW + ${leaseMs}, target)
return target`)

/** KEYS: targets, queue, failures. ARGV: target, the news that was tried, '1' where it is done with, first delay and longest in ms, most failures. → next | again | given-up */
const settleNews = luaScript(`${now}
local target, news, first, longest, most = ARGV[1], ARGV[2], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local outcome = 'next'
if ARGV[3] ~= '1' then
  local failures = redis.call('HINCRBY', KEYS[3], target, 1)
  if failures < most then
    redis.call('ZADD', KEYS[1], NOW + math.min(longest, first * 2 ^ (failures - 1)), target)
    return 'again'
  end
  outcome = 'given-up'
end
redis.call('HDEL', KEYS[3], target)
if redis.call('LINDEX', KEYS[2], 0) == news then redis.call('LPOP', KEYS[2]) end
if redis.call('LLEN', KEYS[2]) == 0 then redis.call('ZREM', KEYS[1], target) else redis.call('ZADD', KEYS[1], NOW, target) end
return outcome`)

/** A piece of news that is to be delivered now, by this process and no other for a while. */
export interface DueNews {
  readonly target: string
  /** `undefined` where nothing waits any more. */
  readonly news: News | undefined
  readonly text: string
}

/** How a target that fails is tried again: after `firstMs`, then twice as long each time up to `longestMs`, `most` times in all. */
export interface Retries {
  readonly firstMs: number
  readonly longestMs: number
  readonly most: number
}

/** The queues of news in Redis. Every operation fails with `unavailable` while Redis is away. */
export class NewsQueue {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Tells news once, however many witnesses tell it: by its id. */
  async tell(news: News): Promise<void> {
    await this.#run(tellNews, [outboxKey, key(`seen:${news.id}`)], [JSON.stringify(news)])
  }

  /** The oldest news that nobody has sorted yet. */
  async oldest(): Promise<{ news: News | undefined; text: string } | undefined> {
    const text = await reach(this.#connection.commands.lindex(outboxKey, -1))
    return text === null ? undefined : { news: readNews(text), text }
  }

  /** Puts the oldest news behind those of its target; without one it is nobody's. Another process may have been quicker. */
  async sort(text: string, target: string | undefined): Promise<void> {
    await this.#run(sortNews, [outboxKey, targetsKey, queueKey(target ?? '')], [text, target ?? ''])
  }

  /** Takes a target whose time has come, with its oldest news. */
  async take(): Promise<DueNews | undefined> {
    const target = String(await this.#run(takeTarget, [targetsKey], []))
    if (target === '') {
      return undefined
    }
    const text = await reach(this.#connection.commands.lindex(queueKey(target), 0))
    return { target, news: text === null ? undefined : readNews(text), text: text ?? '' }
  }

  /** What came of it: it is done with, or the target is to be tried again, unless that was its last try. */
  async settle(
    { target, text }: DueNews,
    { isDone, retries }: { isDone: boolean; retries: Retries },
  ): Promise<'next' | 'again' | 'given-up'> {
    const { firstMs, longestMs, most } = retries
    const outcome = await this.#run(
      settleNews,
      [targetsKey, queueKey(target), failuresKey],
      [target, text, isDone ? '1' : '0', firstMs, longestMs, most],
    )
    if (outcome !== 'next' && outcome !== 'again' && outcome !== 'given-up') {
      throw new NekoError('internal', 'a script of the news gave no outcome')
    }
    return outcome
  }

  #run(script: ReturnType<typeof luaScript>, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    return evaluate(this.#connection.commands, script, { keys, args })
  }
}

function readNews(text: string): News | undefined {
  try {
    return News.safeParse(JSON.parse(text)).data
  } catch {
    // A foreign hand has been in Redis: it is nobody's news.
    return undefined
  }
}
