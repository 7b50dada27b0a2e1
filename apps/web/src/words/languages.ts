import { en, type Words } from './en.ts'
import { words } from './words.ts'

interface Language {
  readonly name: string
  readonly load: () => Promise<Words>
}

/** The languages of the page by their BCP 47 tag. Each but English is code of its own, loaded when it is wanted. */
export const languages: Readonly<Record<string, Language>> = {
  en: { name: 'English', load: async () => en },
  de: { name: 'Deutsch', load: async () => (await import('./de.ts')).de },
  es: { name: 'Español', load: async () => (await import('./es.ts')).es },
  fi: { name: 'Suomi', load: async () => (await import('./fi.ts')).fi },
  fr: { name: 'Français', load: async () => (await import('./fr.ts')).fr },
  id: { name: 'Bahasa Indonesia', load: async () => (await import('./id.ts')).id },
  ja: { name: '日本語', load: async () => (await import('./ja.ts')).ja },
  ko: { name: '한국어', load: async () => (await import('./ko.ts')).ko },
  nb: { name: 'Norsk bokmål', load: async () => (await import('./nb.ts')).nb },
  pl: { name: 'Polski', load: async () => (await import('./pl.ts')).pl },
  ru: { name: 'Русский', load: async () => (await import('./ru.ts')).ru },
  sk: { name: 'Slovenčina', load: async () => (await import('./sk.ts')).sk },
  sv: { name: 'Svenska', load: async () => (await import('./sv.ts')).sv },
  'zh-CN': { name: '简体中文', load: async () => (await import('./zh-cn.ts')).zhCn },
  'zh-TW': { name: '繁體中文', load: async () => (await import('./zh-tw.ts')).zhTw },
}

/** V2's codes for languages that have another name in BCP 47. */
const aliases: Readonly<Record<string, string>> = { cn: 'zh-CN', tw: 'zh-TW', no: 'nb', nn: 'nb' }

/** The first of the wanted languages that the page has; English where it has none. */
export function chooseLanguage(wanted: readonly string[]): string {
  for (const tag of wanted) {
    const lower = tag.toLowerCase()
    const first = lower.split('-')[0] ?? ''
    const known =
      Object.keys(languages).find((code) => code.toLowerCase() === lower) ??
      aliases[first] ??
      (first === 'zh' ? (/hant|tw|hk|mo/.test(lower) ? 'zh-TW' : 'zh-CN') : first)
    if (Object.hasOwn(languages, known)) {
      return known
    }
  }
  return 'en'
}

let latest = ''

/** Puts the page into a language; one that can not be loaded changes nothing. */
export async function speak(code: string): Promise<void> {
  latest = code
  const loaded = await languages[code]?.load().catch(() => undefined)
  // Another choice may have come in the meantime.
  if (loaded && latest === code) {
    words.value = loaded
    document.documentElement.lang = code
  }
}
