import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { seeded } from './seeded.ts'

export interface ShapedLink {
  /** What passes from the server to the viewer, bits a second. */
  readonly rate: number
  /** How much waits at the thin place before packets are dropped, as milliseconds of the rate. */
  readonly queueMs?: number
  /** Probability of a loss by chance, 0…1. */
  readonly loss?: number
}

/**
 * A thin link between one viewer and a server on loopback: a UDP relay whose way to the viewer is a token bucket with a short queue. The viewer is told the
 * shaper's port for the server's (`rewrite` its SDP); what he sends goes through at once. Which packets chance takes follows from the seed.
 */
export class UdpShaper implements AsyncDisposable {
  readonly port: number
  /** Packets that the link has taken, and those of them that it lost. */
  readonly counts = { sent: 0, dropped: 0 }
  /** Packets of transport-wide feedback that the viewer has sent: SRTCP leaves the header that tells them in the clear (RFC 3711 §3.4). */
  feedbacks = 0
  /** Probability that what the viewer sends is lost, 0…1. */
  upLoss = 0
  /** Packets of the viewer that were. */
  lostUp = 0
  /** The network is gone: nothing passes, neither way. */
  isGone = false
  readonly #server: { host: string; port: number }
  readonly #near: Socket
  readonly #far: Socket
  readonly #random: () => number
  #viewer: { address: string; port: number } | undefined
  #link: Required<ShapedLink>
  /** When the thin place has passed on all that it holds, `performance.now()` milliseconds. */
  #freeAt = 0

  private constructor(parts: {
    near: Socket
    far: Socket
    server: { host: string; port: number }
    link: Required<ShapedLink>
    seed: number
  }) {
    this.#near = parts.near
    this.#far = parts.far
    this.#server = parts.server
    this.#link = parts.link
    this.#random = seeded(parts.seed)
    this.port = parts.near.address().port
    this.#near.on('message', (packet, from) => {
      this.#viewer = from
      this.feedbacks += isTransportFeedback(packet) ? 1 : 0
      if (this.upLoss > 0 && this.#random() < this.upLoss) {
        this.lostUp += 1
      } else if (!this.isGone) {
        this.#far.send(packet, this.#server.port, this.#server.host)
      }
    })
    this.#far.on('message', (packet) => this.#pass(packet))
  }

  /** Opens a relay on 127.0.0.1 to the server's media port. */
  static async open(server: { host: string; port: number }, { seed = 1, ...link }: ShapedLink & { seed?: number }): Promise<UdpShaper> {
    const sockets = [createSocket('udp4'), createSocket('udp4')] as const
    for (const socket of sockets) {
      socket.bind(0, '127.0.0.1')
      await once(socket, 'listening')
    }
    const [near, far] = sockets
    return new UdpShaper({ near, far, server, link: { queueMs: 200, loss: 0, ...link }, seed })
  }

  /** The same link from now on with another rate, queue or loss. */
  change(link: Partial<ShapedLink>): void {
    this.#link = { ...this.#link, ...link }
  }

  /** An SDP or candidate in which the server is to be found at the shaper. */
  rewrite(text: string): string {
    return text.replaceAll(new RegExp(`( udp \\d+ \\S+ )${this.#server.port} `, 'gi'), `$1${this.port} `)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of [this.#near, this.#far]) {
      socket.close()
      await once(socket, 'close')
    }
  }

  #pass(packet: Buffer): void {
    const viewer = this.#viewer
    const { rate, queueMs, loss } = this.#link
    const now = performance.now()
    const isLost = this.#random() < loss
    this.counts.sent += 1
    if (viewer === undefined || this.isGone || isLost || this.#freeAt - now > queueMs) {
      this.counts.dropped += 1
      return
    }
    this.#freeAt = Math.max(now, this.#freeAt) + (packet.length * 8000) / rate
    setTimeout(() => {
      try {
        this.#near.send(packet, viewer.port, viewer.address)
      } catch {
        // Closed while this packet was on its way.
      }
    }, this.#freeAt - now)
  }
}

/** draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1: version 2, format 15, type 205. */
function isTransportFeedback(packet: Buffer): boolean {
  return packet.length > 8 && packet[1] === 205 && (packet[0]! & 0xdf) === 0x8f
}
