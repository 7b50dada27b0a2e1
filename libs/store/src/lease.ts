import { type Clock, type InstanceId, type Log, messageOf } from '@neko-edge/kit'
import type { Connection } from './connection.ts'
import { reach } from './script.ts'

/** How long a process counts as alive after it last said so, in milliseconds; it says so three times in that time. */
export const leaseMs = 3_000

const key = (instance: string) => `neko:instance:${instance}`

/** Says in Redis that this process lives, until it is closed; a process that dies is missed after `leaseMs`. */
export async function keepLease(
  connection: Connection,
  { instance, clock, log }: { instance: InstanceId; clock: Clock; log: Log },
): Promise<AsyncDisposable> {
  const renew = () => reach(connection.commands.set(key(instance), '1', 'PX', leaseMs))
  await renew()
  const stop = clock.every(leaseMs / 3, () => {
    renew().catch((error: unknown) => log.debug({ error: messageOf(error) }, 'lease not renewed'))
  })
  return {
    async [Symbol.asyncDispose]() {
      stop()
      await connection.commands.del(key(instance)).catch(() => undefined)
    },
  }
}

/** Those of `instances` that live no more. */
export async function deadInstances(connection: Connection, instances: readonly string[]): Promise<string[]> {
  const alive = await reach(Promise.all(instances.map((instance) => connection.commands.exists(key(instance)))))
  return instances.filter((_, index) => alive[index] === 0)
}
