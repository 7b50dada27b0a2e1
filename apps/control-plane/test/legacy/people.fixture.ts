import { until } from '@neko-edge/kit'
import { JsonSocket, type SocketMessage } from '@neko-edge/testing'
import type { Planes } from '../session/planes.fixture.ts'

export interface Entrance {
  readonly password?: string
  readonly plane?: number
  /** Clients up to 2.9 say their name only in their answer. */
  readonly isOld?: boolean
}

/** Opens V2's socket with this query, whatever comes of it. */
export const knock = (planes: Planes, query: Readonly<Record<string, string>>, plane = 0): Promise<JsonSocket> =>
  JsonSocket.open(`${planes.url(plane).replace('http', 'ws')}/ws?${new URLSearchParams(query)}`, () => undefined)

/** A V2 client, without media: the stand-in for a capture node says that its picture has come. */
export class V2Person {
  readonly id: string
  readonly socket: JsonSocket
  readonly #planes: Planes

  private constructor(planes: Planes, id: string, socket: JsonSocket) {
    this.#planes = planes
    this.id = id
    this.socket = socket
  }

  /** Comes in, with the whole greeting. */
  static async enter(planes: Planes, name: string, { password = 'neko', plane = 0, isOld = false }: Entrance = {}): Promise<V2Person> {
    const socket = await knock(planes, { password, ...(!isOld && { username: name }) }, plane)
    const provide = await socket.event('signal/provide')
    const id = String(provide['id'])
    socket.send({ event: 'signal/answer', sdp: 'answer', displayname: name })
    const answered = () => planes.node.asked('peer.answer').some(({ session }) => session === id)
    await until(answered, { ms: 5_000, what: 'the answer' })
    await planes.node.watching(id, String(provide['sdp']).replace('offer ', 'peer-'), true)
    await socket.event('member/connected', { where: (message) => message['id'] === id })
    // What it heard so far is in the history.
    socket.inbox.drain()
    return new V2Person(planes, id, socket)
  }

  send(event: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.socket.send({ ...fields, event })
  }

  /** The next message of that name, without the name. */
  async hears(event: string, where: (message: SocketMessage) => boolean = () => true): Promise<Record<string, unknown>> {
    const { event: _, ...fields } = await this.socket.event(event, { where: (message) => message['id'] !== 'mark' && where(message) })
    return fields
  }

  /** What was said since the last call, once all that was under way has arrived: the signal comes behind it. */
  async news(): Promise<SocketMessage[]> {
    marks += 1
    const mark = `mark ${marks}`
    // Its turn comes after whatever this client has sent before.
    this.send('screen/resolution')
    await this.socket.event('screen/resolution', { where: (message) => message['id'] === undefined })
    await this.#planes.node.signal({ is: 'broadcast', sender: 'mark', subject: 'emote', body: mark })
    await this.socket.event('chat/emote', { where: ({ emote }) => emote === mark })
    return this.socket.inbox.drain().filter(({ id }) => id !== 'mark')
  }

  leave(): Promise<void> {
    return this.socket.close()
  }
}
let marks = 0

/** What everybody has heard, the same for all, once `actor` has done what he was sent to; fails where it differs. */
export async function commonNews(actor: V2Person, ...others: readonly V2Person[]): Promise<SocketMessage[]> {
  const heard = await actor.news()
  for (const other of others) {
    const news = await other.news()
    if (JSON.stringify(news) !== JSON.stringify(heard)) {
      throw new Error(`one hears ${JSON.stringify(heard)}, another ${JSON.stringify(news)}`)
    }
  }
  return heard
}
