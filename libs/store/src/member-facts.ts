import { type MemberProfile, MemberProfileSchema } from '@neko-edge/protocol'
import { z } from 'zod'
import type { Connection } from './connection.ts'
import { evaluate, luaScript, reach } from './script.ts'

/*
 * Members that control planes share: a hash of records by member id, and what the configuration was that they were made from. They
 * live until somebody deletes them.
 */

const MemberRecord = z.object({ profile: MemberProfileSchema, password: z.string().optional() })

/** What is kept of a member. `password` is a hash; without one the configuration's counts. */
export interface MemberRecord {
  readonly profile: MemberProfile
  readonly password?: string
}

/** KEYS: members, seed. ARGV: the configuration's mark ('' = seed only where there is nobody), then id and record of each. → seeded | kept */
const seedMembers = luaScript(`
if ARGV[1] == '' then
  if redis.call('EXISTS', KEYS[1]) == 1 then return 'kept' end
elseif redis.call('GET', KEYS[2]) == ARGV[1] then
  return 'kept'
end
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[2], ARGV[1])
for i = 2, #ARGV, 2 do redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1]) end
return 'seeded'`)

/** KEYS: members. ARGV: id, the record that the change was made from, the new one. → changed | conflict | gone */
const changeMember = luaScript(`
local current = redis.call('HGET', KEYS[1], ARGV[1])
if not current then return 'gone' end
if current ~= ARGV[2] then return 'conflict' end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 'changed'`)

/** How often a change is tried again when somebody else changed the same member meanwhile. */
const tries = 10

/** One set of members in Redis; every operation is atomic, whichever control plane does it. */
export class MemberStore {
  readonly #connection: Connection
  readonly #keys: readonly [string, string]

  constructor(connection: Connection, name: 'object' | 'redis') {
    this.#connection = connection
    this.#keys = [`neko:{members}:${name}`, `neko:{members}:${name}:seed`]
  }

  /**
   * Makes the members of the configuration, in their order; of two with one id the first counts. With a `mark` whenever that is another one than
   * before (then all others go), without one only where there is nobody. Gives whether they were made.
   */
  async seed(members: Iterable<readonly [id: string, record: MemberRecord]>, mark = ''): Promise<boolean> {
    const args = [...members].flatMap(([id, record]) => [id, JSON.stringify(record)])
    return (await evaluate(this.#connection.commands, seedMembers, { keys: this.#keys, args: [mark, ...args] })) === 'seeded'
  }

  async isEmpty(): Promise<boolean> {
    return (await reach(this.#connection.commands.exists(this.#keys[0]))) === 0
  }

  async get(id: string): Promise<MemberRecord | undefined> {
    const text = await reach(this.#connection.commands.hget(this.#keys[0], id))
    return text === null ? undefined : read(text)
  }

  async all(): Promise<[id: string, record: MemberRecord][]> {
    const all = await reach(this.#connection.commands.hgetall(this.#keys[0]))
    return Object.entries(all).map(([id, text]) => [id, read(text)])
  }

  /** `false` where there is one of this id. */
  async insert(id: string, record: MemberRecord): Promise<boolean> {
    return (await reach(this.#connection.commands.hsetnx(this.#keys[0], id, JSON.stringify(record)))) === 1
  }

  /** `false` where there is none of this id. `change` may run more than once. */
  async change(id: string, change: (record: MemberRecord) => MemberRecord): Promise<boolean> {
    for (let attempt = 0; attempt < tries; attempt++) {
      const current = await reach(this.#connection.commands.hget(this.#keys[0], id))
      if (current === null) {
        return false
      }
      const next = JSON.stringify(change(read(current)))
      const outcome = await evaluate(this.#connection.commands, changeMember, { keys: [this.#keys[0]], args: [id, current, next] })
      if (outcome !== 'conflict') {
        return outcome === 'changed'
      }
    }
    return false
  }

  /** `false` where there is none of this id. */
  async remove(id: string): Promise<boolean> {
    return (await reach(this.#connection.commands.hdel(this.#keys[0], id))) === 1
  }
}

function read(text: string): MemberRecord {
  const { profile, password } = MemberRecord.parse(JSON.parse(text))
  return { profile, ...(password !== undefined && { password }) }
}
