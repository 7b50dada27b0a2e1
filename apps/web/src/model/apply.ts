import { effect } from '@preact/signals'
import { chooseLanguage, speak } from '../words/languages.ts'
import { detectLayout } from './layouts.ts'
import type { Model } from './model.ts'

/** What a link wishes, then what is liked, put into force. */
export function applyPreferences(model: Model): void {
  const { preferences, invitation } = model
  takeWishes(model)
  effect(() => {
    const theme = preferences.theme.value
    if (theme === 'auto') {
      delete document.documentElement.dataset['theme']
    } else {
      document.documentElement.dataset['theme'] = theme
    }
  })
  effect(() => {
    const wanted = preferences.language.value === 'auto' ? [invitation.language, ...navigator.languages] : [preferences.language.value]
    void speak(chooseLanguage(wanted.filter((tag) => tag !== undefined)))
  })
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
