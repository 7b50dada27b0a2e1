import { NekoError } from '@neko-edge/kit'
import type { Session } from '@neko-edge/protocol'
import type { Hub } from './hub.ts'
import type { SessionSocket } from './socket.ts'

/** Who speaks, and where. */
export interface Context {
  readonly hub: Hub
  readonly socket: SessionSocket
  readonly session: Session
}

/** How a dialect reads its clients: frames become messages, and each event has a handler. */
export interface Listening {
  readonly decode: (frame: string) => { event: string; payload: unknown } | { event?: string; problem: string; detail: string }
  readonly handlers: object
}

/**
 * Takes one frame of a client, in its turn. What is not a message is counted and ignored, as clients expect; so is one that
 * says something impossible, such as an SDP answer that is none.
 */
export function receiveBy({ decode, handlers }: Listening): (hub: Hub, socket: SessionSocket, frame: string) => void {
  // The event picks its own handler: payload and handler are of one pair, which the compiler can not see through the lookup.
  const all = handlers as Readonly<Record<string, (context: Context, payload: unknown) => void | Promise<void>>>
  return (hub, socket, frame) => {
    const message = decode(frame)
    if ('problem' in message) {
      const { event, problem, detail } = message
      hub.counters.ignored.inc({ reason: problem })
      hub.log.debug({ session: socket.id, event, problem, detail }, 'message ignored')
      return
    }
    socket.receive(async () => {
      const session = hub.sessionOf(socket)
      if (!session) {
        return
      }
      try {
        await all[message.event]?.({ hub, socket, session }, message.payload)
      } catch (error) {
        if (error instanceof NekoError && error.code === 'invalid') {
          hub.counters.ignored.inc({ reason: 'refused' })
        }
        throw error
      }
    }, frame.length)
  }
}
