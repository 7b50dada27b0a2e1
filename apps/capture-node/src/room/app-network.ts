import { lookup } from 'node:dns/promises'
import { type Config, readRedisUrl } from '@neko-edge/config'
import { type Log, messageOf, NekoError } from '@neko-edge/kit'
import type { Identity } from '@neko-edge/process'
import { whyNotIsolated } from '../process/room-network.ts'

/**
 * What `desktop.app_network` asks for: a network of the room's own with what it must not reach, or `undefined` for the machine's.
 * Fails with `unavailable` where `isolated` is asked for and this machine can not do it.
 */
export async function appNetwork(
  { desktop, redis }: Config,
  identity: Identity | undefined,
  log: Log,
): Promise<{ readonly deny: readonly string[] } | undefined> {
  if (desktop.appNetwork === 'shared') {
    return undefined
  }
  const why = await whyNotIsolated(identity, log)
  if (why === undefined) {
    return { deny: [...desktop.appNetworkDeny, ...(await addressesOf(redis.url, log))] }
  }
  if (desktop.appNetwork === 'isolated') {
    throw new NekoError('unavailable', `desktop.app_network is isolated, and ${why}`)
  }
  log.warn({ why }, "the application shares this machine's network and reaches what listens here; desktop.app_network=shared accepts that")
  return undefined
}

/** Whoever reaches Redis has all rooms: its servers are never in reach of an application. */
async function addressesOf(redisUrl: string, log: Log): Promise<string[]> {
  const redis = readRedisUrl(redisUrl)
  const hosts = 'hosts' in redis ? redis.hosts : []
  const found = await Promise.all(
    hosts.map(async ({ host }) => {
      try {
        return await lookup(host, { all: true })
      } catch (error) {
        log.warn({ host, error: messageOf(error) }, 'the address of a Redis server is not known, so that it is not kept from applications')
        return []
      }
    }),
  )
  return found.flat().map(({ address }) => address)
}
