import { type ClientMessage, decodeV3 } from '@neko-edge/protocol'
import type { Hub } from '../hub.ts'
import type { SessionSocket } from '../socket.ts'
import { handlers } from './handlers.ts'

/** Takes one frame of a V3 client, in its turn. What is not a message is counted and ignored, as clients expect. */
export function receiveV3(hub: Hub, socket: SessionSocket, frame: string): void {
  const message = decodeV3(frame)
  if ('problem' in message) {
    hub.counters.ignored.inc({ reason: message.problem })
    hub.log.debug({ session: socket.id, event: message.event, problem: message.problem, detail: message.detail }, 'message ignored')
    return
  }
  socket.receive(async () => {
    const session = hub.sessionOf(socket)
    if (session) {
      await dispatch({ hub, socket, session }, message)
    }
  }, frame.length)
}

async function dispatch(context: Parameters<(typeof handlers)['control/request']>[0], { event, payload }: ClientMessage): Promise<void> {
  // The event picks its own handler: payload and handler are of one pair, which the compiler can not see through the lookup.
  const handler = handlers[event] as (context: unknown, payload: unknown) => void | Promise<void>
  await handler(context, payload)
}
