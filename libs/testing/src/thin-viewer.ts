import { NekoError, within } from '@neko-edge/kit'
import { Inbox } from './inbox.ts'

const openMs = 10_000
const headLength = 6
/** The numbers of the formats on the wire. */
const formats: Readonly<Record<number, string>> = {
  1: 'vp8',
  2: 'vp9',
  3: 'h264',
  4: 'av1',
  16: 'jpeg',
  32: 'opus',
  33: 'pcmu',
  34: 'pcma',
  48: 'channel',
}

/** One message of the server on the thin line. */
export interface ThinFrame {
  format: string
  isKey: boolean
  /** On the clock of the format. */
  time: number
  /** `performance.now()` milliseconds. */
  at: number
  bytes: Uint8Array
}

/** A viewer on the thin line without a screen: `/api/stream` as any client would speak it. It says that pictures arrived unless told not to. */
export class ThinViewer {
  /** What came and was not taken yet. */
  readonly frames = new Inbox<ThinFrame>(({ format }) => format)
  /** Texts of the server, in order. */
  readonly texts: string[] = []
  readonly closed: Promise<{ code: number; reason: string }>
  /** Whether arrivals are told; a line that does not keep up is played by one that does not. */
  isTelling = true
  readonly #socket: WebSocket
  #pictures = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
    const closed = Promise.withResolvers<{ code: number; reason: string }>()
    this.closed = closed.promise
    socket.addEventListener('message', ({ data }) => this.#take(data))
    socket.addEventListener('close', ({ code, reason }) => {
      this.frames.end(new NekoError('unavailable', `the thin line was closed: ${code} ${reason}`))
      closed.resolve({ code, reason })
    })
  }

  /** Connects to the server at `url` (http); `unavailable` when the upgrade is refused. */
  static async open({ url, token }: { url: string; token: string }): Promise<ThinViewer> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/api/stream?token=${token}`)
    socket.binaryType = 'arraybuffer'
    const opened = Promise.withResolvers<ThinViewer>()
    socket.addEventListener('open', () => opened.resolve(new ThinViewer(socket)))
    socket.addEventListener('error', () => opened.reject(new NekoError('unavailable', `no thin line at ${url}`)))
    return within(openMs, 'opening the thin line', opened.promise)
  }

  say(word: object | string): void {
    this.#socket.send(typeof word === 'string' ? word : JSON.stringify(word))
  }

  watch(wish: { picture: 'video' | 'jpeg' | 'none'; id?: string; sound?: boolean }): void {
    this.say({ is: 'wish', sound: false, ...wish })
  }

  /** The first frame of a format that nobody took yet, of those that `where` accepts. */
  async next(format: string, { where = () => true, ms = 10_000 }: { where?: (frame: ThinFrame) => boolean; ms?: number } = {}) {
    return this.frames.take((frame) => frame.format === format && where(frame), { ms, what: `a frame of ${format}` })
  }

  /** Says that all that came has arrived. */
  tell(): void {
    this.say({ is: 'seen', pictures: this.#pictures })
  }

  async close(): Promise<void> {
    this.#socket.close(1000)
    await this.closed
  }

  #take(data: unknown): void {
    if (typeof data === 'string') {
      this.texts.push(data)
      return
    }
    const bytes = new Uint8Array(data as ArrayBuffer)
    const format = formats[bytes[0] ?? 0]
    if (format === undefined || bytes.length < headLength) {
      throw new NekoError('invalid', `no frame: ${bytes.subarray(0, 16)}`)
    }
    const isPicture = format !== 'channel' && (bytes[0] ?? 0) < 32
    this.frames.push({
      format,
      isKey: ((bytes[1] ?? 0) & 1) !== 0,
      time: new DataView(bytes.buffer).getUint32(2),
      at: performance.now(),
      bytes: bytes.subarray(headLength),
    })
    if (isPicture) {
      this.#pictures += 1
      if (this.isTelling) {
        this.tell()
      }
    }
  }
}
