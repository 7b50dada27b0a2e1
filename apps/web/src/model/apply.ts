import { effect } from '@preact/signals'
import { chooseLanguage, speak } from '../words/languages.ts'
import type { Invitation } from './address.ts'
import type { Preferences, Theme } from './preferences.ts'

/** What is liked about the look of the page and its language, put into force from the first frame on. */
export function applyPreferences({ language, theme }: Preferences, invitation: Invitation): void {
  effect(() => showTheme(theme.value))
  effect(() => {
    const wanted = language.value === 'auto' ? [invitation.language, ...navigator.languages] : [language.value]
    void speak(chooseLanguage(wanted.filter((tag) => tag !== undefined)))
  })
}

/** The colours of `base.css`, and of the browser's own frame around an installed page. */
const frameColours = { light: '#f3f4f6', dark: '#0e1013' } as const

function showTheme(theme: Theme): void {
  const { dataset } = document.documentElement
  if (theme === 'auto') {
    delete dataset['theme']
  } else {
    dataset['theme'] = theme
  }
  for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name=theme-color]')) {
    meta.content = frameColours[theme === 'auto' ? (meta.media.includes('dark') ? 'dark' : 'light') : theme]
  }
}
