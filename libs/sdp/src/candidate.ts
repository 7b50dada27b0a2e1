/** A host candidate of the server. `port` on TCP is one that the server accepts connections on. */
export interface IceCandidate {
  readonly foundation: string
  readonly priority: number
  readonly address: string
  readonly protocol: 'udp' | 'tcp'
  readonly port: number
}

/** The JSON of an `RTCIceCandidateInit`, as neko's `signal/candidate` carries it. */
export interface CandidateInit {
  readonly candidate: string
  readonly sdpMid: string
  readonly sdpMLineIndex: number
  readonly usernameFragment: null
}

/** The candidates as the events of a trickling server, for clients that wait for them; all belong to the first m-line, since everything is bundled. */
export function candidateEvents(candidates: readonly IceCandidate[]): CandidateInit[] {
  return candidates.map(({ foundation, protocol, priority, address, port }) => ({
    candidate: `candidate:${foundation} 1 ${protocol} ${priority} ${address} ${port} typ host${protocol === 'tcp' ? ' tcptype passive' : ''}`,
    sdpMid: '0',
    sdpMLineIndex: 0,
    usernameFragment: null,
  }))
}
