import { type ControlVerdict, controlVerdict, isPermitted, type NekoClient, profileOf, type Watchable } from '@neko-edge/client'
import { computed, effect, type ReadonlySignal, signal } from '@preact/signals'
import { words } from '../words/words.ts'
import type { Invitation } from './address.ts'
import { nameOf } from './name.ts'
import { Notices } from './notices.ts'
import type { Preferences } from './preferences.ts'
import { Sounds } from './sounds.ts'
import { tellEverything } from './tell.ts'

/** What the side shows. */
export type Panel = 'chat' | 'people' | 'files' | 'clipboard' | 'settings'

/** The client's values as signals, with what only the page knows: panels, sound, notices. */
export type Model = ReturnType<typeof createModel>

/** What the page has before anybody is signed in. */
export interface Outside {
  readonly preferences: Preferences
  readonly invitation: Invitation
}

export function createModel(client: NekoClient, { invitation, preferences }: Outside) {
  const room = signalOf(client.room)
  const notices = new Notices()
  const sounds = new Sounds(preferences.hasSounds)
  const model = {
    client,
    invitation,
    preferences,
    notices,
    sounds,
    room,
    connection: signalOf(client.connection),
    roundTripMs: signalOf(client.roundTripMs),
    /** The way that picture and sound take. */
    path: signalOf(client.path),
    lines: signalOf(client.chat.lines),
    transfers: signalOf(client.files.transfers),
    /** Which of one's own devices the room would take. */
    mayShare: signalOf(client.share.allowed),
    /** Which of one's own devices are on. */
    shares: signalOf(client.share.on),
    verdict: computed<ControlVerdict>(() => (room.value ? controlVerdict(room.value) : 'forbidden')),
    /** Who has the controls, by name; `undefined` where nobody has. */
    hostName: computed(() => (room.value?.host === undefined ? undefined : nameOf(room.value, room.value.host))),
    isAdmin: computed(() => (room.value ? profileOf(room.value)?.is_admin === true : false)),
    /** The files of the room are there, and for us. */
    hasFiles: computed(() => (room.value?.files?.enabled && isPermitted(room.value, 'filetransfer.enabled')) === true),
    hasClipboard: computed(() => (room.value ? profileOf(room.value)?.can_access_clipboard === true : false)),
    /** Members whose chat, emotes and requests this page does not show. */
    ignored: signal<ReadonlySet<string>>(new Set()),
    volume: preferences.volume,
    isMuted: signal(false),
    /** The browser plays sound only after a click. */
    isSoundBlocked: signal(false),
    /** Nothing that one does reaches the desktop, until one says so. */
    isInputLocked: signal(false),
    panel: signal<Panel | undefined>(initialPanel(invitation, preferences)),
    /** The key of the newest chat line that was seen. */
    seenLine: signal(0),
    showsStatistics: signal(false),
    isFullscreen: signal(false),
    /** Part of the picture is out of sight. */
    isZoomed: signal(false),
    /** The person has stopped the picture. */
    isPaused: signal(false),
    /** The keyboard of a touch screen is open over the page. */
    isKeyboardShown: signal(false),
    /** Runs what the server may refuse, and says why. */
    run: (work: Promise<unknown>): void => {
      work.catch((error: unknown) => notices.show(words.value.panel.failed(error instanceof Error ? error.message : String(error))))
    },
  }
  tellEverything(model)
  keepPanel(model)
  return model
}

function initialPanel({ showsSide, look }: Invitation, { panel }: Preferences): Panel | undefined {
  const isShown = showsSide ?? (isWide() && panel.value !== 'none')
  // What is kept is one of these, and `none` is not shown unless a link wants a side.
  return isShown && look === 'page' ? (panel.value === 'none' ? 'chat' : (panel.value as Panel)) : undefined
}

/** Whether there is room for a panel beside the picture. */
const isWide = () => matchMedia('(min-width: 1100px)').matches

/** What is open beside a wide picture is open there the next time. */
function keepPanel({ panel, preferences }: Pick<Model, 'panel' | 'preferences'>): void {
  let isFirst = true
  effect(() => {
    const now = panel.value ?? 'none'
    if (!isFirst && isWide() && now !== 'clipboard') {
      preferences.panel.value = now
    }
    isFirst = false
  })
}

function signalOf<T>(watchable: Watchable<T>): ReadonlySignal<T> {
  const mirror = signal(watchable.value)
  watchable.watch((value) => {
    mirror.value = value
  })
  return mirror
}
