import { Buffer } from 'node:buffer'
import { messageOf } from '@neko-edge/kit'
import { type StreamWord, StreamWordSchema } from '@neko-edge/protocol'
import type { Hub } from '../session/hub.ts'
import type { SocketPort } from '../session/socket.ts'
import type { Caller, SocketEvents } from '../session/socket-life.ts'
import type { Streams } from './streams.ts'
import type { StreamViewer } from './viewer.ts'

/** The longest word of a viewer, in bytes, and how many may come before it is let in: a client says one wish. */
const maxWord = 1024
const maxEarly = 20
/** Words in a second: one for each picture, and some. */
const maxWords = 300

/** The life of a thin line's socket from its upgrade on. What is no word of a viewer is counted and ignored. */
export function streamLife({ hub, streams, admit }: { hub: Hub; streams: Streams; admit: () => Promise<Caller> }): SocketEvents {
  let viewer: StreamViewer | undefined
  let early: StreamWord[] = []
  let isClosed = false
  let second = 0
  let words = 0

  /** Whether somebody says more than anybody has to say. */
  const isTooMuch = () => {
    const now = Math.floor(hub.clock.now() / 1000)
    words = now === second ? words + 1 : 1
    second = now
    return words > maxWords
  }
  const enter = async (port: SocketPort) => {
    const who = await admit()
    if ('refused' in who) {
      port.close(1008, who.refused)
      return
    }
    viewer = await streams.join(who.id, port)
    early.forEach((word) => viewer?.hear(word))
    early = []
    if (isClosed) {
      viewer.close(1000, '')
    }
  }
  return {
    open(port) {
      enter(port).catch((error: unknown) => {
        hub.log.info({ error: messageOf(error) }, 'thin line refused')
        streams.refuse(port, error)
      })
    },
    message(data) {
      const word = wordIn(data)
      if (isTooMuch()) {
        hub.counters.ignored.inc({ reason: 'stream-flood' })
        viewer?.close(1008, 'too many words')
      } else if (!word) {
        hub.counters.ignored.inc({ reason: 'stream' })
      } else if (viewer) {
        viewer.hear(word)
      } else if (early.length < maxEarly) {
        early.push(word)
      }
    },
    close() {
      isClosed = true
      viewer?.close(1000, '')
    },
  }
}

function wordIn(data: unknown): StreamWord | undefined {
  const text = typeof data === 'string' ? data : data instanceof ArrayBuffer || ArrayBuffer.isView(data) ? textOf(data) : ''
  if (text.length === 0 || text.length > maxWord) {
    return undefined
  }
  try {
    return StreamWordSchema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

const textOf = (data: ArrayBuffer | ArrayBufferView) =>
  data.byteLength > maxWord
    ? ''
    : (data instanceof ArrayBuffer ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength)).toString()
