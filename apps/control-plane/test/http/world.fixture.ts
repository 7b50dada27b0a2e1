import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Log, type RoomId, randomText, silentLog, systemClock } from '@neko-edge/kit'
import { baseProfile, type MemberProfile } from '@neko-edge/protocol'
import { type Connection, connect, createSession, deleteSession, Room, requestControl, resetControl } from '@neko-edge/store'
import { freeUdpPort, TempRedis } from '@neko-edge/testing'
import { workerBinary } from '../../../../infra/worker/locate.ts'
import { startCaptureNode } from '../../../capture-node/src/main.ts'
import { type ControlPlane, openControlPlane } from '../../src/control-plane.ts'
import { files } from '../../src/runtime/files.ts'
import { sha256 } from '../../src/secret.ts'
import { configOf } from '../session/planes.fixture.ts'

export const apiToken = 'the token of a machine'

export interface HttpWorldOptions {
  /** Options as environment variables, without the `NEKO_`. */
  readonly env?: Readonly<Record<string, string>>
  /** Whether a real capture node has the room. */
  readonly node?: boolean
  readonly log?: Log
}

/** Somebody with a session. */
export interface Someone {
  readonly id: string
  readonly token: string
}

/** Two control planes over one Redis, asked in turns, and where it is wanted a real capture node. */
export class HttpWorld implements AsyncDisposable {
  /** For what is temporary. */
  readonly folder: string
  readonly redis: TempRedis
  readonly planes: readonly ControlPlane[]
  /** The room, and its Redis, seen from aside. */
  readonly room: Room
  readonly connection: Connection
  readonly #owned: AsyncDisposableStack
  #turn = 0

  private constructor(parts: {
    folder: string
    redis: TempRedis
    planes: readonly ControlPlane[]
    room: Room
    connection: Connection
    owned: AsyncDisposableStack
  }) {
    this.folder = parts.folder
    this.redis = parts.redis
    this.planes = parts.planes
    this.room = parts.room
    this.connection = parts.connection
    this.#owned = parts.owned
  }

  static async open({ env = {}, node = false, log = silentLog }: HttpWorldOptions = {}): Promise<HttpWorld> {
    await using owned = new AsyncDisposableStack()
    const folder = await mkdtemp(join(tmpdir(), 'neko-http-'))
    owned.defer(() => rm(folder, { recursive: true, force: true }))
    // The room's user has to get through.
    await chmod(folder, 0o755)
    const redis = owned.use(await TempRedis.open())
    const config = configOf({
      SESSION_API_TOKEN: apiToken,
      FILETRANSFER_DIR: join(folder, 'files'),
      DESKTOP_APP: 'sleep infinity',
      WEBRTC_UDPMUX: String(await freeUdpPort()),
      WEBRTC_NAT1TO1: '127.0.0.1',
      ...env,
    })
    const runtime = { ...files, peerAddress: () => '127.0.0.1', upgrade: () => async () => undefined }
    const planes: ControlPlane[] = []
    for (let index = 0; index < 2; index++) {
      planes.push(owned.use(await openControlPlane({ config, redisUrl: redis.url, client: folder, runtime, clock: systemClock, log })))
    }
    const connection = owned.use(await connect({ url: redis.url, log }))
    const room = owned.use(await Room.open('default' as RoomId, { connection, log }))
    if (node) {
      const workerBin = workerBinary()
      if (workerBin === undefined) {
        throw new Error('there is no mediasoup worker: run npm run setup, or set MEDIASOUP_WORKER_BIN')
      }
      // What GStreamer finds out about its plugins takes long, and is the same for all.
      const dataFolder = join(tmpdir(), 'neko-http-data')
      await mkdir(dataFolder, { recursive: true })
      owned.use(await startCaptureNode({ config, redisUrl: redis.url, runFolder: join(folder, 'run'), dataFolder, workerBin, log }))
    }
    return new HttpWorld({ folder, redis, planes, room, connection, owned: owned.move() })
  }

  /** Asks one control plane, then the other. */
  async fetch(path: string, init: RequestInit & { token?: string | undefined } = {}): Promise<Response> {
    const plane = this.planes[this.#turn++ % this.planes.length]
    const headers = new Headers(init.headers)
    if (init.token !== undefined) {
      headers.set('authorization', `Bearer ${init.token}`)
    }
    return (await plane?.fetch(new Request(`http://neko${path}`, { ...init, headers }))) ?? Response.error()
  }

  /** A JSON request; gives the status and what came, parsed where it is JSON. */
  async ask(
    method: string,
    path: string,
    { token, body }: { token?: string | undefined; body?: unknown } = {},
  ): Promise<{ status: number; json: unknown }> {
    const response = await this.fetch(path, {
      method,
      token,
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, json: response.headers.get('content-type') === 'application/json' ? JSON.parse(text) : text }
  }

  /** A session of a member with this profile, made without a login. */
  async someone(change: Partial<MemberProfile> = {}, id = `someone-${randomText(5)}`): Promise<Someone> {
    const token = randomText(64)
    const profile: MemberProfile = { ...baseProfile({ granted: true, name: id }), ...change }
    await this.room.run(createSession, [id, JSON.stringify(profile), await sha256(token), '127.0.0.1'])
    return { id, token }
  }

  async admin(): Promise<Someone> {
    return this.someone({ is_admin: true })
  }

  async end({ id }: Someone): Promise<void> {
    await this.room.run(deleteSession, [id, 'session deleted', ''])
  }

  /** Gives the controls to somebody, or to nobody. */
  async giveControls(to: Someone | undefined): Promise<void> {
    await this.room.run(resetControl, [''])
    if (to) {
      await this.room.run(requestControl, [to.id, '0'])
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned.disposeAsync()
  }
}
