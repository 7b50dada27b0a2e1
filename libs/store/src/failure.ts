import type { Connection } from './connection.ts'
import { evaluate, luaScript } from './script.ts'

const redisKey = (key: string) => `neko:failures:${key}`

const count = luaScript(`
local total = redis.call('INCR', KEYS[1])
if total == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return total`)

const read = luaScript(`return { tonumber(redis.call('GET', KEYS[1]) or 0), redis.call('PTTL', KEYS[1]) }`)

/** Counts one failure; the count is forgotten `windowMs` after its first. */
export async function countFailure({ commands }: Connection, key: string, windowMs: number): Promise<void> {
  await evaluate(commands, count, { keys: [redisKey(key)], args: [windowMs] })
}

/** Failures so far, and how long they are still remembered. */
export async function failuresOf({ commands }: Connection, key: string): Promise<{ count: number; leftMs: number }> {
  // The script's reply is two numbers.
  const [total, leftMs] = (await evaluate(commands, read, { keys: [redisKey(key)], args: [] })) as [number, number]
  return { count: total, leftMs }
}
