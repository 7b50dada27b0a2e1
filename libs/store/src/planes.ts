import { type Clock, type InstanceId, type Log, messageOf } from '@neko-edge/kit'
import type { Connection } from './connection.ts'
import { leaseMs } from './lease.ts'
import { evaluate, luaScript } from './script.ts'

/** The control planes that live, each with the time until which it counts as alive, by Redis's clock. */
const key = 'neko:control-planes'

const now = `
local time = redis.call('TIME')
local NOW = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
`
const renewPlane = luaScript(`${now}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', NOW)
return redis.call('ZADD', KEYS[1], NOW + ARGV[2], ARGV[1])`)

const leavePlanes = luaScript(`${now}
redis.call('ZREM', KEYS[1], ARGV[1])
return redis.call('ZCOUNT', KEYS[1], NOW, '+inf')`)

/** This control plane among the others. */
export interface PlaneMembership extends AsyncDisposable {
  /** Says that this one stops, and gives whether another one is there to take its clients. `unavailable` while Redis is away. */
  leave(): Promise<boolean>
}

/** Counts this process among the control planes that clients can come back to, until it leaves or is closed. */
export async function joinPlanes(
  connection: Connection,
  { instance, clock, log }: { instance: InstanceId; clock: Clock; log: Log },
): Promise<PlaneMembership> {
  const keys = [key]
  const renew = () => evaluate(connection.commands, renewPlane, { keys, args: [instance, leaseMs] })
  await renew()
  const stop = clock.every(leaseMs / 3, () => {
    renew().catch((error: unknown) => log.debug({ error: messageOf(error) }, 'control plane not counted as alive'))
  })
  const leave = async () => {
    stop()
    return Number(await evaluate(connection.commands, leavePlanes, { keys, args: [instance] })) > 0
  }
  return {
    leave,
    async [Symbol.asyncDispose]() {
      await leave().catch(() => undefined)
    },
  }
}
