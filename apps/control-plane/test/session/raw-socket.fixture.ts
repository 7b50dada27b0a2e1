import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { until } from '@neko-edge/kit'

/** Opcodes of RFC 6455 §5.2. */
export const opcode = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

/** A WebSocket without a browser's manners: any close code, none, a reset, any frame; and it sees the frames themselves. */
export class RawSocket {
  readonly frames: { opcode: number; payload: Buffer }[] = []
  readonly #socket: Socket
  #rest: Buffer = Buffer.alloc(0)

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    // A reset by the server is one of the things that are tried.
    socket.on('error', () => undefined)
  }

  /** Upgrades at `http://host:port/path`; the greeting comes as frames. Fails with the status line where there is no 101. */
  static async open(url: string, headers: Readonly<Record<string, string>> = {}): Promise<RawSocket> {
    const { hostname, port, pathname, search } = new URL(url)
    const socket = connect(Number(port), hostname)
    await once(socket, 'connect')
    const lines = {
      Host: `${hostname}:${port}`,
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
      ...headers,
    }
    socket.write(
      `GET ${pathname}${search} HTTP/1.1\r\n${Object.entries(lines)
        .map(([name, value]) => `${name}: ${value}\r\n`)
        .join('')}\r\n`,
    )
    let head = Buffer.alloc(0)
    while (!head.includes('\r\n\r\n')) {
      const [chunk] = (await once(socket, 'data')) as [Buffer]
      head = Buffer.concat([head, chunk])
    }
    const end = head.indexOf('\r\n\r\n') + 4
    const status = head.toString('latin1').split('\r\n')[0] ?? ''
    if (!status.includes(' 101 ')) {
      socket.destroy()
      throw new Error(status)
    }
    const raw = new RawSocket(socket)
    raw.#read(head.subarray(end))
    return raw
  }

  /** The texts that came, as they came. */
  get texts(): string[] {
    return this.frames.filter((frame) => frame.opcode === opcode.text).map(({ payload }) => payload.toString())
  }

  /** The events that came. */
  get events(): string[] {
    return this.texts.map((text) => (JSON.parse(text) as { event: string }).event)
  }

  async hears(event: string): Promise<void> {
    await until(() => this.events.includes(event), { ms: 5_000, what: event })
  }

  /** Sends one whole frame, masked as clients must. */
  send(code: number, payload: Uint8Array | string = ''): void {
    const body = Buffer.from(payload)
    const mask = randomBytes(4)
    const long = body.length > 65_535
    const head = Buffer.alloc(body.length < 126 ? 2 : long ? 10 : 4)
    head[0] = 0x80 | code
    head[1] = 0x80 | (body.length < 126 ? body.length : long ? 127 : 126)
    if (long) {
      head.writeBigUInt64BE(BigInt(body.length), 2)
    } else if (body.length >= 126) {
      head.writeUInt16BE(body.length, 2)
    }
    this.#socket.write(Buffer.concat([head, mask, body.map((byte, index) => byte ^ (mask[index % 4] ?? 0))]))
  }

  /** Reads nothing from now on, until `resume`: as a client whose network is too thin. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** What the server's close frame said, once it has come. */
  get closed(): { code: number; reason: string } | undefined {
    const frame = this.frames.find((each) => each.opcode === opcode.close)
    return frame && { code: frame.payload.readUInt16BE(0), reason: frame.payload.subarray(2).toString() }
  }

  /** A close frame with a code, or without one. */
  close(code?: number): void {
    const payload = Buffer.alloc(code === undefined ? 0 : 2)
    if (code !== undefined) {
      payload.writeUInt16BE(code)
    }
    this.send(opcode.close, payload)
  }

  /** Breaks the connection without a word. */
  reset(): void {
    this.#socket.resetAndDestroy()
  }

  #read(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk])
    for (;;) {
      const short = (this.#rest[1] ?? 0) & 0x7f
      const head = short < 126 ? 2 : short === 126 ? 4 : 10
      if (this.#rest.length < head) {
        return
      }
      const length = short < 126 ? short : short === 126 ? this.#rest.readUInt16BE(2) : Number(this.#rest.readBigUInt64BE(2))
      if (this.#rest.length < head + length) {
        return
      }
      this.frames.push({ opcode: (this.#rest[0] ?? 0) & 0x0f, payload: this.#rest.subarray(head, head + length) })
      this.#rest = this.#rest.subarray(head + length)
    }
  }
}
