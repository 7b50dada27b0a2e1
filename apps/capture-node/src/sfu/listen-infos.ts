import type { TransportListenInfo } from 'mediasoup/types'
import { defaultRange, type SfuPorts } from './worker-options.ts'

/** The sockets of worker `index`, for mediasoup. */
export function listenInfos(ports: SfuPorts, index: number): TransportListenInfo[] {
  const ip = ports.listenIp ?? '0.0.0.0'
  // Candidates get their addresses when they are written: one socket serves all that are announced.
  const tcp: TransportListenInfo[] = ports.tcp === undefined ? [] : [{ protocol: 'tcp', ip, port: ports.tcp + index }]
  if (ports.udp !== undefined) {
    return [{ protocol: 'udp', ip, port: ports.udp + index }, ...tcp]
  }
  const range = ports.range ?? (ports.tcp === undefined ? defaultRange : undefined)
  return range === undefined ? tcp : [{ protocol: 'udp', ip, portRange: { min: range.min, max: range.max } }, ...tcp]
}

/** The same in words, for an error that its reader can act on. */
export function portsText(ports: SfuPorts, index: number): string {
  const texts = listenInfos(ports, index).map(({ protocol, port, portRange }) =>
    port === undefined
      ? `${protocol} ${portRange?.min}-${portRange?.max} (option webrtc.epr)`
      : `${protocol} ${port} (option webrtc.${protocol}mux)`,
  )
  return texts.join(' and ')
}
