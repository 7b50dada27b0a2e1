import type { Context, MiddlewareHandler } from 'hono'
import type { UpgradeWebSocket, WSContext } from 'hono/ws'
import type { SocketPort } from '../session/socket.ts'
import type { SocketEvents } from '../session/socket-life.ts'

/** What both runtimes' sockets have beyond Hono's view of them. */
interface RawSocket {
  readonly bufferedAmount?: number
  binaryType?: string
}

/** How a runtime finds out whether the other end is still there, for one socket. */
export interface Probe {
  /** Asks, by a WebSocket ping. */
  ping(): void
  /** Pings in a row that went unanswered. */
  unanswered(): number
}

/** Ties a runtime's `upgradeWebSocket` to the life of a session's socket. */
export function upgradeWith<T extends RawSocket>(
  upgradeWebSocket: UpgradeWebSocket<T>,
  probe: (raw: T) => Probe,
): (events: (context: Context) => SocketEvents) => MiddlewareHandler {
  return (events) =>
    upgradeWebSocket((context) => {
      const { open, message, close } = events(context)
      return {
        onOpen(_, ws) {
          if (ws.raw) {
            // Deno would hand out blobs, whose text comes later than the frame behind them.
            ws.raw.binaryType = 'arraybuffer'
            open(portOf(ws, probe(ws.raw)))
          }
        },
        onMessage: ({ data }) => message(data),
        onClose: ({ code }) => close(code),
      }
    })
}

function portOf<T extends RawSocket>(ws: WSContext<T>, probe: Probe): SocketPort {
  const isOpen = () => ws.readyState === 1
  return {
    send: (data) => isOpen() && ws.send(data),
    close: (code, reason) => ws.readyState < 2 && ws.close(code, reason),
    ping: () => isOpen() && probe.ping(),
    unanswered: () => probe.unanswered(),
    buffered: () => ws.raw?.bufferedAmount ?? 0,
  }
}
