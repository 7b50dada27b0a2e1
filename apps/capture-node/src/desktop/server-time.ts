import type { XEvent } from 'x11'
import type { XConnection } from './connection.ts'
import { EventInbox } from './event-inbox.ts'

const append = 2
const answerMs = 5_000

type PropertyEvent = Extract<XEvent, { name: 'PropertyNotify' }>

/**
 * What the X server's clock says, in its milliseconds: nothing is appended to a property of `window`, which must have
 * PropertyChangeMask, and the event about it tells (ICCCM 2.1; CurrentTime will not do for owning a selection).
 */
export async function serverTime(connection: XConnection, window: number): Promise<number> {
  const property = await connection.atom('NEKO_TIME')
  using inbox = new EventInbox(
    connection,
    (event): event is PropertyEvent => event.name === 'PropertyNotify' && event.wid === window && event.atom === property,
  )
  connection.send((x) => x.ChangeProperty(append, window, property, property, 8, Buffer.alloc(0)))
  const event = await inbox.next(answerMs, 'the time of the X server')
  return event.time
}
