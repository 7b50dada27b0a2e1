/**
 * The network of a room's application: a namespace of its own, which pasta joins to the world as an ordinary user's program. What it
 * connects to is connected from this machine, but nothing that listens here is in reach: loopback and the machine's own addresses lead nowhere,
 * nor do the ranges that are denied, by routes that the application has no right to change. Nobody reaches into it.
 */
import { accessSync, constants, readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { Backoff, type Clock, type Log, messageOf, NekoError, until, within } from '@neko-edge/kit'
import {
  type Child,
  findProgram,
  type Identity,
  type IpcNamespace,
  type NetNamespace,
  Supervised,
  saysReady,
  spawnChild,
} from '@neko-edge/process'
import type { RoomFolder } from './room-folder.ts'

/** Where the application asks for names; pasta hands what goes there to the machine's own resolver, which may well listen on loopback. */
const resolver = '198.18.0.53'

/** How long an application waits for a network that does not come, in milliseconds. */
const patienceMs = 1_500

export interface RoomNetworkOptions {
  readonly folder: RoomFolder
  readonly identity: Identity | undefined
  /** The X server's IPC namespace: a user other than root can join both only where the network's was made inside the other's. */
  readonly ipc: IpcNamespace | undefined
  /** Addresses and ranges that are out of reach, besides this machine's own. */
  readonly deny: readonly string[]
  readonly clock: Clock
  readonly log: Log
}

/** Why rooms can have no network of their own on this machine; `undefined` where they can. */
export async function whyNotIsolated(identity: Identity | undefined, log: Log): Promise<string | undefined> {
  try {
    findProgram('pasta', 'passt')
    findProgram('ip', 'iproute2')
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK)
  } catch (error) {
    return error instanceof NekoError ? error.message : '/dev/net/tun can not be opened: give it to the container, or load the module tun'
  }
  await using probe = spawnChild({
    ...{ name: 'network probe', command: ['unshare', '--user', '--map-root-user', '--net', '--', 'true'], env: {}, log },
    ...(identity && { identity }),
    levels: { stderr: 'debug' },
  })
  const { code } = await within(5_000, 'trial of a network namespace', probe.exited)
  return code === 0 ? undefined : 'user namespaces with a network of their own do not work here'
}

/** A room's network while its display is up: the process that holds the namespace, and the one that joins it to the world. */
export class RoomNetwork implements AsyncDisposable {
  /** What the application must be spawned in. */
  readonly namespace: NetNamespace = { of: () => this.#pid() }
  /** The file that takes the place of /etc/resolv.conf. */
  readonly resolvConf: string
  readonly #routes: string
  readonly #options: RoomNetworkOptions
  #holder: Supervised | undefined
  #link: Supervised | undefined

  private constructor(options: RoomNetworkOptions, { resolvConf, routes }: { resolvConf: string; routes: string }) {
    this.#options = options
    this.resolvConf = resolvConf
    this.#routes = routes
  }

  static async prepare(options: RoomNetworkOptions): Promise<RoomNetwork> {
    const { folder, deny } = options
    await folder.folder('network')
    return new RoomNetwork(options, {
      resolvConf: await folder.file('network/resolv.conf', resolvConfFrom(readFileSync('/etc/resolv.conf', 'utf8'))),
      routes: await folder.file('network/routes', [...deny, ...ownAddresses()].map((range) => `route add unreachable ${range}\n`).join('')),
    })
  }

  /**
   * Makes the network. Resolves when it reaches the world, or after a moment where it does not, since a machine without a network has rooms, too.
   * Should the namespace go, so that a new one is needed, `onLost` is called.
   */
  async start(onLost: () => void): Promise<void> {
    const { clock, log } = this.#options
    this.#holder = await Supervised.start({ name: 'network', spawn: () => this.#spawnHolder(), ready: saysReady, clock, log })
    this.#holder.onDown(onLost)
    const backoff = new Backoff({ firstMs: 50, maxMs: 60_000 })
    const ready = (_: Child, signal: AbortSignal) => this.#joined(signal)
    this.#link = Supervised.keep({ name: 'network link', spawn: () => this.#spawnLink(), ready, backoff, clock, log })
    await within(patienceMs, 'the network', new Promise<void>((resolve) => this.#link?.onUp(resolve))).catch((error: unknown) => {
      log.warn({ error: messageOf(error) }, 'the application starts without a network: see the lines of pasta')
    })
  }

  async stop(): Promise<void> {
    await this.#link?.[Symbol.asyncDispose]()
    await this.#holder?.[Symbol.asyncDispose]()
    this.#link = undefined
    this.#holder = undefined
  }

  /** Process ids of the two, for tests. */
  get pids(): { readonly network?: number; readonly networkLink?: number } {
    const [network, networkLink] = [this.#holder?.pid, this.#link?.pid]
    return { ...(network !== undefined && { network }), ...(networkLink !== undefined && { networkLink }) }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #pid(): number {
    const pid = this.#holder?.pid
    if (pid === undefined) {
      throw new NekoError('unavailable', "the room's network is down; it will be back")
    }
    return pid
  }

  /** It is root in its own user namespace, which is what setting routes takes; the application joins only the network. */
  #spawnHolder(): Child {
    const { identity, ipc, log } = this.#options
    const script = 'ip -force -batch "$1"; echo >&3; exec sleep infinity 3>&-'
    return spawnChild({
      name: 'network',
      command: ['unshare', '--user', '--map-root-user', '--net', '--', 'sh', '-c', script, 'sh', this.#routes],
      env: {},
      extraPipes: 1,
      levels: { stderr: 'debug' },
      graceMs: 0,
      log,
      ...(identity && { identity }),
      ...(ipc && { ipc }),
    })
  }

  #spawnLink(): Child {
    const { identity, log } = this.#options
    const folder = `/proc/${this.#pid()}/ns`
    const closed = ['--no-map-gw', '--tcp-ports', 'none', '--udp-ports', 'none', '--tcp-ns', 'none', '--udp-ns', 'none']
    return spawnChild({
      name: 'pasta',
      command: [
        ...(['pasta', '--foreground', '--stderr', '--config-net', '--dns-forward', resolver] as const),
        ...[...closed, '--userns', `${folder}/user`, '--netns', `${folder}/net`],
      ],
      env: {},
      levels: { stderr: 'debug' },
      aptPackage: 'passt',
      log,
      ...(identity && { identity }),
    })
  }

  /** Resolves when the namespace has an interface besides loopback. */
  async #joined(signal: AbortSignal): Promise<void> {
    const isJoined = (): boolean => signal.aborted || readFileSync(`/proc/${this.#pid()}/net/dev`, 'utf8').trim().split('\n').length > 3
    await until(isJoined, { ms: 5_000, what: 'the interface of pasta', everyMs: 10 })
  }
}

/** This machine's addresses, beyond the loopback that every namespace has for itself. */
function ownAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal }) => !internal)
    .map(({ address }) => address)
}

/** The machine's resolv.conf with pasta as the resolver. pasta asks the machine's first one of the same family; where that has IPv6 alone, it stays. */
export function resolvConfFrom(text: string): string {
  const lines = text.split('\n')
  const isServer = (line: string): boolean => /^\s*nameserver\s/.test(line)
  const hasIpv4 = lines.some((line) => isServer(line) && /^\s*nameserver\s+[\d.]+\s*$/.test(line))
  return hasIpv4 ? [`nameserver ${resolver}`, ...lines.filter((line) => !isServer(line))].join('\n') : text
}
