import type { Connection } from '@neko-edge/store'
import { countFailure, failuresOf } from '@neko-edge/store'

/** Failed logins are counted per address and per account, over all control planes; who fails too often waits. */
export interface LoginLimit {
  /** Seconds to wait, or `undefined` where a try is allowed. */
  blockedFor(address: string, account: string): Promise<number | undefined>
  failed(address: string, account: string): Promise<void>
}

export function loginLimit(connection: Connection, options: { perAddress: number; perAccount: number; windowMs: number }): LoginLimit {
  const limits = (address: string, account: string) =>
    [
      { key: `address:${address}`, max: options.perAddress },
      { key: `account:${account}`, max: options.perAccount },
    ].filter(({ max }) => max > 0)
  return {
    async blockedFor(address, account) {
      for (const { key, max } of limits(address, account)) {
        const { count, leftMs } = await failuresOf(connection, key)
        if (count >= max) {
          return Math.max(1, Math.ceil(leftMs / 1000))
        }
      }
      return undefined
    },
    async failed(address, account) {
      for (const { key } of limits(address, account)) {
        await countFailure(connection, key, options.windowMs)
      }
    },
  }
}
