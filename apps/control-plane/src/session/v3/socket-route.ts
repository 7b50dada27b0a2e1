import { type Log, messageOf } from '@neko-edge/kit'
import type { SessionId } from '@neko-edge/kit'
import type { Hub } from '../hub.ts'
import type { SessionSocket, SocketPort } from '../socket.ts'
import { receiveV3 } from './receive.ts'

/** The longest frame of a client, in characters: a clipboard or a file list fits, an attack does not. */
export const maxFrame = 4 * 1024 * 1024

/** Who asks for a socket: a session, or the words with which it is refused. */
export type Caller = { readonly id: SessionId } | { readonly refused: string }

export interface SocketEvents {
  open(port: SocketPort): void
  message(data: unknown): void
  close(code: number): void
}

/**
 * The life of a V3 WebSocket from its upgrade on. A refusal is a message, not an HTTP status: browsers can not read that.
 * Frames that come before the session is connected wait for it.
 */
export function v3Socket({ hub, caller, address, log }: { hub: Hub; caller: () => Promise<Caller>; address: string; log: Log }): SocketEvents {
  let socket: SessionSocket | undefined
  let early: string[] | undefined = []
  let closedWith: number | undefined

  const refuse = (port: SocketPort, message: string) => {
    early = undefined
    port.send(`${JSON.stringify({ event: 'system/disconnect', payload: { message } })}\n`)
    port.close(1000, message)
  }
  const connect = async (port: SocketPort) => {
    const who = await caller()
    if ('refused' in who) {
      return refuse(port, who.refused)
    }
    const joined = await hub.join({ id: who.id, dialect: 'v3', port, address })
    if ('refused' in joined) {
      return refuse(port, joined.refused)
    }
    socket = joined
    for (const frame of early ?? []) {
      receiveV3(hub, socket, frame)
    }
    early = undefined
    if (closedWith !== undefined) {
      hub.leave(socket, closedWith)
    }
  }

  return {
    open(port) {
      connect(port).catch((error: unknown) => {
        early = undefined
        log.warn({ error: messageOf(error) }, 'socket could not be connected')
        // Not final for the client: it comes back, as after any drop.
        port.close(1013, 'try again')
      })
    },
    message(data) {
      const frame = textOf(data)
      if (frame === undefined || frame.length > maxFrame) {
        hub.counters.ignored.inc({ reason: 'too-long' })
        socket?.close(1009, `a message is at most ${maxFrame} characters`)
      } else if (socket) {
        receiveV3(hub, socket, frame)
      } else if (early && early.length < 100) {
        early.push(frame)
      }
    },
    close(code) {
      closedWith = code
      if (socket) {
        hub.leave(socket, code)
      }
    },
  }
}

/** Text and binary frames are taken alike. */
function textOf(data: unknown): string | undefined {
  if (typeof data === 'string') {
    return data
  }
  if (data instanceof ArrayBuffer || ArrayBuffer.isView(data)) {
    return new TextDecoder().decode(data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  }
  return undefined
}
