import { Listeners, type Log, messageOf, NekoError, within } from '@neko-edge/kit'
import {
  type Callback,
  createClient,
  type Extensions,
  type Fixes,
  type Randr,
  type XClient,
  type XDisplay,
  type XEvent,
  type Xkb,
  type Xtest,
} from 'x11'
import { readCookie, type XCookie } from './xauthority.ts'

/** An X server that answers nothing for so long is as good as gone. */
const answerMs = 5_000
/** Requests of the core protocol. */
const internAtom = 16
const getAtomName = 17

/**
 * One connection to an X server. Requests without an answer are `send`ed and their errors logged; those with one are
 * `ask`ed and fail with a NekoError. When the server goes away, `onClosed` tells it, sends do nothing and asks fail.
 */
export class XConnection implements AsyncDisposable {
  readonly root: number
  readonly minKeycode: number
  readonly maxKeycode: number
  readonly xtest: Xtest
  readonly fixes: Fixes
  readonly randr: Randr
  readonly xkb: Xkb
  readonly log: Log
  readonly #client: XClient
  readonly #events = new Listeners<XEvent>()
  readonly #closed = new Listeners<string>()
  readonly #atoms = new Map<string, number>()
  #closedBecause: string | undefined

  private constructor(display: XDisplay, extensions: Extensions, log: Log) {
    this.#client = display.client
    this.root = display.screen[0]?.root ?? 0
    this.minKeycode = display.min_keycode
    this.maxKeycode = display.max_keycode
    this.xtest = extensions.xtest
    this.fixes = extensions.fixes
    this.randr = extensions.randr
    this.xkb = extensions.xkb
    this.log = log
    this.#client.on('event', (event) => this.#events.emit(event))
    this.#client.on('end', () => this.#lose('the X server closed the connection'))
    this.#client.on('error', (error) => {
      // One with a code is the server's answer to a request; one without is the socket's end.
      if (error.error === undefined) {
        this.#lose(error.message)
      }
    })
  }

  /** Connects to `display` with the cookie of the `authority` file (none: without proof). `unavailable` where that fails. */
  static async open({ display, authority, log }: { display: string; authority?: string | undefined; log: Log }): Promise<XConnection> {
    const cookie = authority === undefined ? { name: '', data: '' } : await readCookie(authority, display)
    const connecting = connect({ display, cookie, log })
    try {
      const xDisplay = await within(answerMs, 'connecting', connecting)
      return new XConnection(xDisplay, await within(answerMs, 'the X extensions', requireExtensions(xDisplay.client)), log)
    } catch (error) {
      connecting.then(({ client }) => client.terminate()).catch(() => undefined)
      throw new NekoError('unavailable', `display ${display}: ${messageOf(error)}`, { cause: error })
    }
  }

  get isOpen(): boolean {
    return this.#closedBecause === undefined
  }

  /** Every event that the server sends, in order. */
  onEvent(listener: (event: XEvent) => void): () => void {
    return this.#events.add(listener)
  }

  /** The connection is over; at once where it already is. */
  onClosed(listener: (reason: string) => void): () => void {
    if (this.#closedBecause !== undefined) {
      listener(this.#closedBecause)
      return () => undefined
    }
    return this.#closed.add(listener)
  }

  /** Sends requests that have no answer. */
  send(request: (x: XClient) => void): void {
    if (this.isOpen) {
      request(this.#client)
    }
  }

  /** Sends a request that the package has no function for and that has no answer. */
  sendRaw(packet: Buffer): void {
    this.send((x) => {
      x.seq_num++
      x.pack_stream.put(packet)
      x.pack_stream.submit()
    })
  }

  /** The answer to one request; `what` names it in errors. */
  async ask<T>(what: string, request: (x: XClient, callback: Callback<T>) => void): Promise<T> {
    if (this.#closedBecause !== undefined) {
      throw new NekoError('unavailable', `the X server is gone: ${this.#closedBecause}`)
    }
    let forget = () => {}
    const answer = new Promise<T>((resolve, reject) => {
      forget = this.#closed.add((reason) => reject(new NekoError('unavailable', `the X server is gone: ${reason}`)))
      request(this.#client, (error, value) => {
        if (error) {
          reject(new NekoError('unprocessable', `${what}: ${error.message}`, { cause: error }))
        } else {
          resolve(value)
        }
        return true
      })
    })
    try {
      return await within(answerMs, what, answer)
    } finally {
      forget()
    }
  }

  /** The answer to a request that the package has no function for; `read` gets the 24 bytes after the reply's header and what follows. */
  askRaw<T>(what: string, packet: Buffer, read: (body: Buffer, detail: number) => T): Promise<T> {
    return this.ask<T>(what, (x, callback) => {
      x.seq_num++
      x.replies[x.seq_num] = [read, callback]
      x.pack_stream.put(packet)
      x.pack_stream.submit(true)
    })
  }

  /**
   * The number of an atom, which is made where it is new. By hand, as below: the package keeps one table of atoms for all its
   * connections, but each X server has numbers of its own.
   */
  async atom(name: string): Promise<number> {
    const known = this.#atoms.get(name)
    if (known !== undefined) {
      return known
    }
    const text = Buffer.from(name, 'latin1')
    const packet = Buffer.alloc(8 + Math.ceil(text.length / 4) * 4)
    packet.writeUInt8(internAtom, 0)
    packet.writeUInt16LE(packet.length / 4, 2)
    packet.writeUInt16LE(text.length, 4)
    packet.set(text, 8)
    const atom = await this.askRaw(`atom ${name}`, packet, (body) => body.readUInt32LE(0))
    this.#atoms.set(name, atom)
    return atom
  }

  /** The numbers of several atoms, by name. */
  async atoms<const Name extends string>(...names: readonly Name[]): Promise<Readonly<Record<Name, number>>> {
    const entries = await Promise.all(names.map(async (name) => [name, await this.atom(name)] as const))
    // fromEntries forgets that the keys are exactly the names.
    return Object.fromEntries(entries) as Record<Name, number>
  }

  /** The name of an atom. */
  atomName(atom: number): Promise<string> {
    const packet = Buffer.alloc(8)
    packet.writeUInt8(getAtomName, 0)
    packet.writeUInt16LE(2, 2)
    packet.writeUInt32LE(atom, 4)
    return this.askRaw('the name of an atom', packet, (body) => body.toString('latin1', 24, 24 + body.readUInt16LE(0)))
  }

  /** A window of our own that nobody sees: it can hold properties, own selections and be written to. Lives as long as the connection. */
  createHiddenWindow(eventMask: number): number {
    const inputOnly = 2
    let window = 0
    this.send((x) => {
      window = x.AllocID()
      x.CreateWindow(window, this.root, -1, -1, 1, 1, 0, 0, inputOnly, 0, { eventMask, overrideRedirect: true })
    })
    return window
  }

  /** Waits until the server has done all that was sent. */
  async settle(): Promise<void> {
    await this.ask('X round trip', (x, callback: Callback<unknown>) => x.GetInputFocus(callback))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isOpen) {
      this.#lose('closed')
      this.#client.terminate()
    }
  }

  #lose(reason: string): void {
    if (this.#closedBecause === undefined) {
      this.#closedBecause = reason
      this.#closed.emit(reason)
    }
  }
}

function connect({ display, cookie, log }: { display: string; cookie: XCookie; log: Log }): Promise<XDisplay> {
  return new Promise((resolve, reject) => {
    const client = createClient({ display, auth: cookie, bufferRequests: true, shm: false }, (error, xDisplay) => {
      if (error) {
        reject(error)
      } else {
        resolve(xDisplay)
      }
    })
    client.on('error', (error) => {
      if (error.error === undefined) {
        reject(error)
      } else {
        log.warn({ code: error.error, text: error.message, request: error.majorOpcode, minor: error.minorOpcode }, 'X error')
      }
    })
  })
}

async function requireExtensions(client: XClient): Promise<Extensions> {
  const load = <Name extends keyof Extensions>(name: Name) =>
    new Promise<Extensions[Name]>((resolve, reject) => {
      client.require(name, (error, extension) => (error ? reject(new Error(`${name}: ${error.message}`)) : resolve(extension)))
    })
  const [xtest, fixes, randr, xkb] = await Promise.all([load('xtest'), load('fixes'), load('randr'), load('xkb')])
  return { xtest, fixes, randr, xkb }
}
