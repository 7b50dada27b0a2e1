import { join } from 'node:path'
import { type Config, roomConfig } from '@neko-edge/config'
import type { Identity } from '@neko-edge/process'
import type { RoomSpec } from '@neko-edge/store'

/** The room that is served at `/`: what the node's configuration says of one display, one device or one directory is its own. */
export const defaultRoom = 'default'

/** What a room has on its node to itself, and nobody else has while it runs: a number, and what follows from it. */
export interface Place {
  readonly number: number
  readonly runFolder: string
  /** The room's own user, where the node is root. */
  readonly identity: Identity | undefined
}

/** The places of a node: the room default has the first one, others the lowest that is free. */
export class Places {
  readonly #taken = new Set<number>()
  readonly #options: { readonly runFolder: string; readonly uidBase: number }

  constructor(options: { readonly runFolder: string; readonly uidBase: number }) {
    this.#options = options
  }

  take(room: string): Place {
    let number = room === defaultRoom ? 0 : 1
    while (this.#taken.has(number)) {
      number++
    }
    this.#taken.add(number)
    const { runFolder, uidBase } = this.#options
    const uid = uidBase + number
    return {
      number,
      // A number, since the name of a room would make the paths of sockets too long.
      runFolder: join(runFolder, number === 0 ? 'room' : `room-${number}`),
      identity: process.getuid?.() === 0 ? { uid, gid: uid } : undefined,
    }
  }

  give(place: Place): void {
    this.#taken.delete(place.number)
  }
}

/**
 * The configuration of a room on a node. There is one display number, touch driver, camera device and broadcast address in a node's configuration, and two rooms
 * that shared them would see each other: they are the room default's. Others have a transfer directory each, unless theirs is named.
 */
export function configOfRoom(
  base: Config,
  { id, spec, filesFolder }: { id: string; spec: RoomSpec; filesFolder: string },
): { config: Config; problems: string[] } {
  const overrides = spec.config
  if (id === defaultRoom && Object.keys(overrides).length === 0) {
    return { config: base, problems: [] }
  }
  const { desktop, capture, filetransfer } = base
  const own: Config =
    id === defaultRoom
      ? base
      : {
          ...base,
          desktop: { ...desktop, display: '', input: { ...desktop.input, enabled: false } },
          capture: { ...capture, webcam: { ...capture.webcam, enabled: false }, broadcast: { ...capture.broadcast, url: '' } },
          filetransfer: { ...filetransfer, dir: filesFolder },
        }
  const { config, problems } = roomConfig(own, overrides)
  return { config, problems: problems.map(({ option, reason }) => `${option} ${reason}`) }
}
