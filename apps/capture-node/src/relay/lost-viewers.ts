import { type Log, messageOf } from '@neko-edge/kit'
import { type Room, watchSession } from '@neko-edge/store'

export interface LostViewer {
  readonly session: string
  readonly peer: string
}

interface Told {
  readonly room: Room
  readonly log: Log
}

/** The viewer watches no more, which everybody hears before he is told himself. */
export async function endWatching({ room, log }: Told, { session, peer }: LostViewer): Promise<void> {
  try {
    await room.run(watchSession, [session, peer, '0', 'peer'])
  } catch (error) {
    log.warn({ session, error: messageOf(error) }, 'viewer could not be recorded')
  }
  tellLost({ room, log }, { session, peer })
}

/** Has the viewer come again: whoever has the room gives him a new peer. */
export function tellLost({ room, log }: Told, { session, peer }: LostViewer): void {
  room.signal({ is: 'peer', session, peer, news: { is: 'lost' } }).catch((error: unknown) => {
    log.warn({ session, error: messageOf(error) }, 'viewer could not be told')
  })
}
