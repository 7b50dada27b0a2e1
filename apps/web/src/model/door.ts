import type { Connection, NekoClient } from '@neko-edge/client'
import { type Signal, signal } from '@preact/signals'
import type { Inside } from '../inside.ts'
import type { Outside } from './model.ts'
import { remembered } from './store.ts'

/** A link that is opened again, or somebody who signs in as another: the session that this tab had would stay for nobody. */
async function endSession(api: NekoClient['api'], token: string | undefined): Promise<void> {
  if (token !== undefined) {
    api.token = token === '' ? undefined : token
    // One that has ended by itself is refused.
    await api.logout().catch(() => {})
  }
}

/**
 * The way in. The login page is painted with this alone; the code of the room and of WebRTC is fetched right after, so that it is
 * mostly there when somebody has typed a name.
 */
export class Door {
  /** As the client says, once there is one. */
  readonly connection: Signal<Connection> = signal<Connection>({ is: 'signed-out' })
  readonly inside = signal<Inside | undefined>(undefined)
  readonly #outside: Outside
  #loading: Promise<Inside | undefined> | undefined

  constructor(outside: Outside) {
    this.#outside = outside
  }

  /** Fetches what is behind the door; `undefined` where the server does not answer, and the next call tries again. */
  load(): Promise<Inside | undefined> {
    this.#loading ??= this.#load()
    return this.#loading
  }

  /** Signs in, and remembers what makes the next time easier: never the password. */
  async signIn({ name, password }: { name: string; password: string }): Promise<void> {
    remembered.setName(name)
    await this.#goIn((client) => client.login(name, password))
  }

  /** Signs in with a join link, which knows the name. */
  enter(link: string): Promise<void> {
    return this.#goIn((client) => client.enter(link))
  }

  async #goIn(signIn: (client: NekoClient) => Promise<void>): Promise<void> {
    this.connection.value = { is: 'signing-in' }
    const inside = await this.load()
    if (inside) {
      await endSession(inside.model.client.api, remembered.session())
      await signIn(inside.model.client)
    } else {
      this.connection.value = { is: 'signed-out', trouble: { code: 'server-away' } }
    }
  }

  /** Comes back with the session that this tab had. */
  async resume(token: string): Promise<void> {
    this.connection.value = { is: 'joining' }
    const inside = await this.load()
    if (inside) {
      inside.model.client.resume(token)
    } else {
      this.connection.value = { is: 'signed-out', trouble: { code: 'server-away' } }
    }
  }

  async #load(): Promise<Inside | undefined> {
    try {
      const inside = (await import('../inside.ts')).goInside(this.#outside)
      const { client } = inside.model
      client.token.watch((value) => remembered.setSession(value))
      client.connection.watch((value) => {
        this.connection.value = value
      })
      // Coming back from a phone's pocket or a tunnel: no need to wait for the next try.
      addEventListener('online', () => client.retryNow())
      this.inside.value = inside
      return inside
    } catch {
      this.#loading = undefined
      return undefined
    }
  }
}
