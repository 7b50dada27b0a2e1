import { listSession, type Signal } from '@neko-edge/store'
import type { Hub } from './hub.ts'

/**
 * Tells the room what somebody says, under his name: of a crowd, he is listed first, or clients would not know whose words these are.
 * Fails with `unavailable` while Redis is away.
 */
export async function speak(hub: Hub, id: string, signal: Signal): Promise<void> {
  if (hub.room.view.session(id)?.state.unlisted) {
    await hub.room.run(listSession, [id])
  }
  await hub.room.signal(signal)
}
