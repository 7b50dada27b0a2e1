import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { until } from '@neko-edge/kit'

/** As root, both programs run as a user of no other meaning: pasta refuses to join what root has made. */
const plainUser = { uid: 59_999, gid: 59_999 }
const network = { address: '10.99.0.2', bits: '24', gateway: '10.99.0.1' }

/**
 * A network behind a NAT, as at somebody's home: what is inside reaches out through translated addresses (pasta's), and no connection and no packet comes in
 * that is not an answer. This machine's loopback is `gateway` for it.
 */
export class Nat implements AsyncDisposable {
  /** What this machine's 127.0.0.1 is on the inside. */
  readonly gateway = network.gateway
  readonly #holder: ChildProcess
  readonly #link: ChildProcess
  readonly #servers: Server[] = []

  private constructor(holder: ChildProcess, link: ChildProcess) {
    this.#holder = holder
    this.#link = link
  }

  /** Errors: a machine without Debian's passt, or one whose user can make no namespace. */
  static async open(): Promise<Nat> {
    const isRoot = process.getuid?.() === 0
    const options = { stdio: 'ignore', ...(isRoot && plainUser) } as const
    // Whoever is not root keeps the right to set up what he has just made over the exec.
    const user = isRoot ? ['--map-root-user'] : ['--map-current-user', '--keep-caps']
    const script = 'ip link set lo up; exec sleep infinity'
    const holder = spawn('unshare', ['--user', ...user, '--net', 'sh', '-c', script], options)
    await once(holder, 'spawn')
    const folder = `/proc/${holder.pid}`
    // Its last program runs: namespaces, users and loopback are as they shall be.
    const isMade = () => readFileSync(`${folder}/comm`, 'utf8') === 'sleep\n'
    await until(isMade, { ms: 5_000, what: 'a network of its own', everyMs: 10 })
    const lines = () => readFileSync(`${folder}/net/dev`, 'utf8').trim().split('\n').length
    const inside = ['--address', network.address, '--netmask', network.bits, '--gateway', network.gateway]
    const closed = ['--tcp-ports', 'none', '--udp-ports', 'none', '--tcp-ns', 'none', '--udp-ns', 'none']
    const joined = ['--userns', `${folder}/ns/user`, '--netns', `${folder}/ns/net`]
    const link = spawn('pasta', ['--foreground', '--ipv4-only', '--config-net', ...inside, ...closed, ...joined], options)
    const nat = new Nat(holder, link)
    try {
      await once(link, 'spawn')
      await until(() => lines() > 3, { ms: 5_000, what: 'the line to the outside', everyMs: 10 })
      return nat
    } catch (error) {
      await nat[Symbol.asyncDispose]()
      throw error
    }
  }

  /** The start of a command line that runs on the inside. */
  get prefix(): string[] {
    const user = process.getuid?.() === 0 ? [] : ['--preserve-credentials', `--user=/proc/${this.#holder.pid}/ns/user`]
    return ['nsenter', ...user, `--net=/proc/${this.#holder.pid}/ns/net`, '--']
  }

  /** Listens on this machine's loopback for a unix socket; gives the host and port at which the inside finds it. */
  async reach(unixSocket: string): Promise<string> {
    const server = createServer((socket) => {
      const other = connect(unixSocket)
      for (const [from, to] of [
        [socket, other],
        [other, socket],
      ] as const) {
        from.on('error', () => to.destroy())
        from.pipe(to)
      }
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    this.#servers.push(server)
    // A TCP server has an address with a port.
    return `${this.gateway}:${(server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#servers.forEach((server) => server.close())
    for (const child of [this.#link, this.#holder]) {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
    }
  }
}
