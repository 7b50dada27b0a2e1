import { type Clock, Listeners } from '@neko-edge/kit'
import type { ClientEvent } from '@neko-edge/protocol'
import type { ChannelInput } from '@neko-edge/protocol/channel'
import type { Watchable } from './cell.ts'
import { type ControlVerdict, controlVerdict, profileOf, type Room } from './room.ts'

/** How long input waits for the controls that it asked for, in milliseconds, and how much of it is kept. */
const graceMs = 2_000
const keptInputs = 200
/** The pointer of somebody without the controls is told four times a second, as upstream's client does. */
const idleMoveMs = 250
/** The X modifiers and locks that a keyboard tells by state. */
export interface Locks {
  readonly capslock: boolean
  readonly numlock: boolean
}

/** What the controls need of their client. */
export interface ControlOptions {
  clock: Clock
  room: Watchable<Room | undefined>
  send: (event: ClientEvent, payload?: unknown) => boolean
  /** Gives false where there is no data channel that works. */
  sendOverChannel: (input: ChannelInput) => boolean
  /** Shows others where one points without the controls. */
  point: (at: { x: number; y: number }) => void
}

/**
 * Who is at the controls, and the way of one's input to the desktop: over the data channel for the host, over the socket where the channel
 * is down. The server takes input over the channel only from the host, so the first click of somebody who may take the controls asks
 * for them, and what is typed until they come is sent after it.
 */
export class Control {
  readonly #options: ControlOptions
  readonly #refused = new Listeners<ControlVerdict>()
  readonly #unwatch: () => void
  #pending: ChannelInput[] | undefined
  #pointer: ChannelInput | undefined
  #cancelGrace: () => void = () => {}
  #idleMovedAt = 0
  /** The local lock: nothing that one does reaches the desktop, and nothing asks for the controls. */
  isLocked = false

  constructor(options: ControlOptions) {
    this.#options = options
    this.#unwatch = options.room.watch(() => this.#replay())
  }

  /** Input that could not reach the desktop, and why: a hint, not more often than each click. */
  onRefused(listener: (why: ControlVerdict) => void): () => void {
    return this.#refused.add(listener)
  }

  /** What stands between oneself and the controls. */
  get verdict(): ControlVerdict {
    const room = this.#options.room.value
    return room ? controlVerdict(room) : 'forbidden'
  }

  /** The controls were asked for by input that waits for them. */
  get isTaking(): boolean {
    return this.#pending !== undefined
  }

  /** Takes free controls, or asks whoever has them. */
  request(): void {
    this.#options.send('control/request')
  }

  /** Gives the controls up. */
  release(): void {
    this.#options.send('control/release')
  }

  /** Presses Ctrl+X in the desktop. */
  cut(): void {
    this.#options.send('control/cut')
  }

  /** Presses Ctrl+C in the desktop. */
  copy(): void {
    this.#options.send('control/copy')
  }

  /** Presses Ctrl+A in the desktop. */
  selectAll(): void {
    this.#options.send('control/select_all')
  }

  /** Puts `text` into the desktop's clipboard and pastes it; without the right to the clipboard nothing is pasted. */
  paste(text: string): void {
    this.#options.send('control/paste', { text })
  }

  /** Puts a text into the desktop's clipboard, for whoever has the controls. */
  setClipboard(text: string): void {
    this.#options.send('clipboard/set', { text })
  }

  /** Turns Caps Lock and Num Lock of the desktop to what they are here. */
  setLocks(locks: Locks): void {
    this.#options.send('keyboard/modifiers', locks)
  }

  /** Gives the keyboard of the desktop a layout of XKB, such as `de`, and a variant of it, such as `nodeadkeys`. */
  setLayout(layout: string, variant = ''): void {
    this.#options.send('keyboard/map', { layout, variant })
  }

  /** One action of pointer, wheel, keyboard or finger, in pixels of the desktop. */
  input(input: ChannelInput): void {
    if (this.isLocked) {
      return
    }
    const verdict = this.verdict
    if (verdict === 'hosting') {
      this.#deliver(input)
    } else if (this.#pending) {
      this.#keep(input)
    } else if (!wantsControl(input)) {
      this.#pointElsewhere(input)
    } else if (verdict === 'free') {
      // The click belongs where the pointer is, which nobody was told yet.
      this.#pending = this.#pointer ? [this.#pointer, input] : [input]
      this.#cancelGrace = this.#options.clock.after(graceMs, () => this.#forget())
      this.request()
    } else {
      this.#refused.emit(verdict)
    }
  }

  close(): void {
    this.#unwatch()
    this.#forget()
  }

  #keep(input: ChannelInput): void {
    const pending = this.#pending ?? []
    if (input.is === 'move' && pending.at(-1)?.is === 'move') {
      pending.pop()
    }
    if (pending.length < keptInputs) {
      pending.push(input)
    }
  }

  #replay(): void {
    if (this.#pending && this.verdict === 'hosting') {
      const pending = this.#pending
      this.#forget()
      for (const input of pending) {
        this.#deliver(input)
      }
    }
  }

  #forget(): void {
    this.#cancelGrace()
    this.#pending = undefined
  }

  #deliver(input: ChannelInput): void {
    if (!this.#options.sendOverChannel(input)) {
      const [event, payload] = overSocket(input)
      this.#options.send(event, payload)
    }
  }

  /** Shows others where one points, where the room wants that. */
  #pointElsewhere(input: ChannelInput): void {
    if (input.is === 'move') {
      this.#pointer = input
    }
    const room = this.#options.room.value
    const now = this.#options.clock.now()
    const isShown = room?.settings.inactive_cursors === true && profileOf(room)?.sends_inactive_cursor === true
    if (input.is === 'move' && isShown && now - this.#idleMovedAt >= idleMoveMs) {
      this.#idleMovedAt = now
      this.#options.point({ x: input.x, y: input.y })
    }
  }
}

/** A deliberate act, as against a pointer that passes over the picture or a key that comes up. */
function wantsControl(input: ChannelInput): boolean {
  return input.is === 'button' || input.is === 'key' ? input.down : input.is === 'touch' && input.phase === 'begin'
}

function overSocket(input: ChannelInput): [ClientEvent, unknown] {
  switch (input.is) {
    case 'move':
      return ['control/move', { x: input.x, y: input.y }]
    case 'scroll':
      return ['control/scroll', { delta_x: input.deltaX, delta_y: input.deltaY, control_key: input.control }]
    case 'key':
      return [input.down ? 'control/keydown' : 'control/keyup', { keysym: input.keysym }]
    case 'button':
      return [input.down ? 'control/buttondown' : 'control/buttonup', { code: input.code }]
    case 'touch':
      return [`control/touch${input.phase}`, { touch_id: input.id, x: input.x, y: input.y, pressure: input.pressure }]
    case 'ping':
      return ['client/heartbeat', undefined]
  }
}
