import { errorCode, type Log, messageOf, SerialQueue } from '@neko-edge/kit'
import { baseProfile, mergeProfile, ProfilePatchSchema, type Session } from '@neko-edge/protocol'
import { importSession, type Room } from '@neko-edge/store'
import { z } from 'zod'
import type { Runtime } from './runtime.ts'
import { sha256 } from './secret.ts'

/** Upstream's form. Our tokens are known by their hash only: it is written as such, and a text without the mark is a token itself. */
const Entries = z.array(z.object({ Id: z.string(), Token: z.string(), Profile: ProfilePatchSchema }))
const mark = 'sha256:'

export interface SessionFileOptions {
  readonly path: string
  readonly room: Room
  readonly runtime: Pick<Runtime, 'readText' | 'writeText'>
  readonly log: Log
}

/**
 * Keeps the sessions of a room in a file as well: those that it holds are taken over at the start, and it is replaced after every
 * change. A file that can not be read is said, and overwritten.
 */
export async function keepSessionFile({ path, room, runtime, log }: SessionFileOptions): Promise<Disposable> {
  await takeOver({ path, room, runtime, log })
  const queue = new SerialQueue()
  let isDue = false
  const write = () =>
    queue.run(async () => {
      isDue = false
      try {
        await runtime.writeText(path, fileText(room.view.sessions.values()))
      } catch (error) {
        log.error({ path, error: messageOf(error) }, 'session file not written')
      }
    })
  const stop = room.onEvents.add((events) => {
    if (!isDue && events.some(({ is }) => is === 'created' || is === 'deleted' || is === 'profile')) {
      isDue = true
      void write()
    }
  })
  void write()
  return { [Symbol.dispose]: stop }
}

async function takeOver({ path, room, runtime, log }: SessionFileOptions): Promise<void> {
  try {
    const text = await runtime.readText(path)
    for (const { Id, Token, Profile } of text.trim() === '' ? [] : Entries.parse(JSON.parse(text))) {
      const token = Token.startsWith(mark) ? Token.slice(mark.length) : await sha256(Token)
      const profile = mergeProfile(baseProfile({ granted: false }), Profile)
      await room.run(importSession, [Id, JSON.stringify(profile), token])
    }
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') {
      log.error({ path, error: messageOf(error) }, 'session file not read: it begins anew')
    }
  }
}

function fileText(sessions: Iterable<Session>): string {
  const entries = [...sessions].map(({ id, profile, state }) => ({ Id: id, Token: `${mark}${state.token}`, Profile: profile }))
  return `${JSON.stringify(entries)}\n`
}
