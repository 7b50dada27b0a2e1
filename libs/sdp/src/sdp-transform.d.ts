/** The part of sdp-transform 3 that this package uses; the package itself ships no types. */
declare module 'sdp-transform' {
  export interface Fmtp {
    payload: number
    config: string
  }
  export interface SharedAttributes {
    direction?: string
    iceUfrag?: string | number
    icePwd?: string | number
    setup?: string
    fingerprint?: { type: string; hash: string }
  }
  export interface MediaDescription extends SharedAttributes {
    type: string
    port: number
    protocol: string
    payloads?: string | number
    connection?: { version: number; ip: string }
    mid?: string | number
    bundleOnly?: string
    rtp: { payload: number; codec: string; rate?: number; encoding?: number | string }[]
    fmtp: Fmtp[]
    rtcpFb?: { payload: number | string; type: string; subtype?: string | undefined }[]
    ext?: { value: number; direction?: string; uri: string }[]
    ssrcs?: { id: number; attribute: string; value?: string | number }[]
    ssrcGroups?: { semantics: string; ssrcs: string | number }[]
    msid?: { id: string; appdata: string }[]
    rtcpMux?: string
    rtcpRsize?: string
    sctpPort?: number
    maxMessageSize?: number
    endOfCandidates?: string
    candidates?: {
      foundation: string
      component: number
      transport: string
      priority: number
      ip: string
      port: number
      type: string
      tcptype?: string | undefined
    }[]
  }
  export interface SessionDescription extends SharedAttributes {
    version?: number
    origin?: { username: string; sessionId: number | string; sessionVersion: number; netType: string; ipVer: number; address: string }
    name?: string
    timing?: { start: number; stop: number }
    groups?: { type: string; mids: string }[]
    msidSemantic?: { semantic: string; token: string }
    icelite?: string
    media: MediaDescription[]
  }
  export function parse(sdp: string): SessionDescription
  export function write(session: SessionDescription): string
  export function parseParams(config: string): Record<string, string | number | undefined>
}
