import type { Connection } from '@neko-edge/store'
import { countFailure, failuresOf } from '@neko-edge/store'

/** Failed logins are counted per address and per account, over all control planes; who fails too often waits. */
export interface LoginLimit {
  /** Seconds to wait, or `undefined` where a try is allowed. */
  blockedFor(address: string, account: string): Promise<number | undefined>
  failed(address: string, account: string): Promise<void>
}

/** `scope` keeps the accounts of one room apart from those of others: their names are not the same people's. */
export function loginLimit(
  connection: Connection,
  options: { perAddress: number; perAccount: number; windowMs: number; scope: string },
): LoginLimit {
  const limits = (address: string, account: string) =>
    [
      { key: `address:${address}`, max: options.perAddress },
      { key: `account:${options.scope}${account}`, max: options.perAccount },
    ].filter(({ max }) => max > 0)
  return {
    async blockedFor(address, account) {
      // Asked at once: one way to Redis and back.
      const failures = await Promise.all(
        limits(address, account).map(async ({ key, max }) => ({ max, ...(await failuresOf(connection, key)) })),
      )
      const blocked = failures.find(({ count, max }) => count >= max)
      return blocked && Math.max(1, Math.ceil(blocked.leftMs / 1000))
    },
    async failed(address, account) {
      await Promise.all(limits(address, account).map(({ key }) => countFailure(connection, key, options.windowMs)))
    },
  }
}
