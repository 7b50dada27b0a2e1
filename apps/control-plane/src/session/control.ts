import { NekoError, type SessionId } from '@neko-edge/kit'
import type { ControlInput } from '@neko-edge/protocol'
import { requestControl } from '@neko-edge/store'
import type { Hub } from './hub.ts'
import { speak } from './speak.ts'

/** What came of asking for the controls. */
export type ControlOutcome = 'host' | 'taken' | 'forbidden' | 'private' | 'locked' | 'hosted'

/**
 * Asks for the controls. With `implicit` (every input event) implicit hosting counts; an explicit HTTP request ignores it.
 * Where somebody else is at the controls, he is told who asks.
 */
export async function askForControl(hub: Hub, id: string, { implicit }: { implicit: boolean }): Promise<ControlOutcome> {
  // The script's replies are these words.
  const outcome = (await hub.room.run(requestControl, [id, implicit ? '1' : '0'])) as ControlOutcome
  const host = hub.room.view.host
  if (host !== undefined && (outcome === 'hosted' || (outcome === 'host' && !implicit))) {
    await speak(hub, id, { is: 'request', id, host })
  }
  return outcome
}

/**
 * The way of every input event that comes over the WebSocket: whoever may becomes host by it, and his input goes to the
 * capture node with the fence of his turn. The host himself needs no word from Redis: the node checks the fence.
 */
export async function giveInput(hub: Hub, id: SessionId, input: ControlInput): Promise<void> {
  const { view } = hub.room
  const session = view.session(id)
  if (!session?.profile.can_host || view.isShutOut(session.profile)) {
    return
  }
  if (!view.isHost(id)) {
    const outcome = await askForControl(hub, id, { implicit: true })
    if (outcome !== 'taken' && outcome !== 'host') {
      return
    }
  }
  await hub.node.tell('input', { session: id, fence: view.fence, input })
}

/** Fails with `forbidden` unless the session is at the controls. */
export function mustHost(hub: Hub, id: string): void {
  if (!hub.room.view.isHost(id)) {
    throw new NekoError('forbidden', 'session is not host')
  }
}
