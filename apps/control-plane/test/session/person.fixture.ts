import { JsonSocket, type SocketMessage } from '@neko-edge/testing'

/** Where control planes are to be found: any number stands for one of them. */
export interface Site {
  url(plane: number): string
}

/** Somebody who is logged in, and his socket. */
export class Person {
  readonly id: string
  readonly token: string
  readonly #site: Site
  #socket: JsonSocket | undefined
  #calls = 0

  constructor(site: Site, { id, token }: { id: string; token: string }) {
    this.#site = site
    this.id = id
    this.token = token
  }

  /** Logs somebody in; users with the password `neko`, admins with `admin`. */
  static async login(site: Site, { name, password, plane }: { name: string; password: string; plane: number }): Promise<Person> {
    const response = await call(site.url(plane), '/api/login', { body: { username: name, password } })
    if (!response.ok) {
      throw new Error(`login: ${response.status} ${await response.text()}`)
    }
    // What our own API answers to a login that it accepts.
    const { id, token } = (await response.json()) as { id: string; token: string }
    return new Person(site, { id, token })
  }

  get socket(): JsonSocket {
    if (!this.#socket) {
      throw new Error('not connected')
    }
    return this.#socket
  }

  /** Opens a socket, and waits until all of the greeting has arrived. */
  async connect(plane = 0): Promise<JsonSocket> {
    const socket = await this.knock(plane)
    await socket.event('openinapp/init')
    socket.inbox.drain()
    this.#socket = socket
    return socket
  }

  /** The address of this session's socket at a plane. */
  address(plane = 0): string {
    return `${this.#site.url(plane)}/api/ws?token=${this.token}`
  }

  /** Opens a socket, whatever comes of it. */
  knock(plane = 0): Promise<JsonSocket> {
    return JsonSocket.open(this.address(plane).replace('http', 'ws'), () => undefined)
  }

  send(event: string, payload?: unknown): void {
    this.socket.send(payload === undefined ? { event } : { event, payload })
  }

  /** The payload of the next event of a name. */
  async hears(event: string, where: (payload: never) => boolean = () => true): Promise<unknown> {
    const message = await this.socket.event(event, { where: (candidate) => where(candidate['payload'] as never) })
    return message['payload']
  }

  /** A request of this session; each one goes to the next control plane. */
  request(path: string, options: { method?: string; body?: unknown; plane?: number } = {}): Promise<Response> {
    this.#calls += 1
    return call(this.#site.url(options.plane ?? this.#calls), path, { ...options, token: this.token })
  }

  /** A request that has to be accepted. */
  async does(path: string, options: { method?: string; body?: unknown; plane?: number } = {}): Promise<void> {
    const response = await this.request(path, { method: 'POST', ...options })
    if (!response.ok) {
      throw new Error(`${path}: ${response.status} ${await response.text()}`)
    }
  }

  /** Everything that was said to this person since the last call, except heartbeats, once all that is under way has arrived. */
  async news(): Promise<SocketMessage[]> {
    await this.settled()
    return this.socket.inbox.drain().filter(({ event }) => event !== 'system/heartbeat' && event !== 'send/unicast')
  }

  /** Waits until what was sent before has been handled, here and elsewhere: a message to oneself comes behind it. */
  async settled(): Promise<void> {
    marks += 1
    const mark = `mark ${marks}`
    this.send('send/unicast', { receiver: this.id, subject: mark, body: null })
    await this.socket.event('send/unicast', { where: ({ payload }) => (payload as { subject?: string }).subject === mark })
  }
}
let marks = 0

async function call(
  url: string,
  path: string,
  { method = 'POST', body, token }: { method?: string; body?: unknown; token?: string },
): Promise<Response> {
  return fetch(`${url}${path}`, {
    method,
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(10_000),
  })
}

/** The names of events, in order. */
export const names = (messages: readonly SocketMessage[]): string[] => messages.map(({ event }) => event)
