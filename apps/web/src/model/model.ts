import { type ControlVerdict, controlVerdict, type NekoClient, profileOf, type Room, type Watchable } from '@neko-edge/client'
import { computed, effect, type ReadonlySignal, signal } from '@preact/signals'
import { words } from '../words/words.ts'
import { Notices } from './notices.ts'
import { remembered } from './store.ts'

/** The client's values as signals, with what only the page knows: panels, sound, notices. */
export type Model = ReturnType<typeof createModel>

export function createModel(client: NekoClient, { volume }: { volume: number | undefined }) {
  const connection = signalOf(client.connection)
  const room = signalOf(client.room)
  const notices = new Notices()
  const model = {
    client,
    connection,
    room,
    roundTripMs: signalOf(client.roundTripMs),
    notices,
    verdict: computed<ControlVerdict>(() => (room.value ? controlVerdict(room.value) : 'forbidden')),
    /** Who has the controls, by name; `undefined` where nobody has. */
    hostName: computed(() => (room.value?.host === undefined ? undefined : nameOf(room.value, room.value.host))),
    isAdmin: computed(() => (room.value ? profileOf(room.value)?.is_admin === true : false)),
    volume: signal(volume ?? clampVolume(remembered.volume())),
    isMuted: signal(false),
    /** The browser plays sound only after a click. */
    isSoundBlocked: signal(false),
    showsPeople: signal(matchMedia('(min-width: 1100px)').matches),
    showsStatistics: signal(false),
    isFullscreen: signal(false),
  }
  effect(() => void remembered.setVolume(model.volume.value))
  tellHostChanges(client, notices)
  tellRequests(client, notices)
  tellRefusals(client, notices)
  bringClipboard(client, notices)
  return model
}

/** A member's name as people should see it. */
export function nameOf(room: Room, id: string): string {
  return room.sessions.get(id)?.profile.name || words.value.people.unnamed
}

function signalOf<T>(watchable: Watchable<T>): ReadonlySignal<T> {
  const mirror = signal(watchable.value)
  watchable.watch((value) => {
    mirror.value = value
  })
  return mirror
}

const clampVolume = (volume: number) => (volume >= 0 && volume <= 1 ? volume : 1)

function tellHostChanges(client: NekoClient, notices: Notices): void {
  let before = client.room.value?.host
  client.room.watch((room) => {
    const after = room?.host
    const { control } = words.value
    if (room && after !== before) {
      if (after === room.me) {
        notices.show(control.youGotIt)
      } else if (after !== undefined) {
        notices.show(control.tookIt(nameOf(room, after)))
      } else if (before !== undefined) {
        notices.show(control.released(nameOf(room, before)))
      }
    }
    before = after
  })
}

function tellRequests(client: NekoClient, notices: Notices): void {
  client.onMessage((message) => {
    const room = client.room.value
    if (message.event !== 'control/request' || !room || message.payload.id === room.me) {
      return
    }
    const { id } = message.payload
    const { control } = words.value
    notices.show(control.wants(nameOf(room, id)), [
      { label: control.give, run: () => void client.api.giveControl(id).catch(() => {}) },
      { label: control.notNow, run: () => {} },
    ])
  })
}

function tellRefusals(client: NekoClient, notices: Notices): void {
  client.control.onRefused((why) => {
    const room = client.room.value
    const { control } = words.value
    if (why === 'held' && room?.host !== undefined) {
      notices.show(control.host(nameOf(room, room.host)), [{ label: control.ask, run: () => client.control.request() }])
    } else if (why === 'locked' || why === 'private' || why === 'forbidden') {
      notices.show(control[why])
    }
  })
}

/** What is copied in the desktop lands in one's own clipboard, where the browser lets it. */
function bringClipboard(client: NekoClient, notices: Notices): void {
  client.onMessage((message) => {
    if (message.event !== 'clipboard/updated' || message.payload.text === '') {
      return
    }
    const { text } = message.payload
    const { clipboard } = words.value
    const write = () => navigator.clipboard?.writeText(text) ?? Promise.reject(new Error('no clipboard here'))
    write().catch(() => {
      notices.show(clipboard.arrived, [{ label: clipboard.copy, run: () => void write().catch(() => {}) }])
    })
  })
}
