import { networkInterfaces } from 'node:os'

/**
 * The addresses that candidates are written with, best first: `announced` (neko's nat1to1) where there are any, else every IPv4 address of the
 * machine, the loopback one last. A name is taken as it is: browsers resolve it.
 */
export function announcedAddresses(announced: readonly string[]): string[] {
  if (announced.length > 0) {
    return [...new Set(announced)]
  }
  const all = Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).filter((one) => one.family === 'IPv4'))
  return [...all.filter((one) => !one.internal), ...all.filter((one) => one.internal)].map((one) => one.address)
}
