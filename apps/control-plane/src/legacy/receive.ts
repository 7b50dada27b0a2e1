import { decodeV2 } from '@neko-edge/protocol'
import type { Hub } from '../session/hub.ts'
import type { SessionSocket } from '../session/socket.ts'
import { handlers } from './handlers.ts'

/** Takes one frame of a V2 client, in its turn. What is not a message is counted and ignored. */
export function receiveV2(hub: Hub, socket: SessionSocket, frame: string): void {
  const message = decodeV2(frame)
  if ('problem' in message) {
    hub.counters.ignored.inc({ reason: message.problem })
    hub.log.debug({ session: socket.id, event: message.event, problem: message.problem, detail: message.detail }, 'message ignored')
    return
  }
  socket.receive(async () => {
    const session = hub.sessionOf(socket)
    // The event picks its own handler: payload and handler are of one pair, which the compiler can not see through the lookup.
    const handler = handlers[message.event] as (context: unknown, payload: unknown) => void | Promise<void>
    if (session) {
      await handler({ hub, socket, session }, message.payload)
    }
  })
}
