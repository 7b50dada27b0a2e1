import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/**
 * A relay on 127.0.0.1 in front of a server, that breaks connections the way a network does: `cut` ends them with a TCP reset and no
 * close frame, which a viewer can not do to itself; `hold` lets nothing pass and tells nobody.
 */
export class TcpRelay implements AsyncDisposable {
  readonly #server: Server
  /** Each socket, and where what comes from it goes. */
  readonly #sockets = new Map<Socket, Socket>()
  #isHeld = false
  readonly port: number

  private constructor(server: Server, port: number) {
    this.#server = server
    this.port = port
  }

  /** Listens, and connects each client to the next of the targets in turn; to the one after it where that does not answer. */
  static async open(...targets: readonly { host: string; port: number }[]): Promise<TcpRelay> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') {
      throw new Error('a TCP server on 127.0.0.1 always has a port')
    }
    const relay = new TcpRelay(server, address.port)
    let turn = 0
    server.on('connection', (client) => {
      // It may go before there is anybody to tell.
      client.on('error', () => undefined)
      relay.#reach(client, [...targets.slice(turn % targets.length), ...targets.slice(0, turn % targets.length)])
      turn++
    })
    return relay
  }

  /** The address of the relay for a browser. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Resets every connection through it; new ones are taken. */
  cut(): void {
    for (const socket of this.#sockets.keys()) {
      socket.resetAndDestroy()
    }
  }

  /** The network is gone: connections stay, new ones too, and nothing passes until `release`. */
  hold(): void {
    this.#isHeld = true
    for (const [from, to] of this.#sockets) {
      from.unpipe(to)
      from.pause()
    }
  }

  /** The network is back, and what was held passes. */
  release(): void {
    this.#isHeld = false
    for (const [from, to] of this.#sockets) {
      from.pipe(to)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    this.cut()
    await once(this.#server, 'close')
  }

  #reach(client: Socket, [target, ...others]: readonly { host: string; port: number }[]): void {
    if (target === undefined) {
      client.resetAndDestroy()
      return
    }
    const upstream = connect(target)
    const refused = () => this.#reach(client, others)
    upstream.once('error', refused)
    upstream.once('connect', () => {
      upstream.off('error', refused)
      this.#join(client, upstream)
      this.#join(upstream, client)
    })
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.set(from, to)
    if (!this.#isHeld) {
      from.pipe(to)
    }
    // A reset on one side is passed on as one; the error itself is what this relay is for.
    from.on('error', () => to.resetAndDestroy())
    from.on('close', () => this.#sockets.delete(from))
  }
}
