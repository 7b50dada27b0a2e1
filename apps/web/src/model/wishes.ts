import { effect } from '@preact/signals'
import { detectLayout } from './layouts.ts'
import type { Model } from './model.ts'

/** What a link wishes, and the keyboard that somebody brings. */
export function applyWishes(model: Model): void {
  takeWishes(model)
  bringLayout(model)
}

function takeWishes({ preferences, invitation, isMuted }: Model): void {
  const { volume, scrollSpeed, mutesChat, look } = invitation
  if (volume !== undefined) {
    preferences.volume.value = volume
  }
  if (scrollSpeed !== undefined) {
    preferences.scrollSpeed.value = scrollSpeed
  }
  if (mutesChat !== undefined) {
    preferences.hasSounds.value = !mutesChat
  }
  if (look === 'cast') {
    isMuted.value = false
  }
}

/** Whoever gets the controls brings the own keyboard layout: the chosen one always, a detected one where it is not the usual. */
function bringLayout({ client, preferences, verdict }: Model): void {
  let detected: string | undefined
  void keysOfKeyboard().then((keys) => {
    detected = detectLayout(keys, navigator.languages)
  })
  effect(() => {
    const chosen = preferences.layout.value
    if (verdict.value === 'hosting') {
      const layout = chosen === 'auto' ? detected : chosen
      if (layout !== undefined && (chosen !== 'auto' || layout !== 'us')) {
        client.control.setLayout(layout)
      }
    }
  })
}

/** What each key writes, where the browser tells: Chromium. */
async function keysOfKeyboard(): Promise<ReadonlyMap<string, string> | undefined> {
  // The DOM library does not know the Keyboard Map API.
  const { keyboard } = navigator as Navigator & { keyboard?: { getLayoutMap?: () => Promise<ReadonlyMap<string, string>> } }
  try {
    return await keyboard?.getLayoutMap?.()
  } catch {
    // A frame without the right: the languages have to do.
    return undefined
  }
}
