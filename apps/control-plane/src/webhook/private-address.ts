import { isIP } from 'node:net'
import { addressRanges } from '../http/address-range.ts'

/** What no stranger's address may lead to: this machine, its networks, link-local services such as the metadata of clouds, groups (RFC 6890 and its kin). */
const isPrivateV4 = addressRanges([
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24'],
  ...['192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
])

/** The same; addresses that carry an IPv4 address inside (mapped, translated, 6to4, Teredo) lead wherever that leads. A list of its own: one that holds mapped addresses takes every IPv4 address for one of them. */
const isPrivateV6 = addressRanges([
  ...['::/96', '::ffff:0:0/96', '64:ff9b::/96', '64:ff9b:1::/48', '100::/64', '2001::/23', '2001:db8::/32', '2002::/16'],
  ...['fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8'],
])

/** Whether an IP address is not of the public internet; `true` for what is no address. */
export function isPrivateAddress(address: string): boolean {
  const bare = address.replace(/%.*$/, '')
  return isIP(bare) === 4 ? isPrivateV4(bare) : isIP(bare) === 0 || isPrivateV6(bare)
}
