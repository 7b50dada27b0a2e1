import { isIP, isIPv4 } from 'node:net'
import { BadValue } from './bad-value.ts'
import { readText } from './scalar.ts'

/** Where a server listens: a TCP address (an empty host is every interface) or a unix socket. */
export type Bind = { readonly kind: 'tcp'; readonly host: string; readonly port: number } | { readonly kind: 'unix'; readonly path: string }

/** `127.0.0.1:8080`, `:8080`, `[::1]:8080`, `localhost:8080`, `unix:/run/neko.sock` or an absolute path. */
export function readBind(raw: unknown): Bind | BadValue {
  const text = readText(raw)
  if (text instanceof BadValue) {
    return text
  }
  const source = text.trim()
  const path = source.startsWith('unix:') ? source.slice('unix:'.length).replace(/^\/\/(?=\/)/, '') : source
  if (path.startsWith('/')) {
    return { kind: 'unix', path }
  }
  const match = /^(?:\[([0-9a-f:.%a-z]+)\]|([^:[\]/\s]*)):(\d+)$/i.exec(source)
  if (match === null) {
    return new BadValue('is not an address')
  }
  const port = Number(match[3])
  if (port > 65535) {
    return new BadValue(`names port ${match[3]}, and ports end at 65535`)
  }
  return { kind: 'tcp', host: match[1] ?? match[2] ?? '', port }
}

export function printBind(bind: Bind): string {
  if (bind.kind === 'unix') {
    return `unix:${bind.path}`
  }
  return bind.host.includes(':') ? `[${bind.host}]:${bind.port}` : `${bind.host}:${bind.port}`
}

/** True if only this machine can reach the address. */
export function isLoopback(bind: Bind): boolean {
  if (bind.kind === 'unix') {
    return true
  }
  const host = bind.host.toLowerCase()
  return host === 'localhost' || host === '::1' || host === '::ffff:127.0.0.1' || (isIPv4(host) && host.startsWith('127.'))
}

/** UDP ports from `min` to `max`, both included. */
export interface PortRange {
  readonly min: number
  readonly max: number
}

/** `59000-59100`; empty text is no range. */
export function readPortRange(raw: unknown): PortRange | undefined | BadValue {
  const text = readText(raw)
  if (text instanceof BadValue) {
    return text
  }
  if (text.trim() === '') {
    return undefined
  }
  const match = /^\s*(\d+)\s*-\s*(\d+)\s*$/.exec(text)
  if (match === null) {
    return new BadValue('is not a range of ports')
  }
  const min = Number(match[1])
  const max = Number(match[2])
  if (min < 1 || Math.max(min, max) > 65535) {
    return new BadValue('names a port outside 1 … 65535')
  }
  return min > max ? new BadValue(`is inverted: ${min} is greater than ${max}`) : { min, max }
}

export function printPortRange(range: PortRange | undefined): string {
  return range === undefined ? '' : `${range.min}-${range.max}`
}

/** True for an IP address or a range in CIDR notation. */
export function isAddressRange(text: string): boolean {
  const [address = '', bits, more] = text.split('/')
  const family = isIP(address)
  if (family === 0 || more !== undefined) {
    return false
  }
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
}
