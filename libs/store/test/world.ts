import { assert, type RoomId, silentLog } from '@neko-edge/kit'
import { baseProfile, type MemberProfile, type Settings } from '@neko-edge/protocol'
import { type TempRedis, tempRedis } from '@neko-edge/testing'
import { type Connection, connect, connectSession, createSession, Room } from '../src/index.ts'

export const openSettings: Settings = {
  private_mode: false,
  locked_logins: false,
  locked_controls: false,
  control_protection: false,
  implicit_hosting: false,
  inactive_cursors: false,
  merciful_reconnect: true,
  heartbeat_interval: 10,
  plugins: null,
}

export const user = (name: string): MemberProfile => baseProfile({ granted: true, name })
export const admin = (name: string): MemberProfile => ({ ...user(name), is_admin: true })

/** What a capture node says of its room. */
export const facts = JSON.stringify({
  screen: { width: 1280, height: 720, rate: 30 },
  screens: [],
  touch: false,
  screencast: false,
  videos: ['main'],
  broadcast: { is_active: false, url: '' },
  dialog: null,
  files: null,
})

/** Some processes that follow one room over one real Redis. */
export class World implements AsyncDisposable {
  readonly url: string
  readonly rooms: Room[] = []
  readonly connections: Connection[] = []

  readonly #redis: TempRedis | undefined

  private constructor(url: string, redis: TempRedis | undefined) {
    this.url = url
    this.#redis = redis
  }

  /** The Redis of this world's own. */
  get redis(): TempRedis {
    assert(this.#redis, 'a world with a url of its own has no Redis')
    return this.#redis
  }

  /** Over a Redis of its own, or over the one at `url`. */
  static async open({
    processes = 1,
    settings = openSettings,
    url,
  }: {
    processes?: number
    settings?: Settings
    url?: string
  } = {}): Promise<World> {
    const redis = url === undefined ? await tempRedis() : undefined
    const world = new World(url ?? redis?.url ?? '', redis)
    for (let index = 0; index < processes; index++) {
      await world.join(settings)
    }
    return world
  }

  /** One more process, which may have another way to Redis. */
  async join(settings: Settings = openSettings, url = this.url): Promise<Room> {
    const connection = await connect({ url, log: silentLog })
    const room = await Room.open('default' as RoomId, { connection, log: silentLog, defaults: { settings, locks: [] } })
    this.connections.push(connection)
    this.rooms.push(room)
    return room
  }

  room(index = 0): Room {
    const room = this.rooms[index]
    if (!room) {
      throw new Error(`this world has no process ${index}`)
    }
    return room
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const room of this.rooms) {
      await room[Symbol.asyncDispose]().catch(() => undefined)
    }
    for (const connection of this.connections) {
      await connection[Symbol.asyncDispose]()
    }
    await this.#redis?.[Symbol.asyncDispose]()
  }
}

/** Logs a member in and connects him; his id is his name. */
export async function enter(room: Room, profile: MemberProfile): Promise<string> {
  await room.run(createSession, [profile.name, JSON.stringify(profile), `token of ${profile.name}`, '127.0.0.1'])
  await room.run(connectSession, [profile.name, `process.${profile.name}`, '127.0.0.1', 'v3'])
  return profile.name
}
