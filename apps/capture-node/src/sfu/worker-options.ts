/** Where WebRTC listens. Every worker has one UDP socket, and one for TCP where asked, for all its viewers. */
export interface SfuPorts {
  /** Local IPv4 address to bind; default all. */
  readonly listenIp?: string
  /** A fixed UDP port (neko's `udpmux`): worker n listens on `udp + n`. It wins over `range`. */
  readonly udp?: number
  /** UDP ports to pick from (neko's `epr`), one a worker. */
  readonly range?: { readonly min: number; readonly max: number }
  /** A fixed TCP port (neko's `tcpmux`): worker n listens on `tcp + n`. Alone it means TCP only. */
  readonly tcp?: number
}

/** UDP ports where nothing is said, as upstream. */
export const defaultRange = { min: 59_000, max: 59_100 } as const

/** UDP ports of pipes between nodes where nothing is said. */
export const defaultPipeRange = { min: 59_200, max: 59_299 } as const
