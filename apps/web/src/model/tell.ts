import type { ChatLine, NekoClient } from '@neko-edge/client'
import { effect } from '@preact/signals'
import { words } from '../words/words.ts'
import type { Model } from './model.ts'
import { nameOf } from './name.ts'

/** What happens is told: as notices, with a sound, in the clipboard. */
export function tellEverything(model: Model): void {
  tellHostChanges(model)
  tellRequests(model)
  tellRefusals(model)
  tellMessages(model)
  bringClipboard(model)
}

function tellHostChanges({ client, notices }: Model): void {
  let before = client.room.value?.host
  let wasIn = false
  client.room.watch((room) => {
    const after = room?.host
    const { control } = words.value
    // Who comes in reads it in the bar: that somebody has had the controls for an hour is no news.
    if (room && wasIn && after !== before) {
      if (after === room.me) {
        notices.show(control.youGotIt)
      } else if (after !== undefined) {
        notices.show(control.tookIt(nameOf(room, after)))
      } else if (before !== undefined) {
        notices.show(control.released(nameOf(room, before)))
      }
    }
    before = after
    wasIn = room !== undefined
  })
}

function tellRequests({ client, ignored, notices, run, sounds }: Model): void {
  const asked: number[] = []
  client.room.watch((room) => {
    // Who has not the controls any more has nothing to hand over.
    if (room?.host !== room?.me) {
      for (const id of asked.splice(0)) {
        notices.dismiss(id)
      }
    }
  })
  client.onMessage((message) => {
    const room = client.room.value
    if (message.event !== 'control/request' || !room || message.payload.id === room.me || ignored.value.has(message.payload.id)) {
      return
    }
    const { id } = message.payload
    const { control } = words.value
    sounds.ring()
    const actions = [
      { label: control.give, run: () => run(client.api.giveControl(id)) },
      { label: control.notNow, run: () => {} },
    ]
    asked.push(notices.show(control.wants(nameOf(room, id)), actions))
  })
}

function tellRefusals({ client, notices }: Model): void {
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

/** Lines that somebody should read: what others said, except those whom one ignores. */
export function countsAsUnread(line: ChatLine, { seen, ignored }: { seen: number; ignored: ReadonlySet<string> }): boolean {
  return line.is === 'said' && !line.isMine && line.key > seen && !ignored.has(line.from)
}

function tellMessages({ ignored, lines, panel, seenLine, sounds }: Model): void {
  let newest = 0
  effect(() => {
    const last = lines.value.at(-1)
    const isSeen = panel.value === 'chat' && !document.hidden
    if (last && last.key > newest && !isSeen && countsAsUnread(last, { seen: newest, ignored: ignored.peek() })) {
      sounds.knock()
    }
    newest = last?.key ?? 0
    if (isSeen) {
      seenLine.value = newest
    }
  })
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && panel.value === 'chat') {
      seenLine.value = lines.value.at(-1)?.key ?? 0
    }
  })
}

/** What is copied in the desktop lands in one's own clipboard, where the browser lets it. */
function bringClipboard({ client, notices, panel }: Model): void {
  client.onMessage((message) => {
    if (message.event !== 'clipboard/updated' || message.payload.text === '') {
      return
    }
    const { text } = message.payload
    const { clipboard } = words.value
    const write = async () => {
      // Text at once: what follows may come too late for a browser that wants a click.
      await (navigator.clipboard?.writeText(text) ?? Promise.reject(new Error('no clipboard here')))
      await writeFormatted(client).catch(() => {})
    }
    write().catch(() => {
      notices.show(clipboard.arrived, [{ label: clipboard.copy, run: () => void write().catch(() => showText()) }])
    })
    const showText = () => {
      panel.value = 'clipboard'
    }
  })
}

/** Copies what is in the desktop's clipboard with its formatting. False where it has none; rejects where the browser, or the server, refuses. */
export async function writeFormatted(client: NekoClient): Promise<boolean> {
  const { text = '', html = '' } = await client.api.clipboard()
  if (html === '') {
    return false
  }
  const blob = (content: string, type: string) => new Blob([content], { type })
  await navigator.clipboard.write([new ClipboardItem({ 'text/plain': blob(text, 'text/plain'), 'text/html': blob(html, 'text/html') })])
  return true
}
