import { randomBytes } from 'node:crypto'
import { NekoError } from '@neko-edge/kit'

/** What a viewer must know of the server, as its words for the program. */
export interface Watched {
  readonly address: string
  readonly port: number
  readonly remoteUfrag: string
  readonly remotePassword: string
  readonly fingerprint: string
  readonly role: 'client' | 'server'
  /** 1 for an ICE-lite server, whom the viewer controls. */
  readonly lite: 0 | 1
  readonly ufrag: string
  readonly password: string
  readonly video: number
  readonly rtx: number
  readonly audio: number
  /** Id of the header extension with transport-wide sequence numbers; 0 = not offered. */
  readonly transportCc: number
}

/** Lines of an m-section that an answer repeats as they are. */
const kept = /^(?:c=|a=(?:mid|rtcp-mux|rtcp-rsize|rtpmap|fmtp|rtcp-fb|extmap|sctp-port|max-message-size|extmap-allow-mixed)\b)/
const session = /^(?:t=|a=(?:group|msid-semantic|extmap-allow-mixed)\b)/

/**
 * Answers the offer of a neko server as a viewer who takes everything that is offered and sends nothing.
 * `candidate` is one that came beside the offer. Errors: `invalid` where the offer names no address, certificate or video.
 */
export function answerAsViewer(offer: string, ownFingerprint: string, candidate = ''): { answer: string; watched: Watched } {
  const [head = '', ...media] = offer.split(/\r?\n(?=m=)/)
  const isLite = /^a=ice-lite/m.test(offer)
  const own = { ufrag: randomText(8), password: randomText(24) }
  const isDtlsClient = first(offer, /^a=setup:(\w+)/m, 'a=setup') !== 'active'
  const video = media.find((section) => section.startsWith('m=video')) ?? ''
  const audio = media.find((section) => section.startsWith('m=audio')) ?? ''
  const [address, port] = candidateOf(`${offer}\n${candidate}`)
  const watched: Watched = {
    address,
    port,
    remoteUfrag: first(offer, /^a=ice-ufrag:(\S+)/m, 'a=ice-ufrag'),
    remotePassword: first(offer, /^a=ice-pwd:(\S+)/m, 'a=ice-pwd'),
    fingerprint: first(offer, /^a=fingerprint:sha-256 (\S+)/im, 'a=fingerprint with SHA-256'),
    role: isDtlsClient ? 'client' : 'server',
    lite: isLite ? 1 : 0,
    ...own,
    video: Number(first(video, /^a=ssrc:(\d+)/m, 'a=ssrc of a video')),
    rtx: Number(/^a=ssrc-group:FID \d+ (\d+)/m.exec(video)?.[1] ?? 0),
    audio: Number(/^a=ssrc:(\d+)/m.exec(audio)?.[1] ?? 0),
    transportCc: Number(/^a=extmap:(\d+)\S* \S*transport-wide-cc-extensions-01/m.exec(video)?.[1] ?? 0),
  }
  const shared = [
    `a=ice-ufrag:${own.ufrag}`,
    `a=ice-pwd:${own.password}`,
    `a=fingerprint:sha-256 ${ownFingerprint}`,
    `a=setup:${isDtlsClient ? 'active' : 'passive'}`,
  ]
  const sections = media.flatMap((section) => {
    const [line = '', ...rest] = section.split(/\r?\n/)
    return [line, ...rest.filter((one) => kept.test(one)), ...(/^m=(?:audio|video)/.test(line) ? ['a=recvonly'] : []), ...shared]
  })
  const opening = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', ...head.split(/\r?\n/).filter((line) => session.test(line))]
  return { answer: [...opening, ...sections, ''].join('\r\n'), watched }
}

function candidateOf(text: string): [string, number] {
  const found = /candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host/i.exec(text)
  if (found?.[1] === undefined) {
    throw new NekoError('invalid', 'the offer names no UDP candidate of this host')
  }
  return [found[1], Number(found[2])]
}

function first(text: string, pattern: RegExp, what: string): string {
  const found = pattern.exec(text)?.[1]
  if (found === undefined) {
    throw new NekoError('invalid', `the offer has no ${what}`)
  }
  return found
}

const randomText = (length: number): string => randomBytes(length).toString('hex').slice(0, length)
