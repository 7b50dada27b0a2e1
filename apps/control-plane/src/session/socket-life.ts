import { messageOf, type SessionId } from '@neko-edge/kit'
import type { Hub } from './hub.ts'
import type { SessionSocket, SocketPort } from './socket.ts'

/** The longest frame of a client, in characters: a clipboard or a file list fits, an attack does not. */
export const maxFrame = 4 * 1024 * 1024
/** Frames, and characters of them, that may come before the session is connected; a client sends one or two. */
const maxEarly = 100
const maxEarlyLength = 256 * 1024

/** Who asks for a socket: a session, or the words with which it is refused. */
export type Caller = { readonly id: SessionId } | { readonly refused: string }

/** What a runtime tells of a WebSocket. */
export interface SocketEvents {
  open(port: SocketPort): void
  message(data: unknown): void
  close(code: number): void
}

export interface SocketLifeOptions {
  readonly hub: Hub
  readonly dialect: 'v3' | 'v2'
  readonly address: string
  readonly admit: () => Promise<Caller>
  readonly receive: (hub: Hub, socket: SessionSocket, frame: string) => void
  /** What a client is told when Redis is away; without it the socket just closes, and the client comes back by itself. */
  readonly trouble?: string
}

/**
 * The life of a WebSocket from its upgrade on. A refusal is a message, not an HTTP status: browsers can not read that.
 * Frames that come before the session is connected wait for it.
 */
export function socketLife({ hub, dialect, address, admit, receive, trouble }: SocketLifeOptions): SocketEvents {
  const words = hub.dialects[dialect]
  let socket: SessionSocket | undefined
  let early: string[] | undefined = []
  let earlyLength = 0
  let closedWith: number | undefined

  const refuse = (port: SocketPort, reason: string) => {
    early = undefined
    port.send(words.encode(words.farewell(reason)))
    port.close(1000, reason.slice(0, 100))
  }
  const connect = async (port: SocketPort) => {
    const who = await admit()
    const joined = 'refused' in who ? who : await hub.join({ id: who.id, dialect, port, address })
    if ('refused' in joined) {
      return refuse(port, joined.refused)
    }
    socket = joined
    for (const frame of early ?? []) {
      receive(hub, socket, frame)
    }
    early = undefined
    if (closedWith !== undefined) {
      hub.leave(socket, closedWith)
    }
  }

  return {
    open(port) {
      connect(port).catch((error: unknown) => {
        hub.log.warn({ dialect, error: messageOf(error) }, 'socket could not be connected')
        early = undefined
        trouble === undefined ? port.close(1013, 'try again') : refuse(port, trouble)
      })
    },
    message(data) {
      const frame = textOf(data)
      if (frame === undefined || frame.length > maxFrame) {
        hub.counters.ignored.inc({ reason: 'too-long' })
        socket?.close(1009, `a message is at most ${maxFrame} characters`)
      } else if (socket) {
        receive(hub, socket, frame)
      } else if (early && early.length < maxEarly && earlyLength + frame.length <= maxEarlyLength) {
        earlyLength += frame.length
        early.push(frame)
      } else {
        hub.counters.ignored.inc({ reason: 'too-early' })
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
  if (data instanceof ArrayBuffer) {
    return new TextDecoder().decode(data)
  }
  return ArrayBuffer.isView(data) ? new TextDecoder().decode(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)) : undefined
}
