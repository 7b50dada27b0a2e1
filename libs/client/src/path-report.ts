/** One way to reach a side of the connection, as ICE names it (RFC 8839 §5.1). */
interface Candidate {
  readonly protocol: string
  readonly address: string
  readonly port: string
  readonly type: string
}

/** Addresses that lead nowhere outside of a machine or its own network (RFC 1918, RFC 4193, loopback, link local). */
const isPrivate = (address: string) => /^(127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|::1$|f[cd]|fe80:)/i.test(address)

function parse(line: string): Candidate | undefined {
  const [, protocol, address, port, type] = /candidate:\S+ \d+ (\S+) \d+ (\S+) (\d+) typ (\S+)/.exec(line) ?? []
  return protocol && address && port && type ? { protocol: protocol.toLowerCase(), address, port, type } : undefined
}

/**
 * What was tried where no path was found, for the reader who runs the server: candidates of both sides (lines of SDP or of trickle ICE), and the
 * option that would help. Addresses of the reader's own machine are left out.
 */
export function pathReport(here: readonly string[], there: readonly string[]): string {
  const mine = here.flatMap((line) => parse(line) ?? [])
  const theirs = there.flatMap((line) => parse(line) ?? [])
  const kinds = [...new Set(mine.map(({ protocol, type }) => `${protocol} ${type}`))]
  const places = [...new Set(theirs.map(({ protocol, address, port }) => `${protocol} ${address}:${port}`))]
  const list = (all: readonly string[]) => (all.length > 0 ? all.join(', ') : 'none')
  const hints = [
    theirs.length > 0 &&
      theirs.every(({ address }) => isPrivate(address)) &&
      'The server names private addresses only: from outside it needs NEKO_WEBRTC_NAT1TO1.',
    !theirs.some(({ protocol }) => protocol === 'tcp') && 'It names no TCP port: NEKO_WEBRTC_TCPMUX opens one where UDP is blocked.',
    !mine.some(({ type }) => type === 'relay') && 'There is no TURN server: NEKO_WEBRTC_ICESERVERS_FRONTEND names one.',
  ].filter((hint) => hint !== false)
  return `Tried from here: ${list(kinds)}; to the server: ${list(places)}. ${hints.join(' ')}`.trim()
}
