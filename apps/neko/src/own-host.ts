import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'
import { messageOf, NekoError } from '@neko-edge/kit'

/** Loopback (RFC 1122, 4291), private (RFC 1918, 4193), link-local (RFC 3927, 4291): what nobody reaches who is not at home there. */
const own = new BlockList()
for (const [address, prefix] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
] as const) {
  own.addSubnet(address, prefix, 'ipv4')
}
for (const [address, prefix] of [
  ['::1', 128],
  ['fc00::', 7],
  ['fe80::', 10],
] as const) {
  own.addSubnet(address, prefix, 'ipv6')
}

/**
 * Fails with `forbidden` unless every address of the URL's host is of this machine or of a private network, and with `unavailable` where
 * it has none.
 */
export async function expectOwnHost({ hostname }: URL): Promise<void> {
  const host = hostname.replace(/^\[|\]$/g, '')
  const found = await lookup(host, { all: true }).catch((error: unknown) => {
    throw new NekoError('unavailable', `${host} has no address: ${messageOf(error)}`)
  })
  const strange = found.find(({ address }) => !isOwnAddress(address))
  if (strange) {
    throw new NekoError(
      'forbidden',
      `${host} is at ${strange.address}, which is no private address: only load servers of your own, and say so with --i-own-this`,
    )
  }
}

/** Whether an IP address is loopback, private or link-local; an IPv4 address that IPv6 carries counts as itself. */
export function isOwnAddress(address: string): boolean {
  const bare = address.replace(/%.*$/, '')
  return isIP(bare) !== 0 && own.check(bare, isIP(bare) === 6 ? 'ipv6' : 'ipv4')
}
