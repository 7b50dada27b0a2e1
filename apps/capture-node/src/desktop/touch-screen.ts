import { createConnection, type Socket } from 'node:net'
import { type Clock, type Log, messageOf, within } from '@neko-edge/kit'
import type { ScreenSize, Touch } from './desktop.ts'
import { Held } from './held.ts'

/** XInput 2's numbers for the events; only the low byte travels. */
const types = { begin: 18, update: 19, end: 20 } as const
const connectMs = 1_000
/** The driver's axes. */
const axisMax = 0xffff
/** Says that an event carries no new position. */
const nowhere = -1

/** The 12 bytes that the X driver `neko` reads from its socket (little endian, one way). */
export function encodeTouch({ kind, id, x, y, pressure }: Touch): Uint8Array {
  const message = Buffer.alloc(12)
  message.writeUInt8(types[kind], 0)
  message.writeUInt16LE(id, 1)
  message.writeInt32LE(x, 3)
  message.writeInt32LE(y, 7)
  message.writeUInt8(pressure, 11)
  return message
}

/** Fingers, through the unix socket of the X input driver `neko` (upstream's xf86-input-neko). */
export class TouchScreen implements Disposable {
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #size: () => ScreenSize
  readonly #fingers = new Held<number, true>()

  private constructor(socket: Socket, { clock, size }: { clock: Clock; size: () => ScreenSize }) {
    this.#socket = socket
    this.#clock = clock
    this.#size = size
  }

  /** Connects to the driver; `undefined` where it does not listen. */
  static async open(path: string, options: { clock: Clock; log: Log; size: () => ScreenSize }): Promise<TouchScreen | undefined> {
    const socket = createConnection(path)
    // A socket that fails later only stops being writable; the X server, and with it the driver, has its own supervision.
    socket.on('error', (error) => options.log.debug({ error: error.message }, 'touch driver socket'))
    const connecting = new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    try {
      await within(connectMs, 'connecting to the touch driver', connecting)
    } catch (error) {
      socket.destroy()
      options.log.info({ socket: path, reason: messageOf(error) }, 'no touch driver')
      return undefined
    }
    return new TouchScreen(socket, options)
  }

  /** `false` where the finger is down already, or is not; or the driver is gone. */
  touch(touch: Touch): boolean {
    const { kind, id } = touch
    const isDown = this.#fingers.has(id)
    if (isDown === (kind === 'begin') || !this.#socket.writable) {
      return false
    }
    // Being moved counts as a sign of life, so the time starts again.
    this.#fingers.take(id)
    if (kind !== 'end') {
      this.#fingers.add(id, true, this.#clock.now())
    }
    const { width, height } = this.#size()
    this.#send({ ...touch, x: scale(touch.x, width), y: scale(touch.y, height), pressure: clampByte(touch.pressure) })
    return true
  }

  releaseAll(): void {
    this.#end(this.#fingers.ids())
  }

  /** Lifts fingers that were not heard of for too long. */
  releaseOverdue(): void {
    this.#end(this.#fingers.overdue(this.#clock.now()))
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }

  #end(ids: readonly number[]): void {
    for (const id of ids) {
      this.#fingers.take(id)
      this.#send({ kind: 'end', id, x: nowhere, y: nowhere, pressure: 0 })
    }
  }

  #send(touch: Touch): void {
    this.#socket.write(encodeTouch({ ...touch, id: touch.id & 0xffff }))
  }
}

function scale(pixel: number, size: number): number {
  return Math.trunc((Math.max(0, Math.min(size - 1, pixel)) * axisMax) / size)
}

function clampByte(value: number): number {
  return Math.max(0, Math.min(255, Math.trunc(value) || 0))
}
