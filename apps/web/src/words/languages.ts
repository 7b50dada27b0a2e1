import { en, type Words } from './en.ts'
import { words } from './words.ts'

interface Language {
  readonly name: string
  readonly load: () => Promise<Words>
}

/** The languages of the page by their BCP 47 tag. Each but English is code of its own, loaded when it is wanted. */
export const languages: Readonly<Record<string, Language>> = {
  en: { name: 'English', load: async () => en },
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
