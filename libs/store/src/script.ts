import { NekoError } from '@neko-edge/kit'
import type { Cluster, Redis } from 'ioredis'

/** Turns what ioredis throws while Redis is away or a server is slow into `unavailable`, so that an edge can say 503. */
export async function reach<T>(command: Promise<T>): Promise<T> {
  try {
    return await command
  } catch (error) {
    const isReply = error instanceof Error && error.name === 'ReplyError'
    throw new NekoError(isReply ? 'internal' : 'unavailable', isReply ? 'a Redis script failed' : 'the room store is not reachable', {
      cause: error,
    })
  }
}

/** A Lua script by its hash, sent whole only where Redis does not know it yet. */
export interface LuaScript {
  readonly source: string
  readonly sha: Promise<string>
}

export function luaScript(source: string): LuaScript {
  return { source, sha: sha1(source) }
}

async function sha1(source: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-1', new TextEncoder().encode(source))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Runs a script once, atomically. Fails with `unavailable` while Redis is away. */
export function evaluate(
  redis: Redis | Cluster,
  script: LuaScript,
  { keys, args }: { keys: readonly string[]; args: readonly (string | number)[] },
): Promise<unknown> {
  return reach(run(redis, script, [keys.length, ...keys, ...args]))
}

async function run(
  redis: Redis | Cluster,
  script: LuaScript,
  [count, ...rest]: readonly [number, ...(string | number)[]],
): Promise<unknown> {
  try {
    return await redis.evalsha(await script.sha, count, ...rest)
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('NOSCRIPT')) {
      return redis.eval(script.source, count, ...rest)
    }
    throw error
  }
}
