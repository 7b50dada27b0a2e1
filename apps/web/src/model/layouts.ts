/** Keyboard layouts of XKB that people choose from, in the words of their own language. */
export const layouts: readonly (readonly [code: string, name: string])[] = [
  ['us', 'English (US)'],
  ['gb', 'English (UK)'],
  ['ara', 'العربية'],
  ['be', 'Belgique / België'],
  ['bg', 'Български'],
  ['br', 'Português (Brasil)'],
  ['ca', 'Français (Canada)'],
  ['ch', 'Schweiz / Suisse'],
  ['cz', 'Čeština'],
  ['de', 'Deutsch'],
  ['dk', 'Dansk'],
  ['ee', 'Eesti'],
  ['es', 'Español'],
  ['fi', 'Suomi'],
  ['fr', 'Français'],
  ['gr', 'Ελληνικά'],
  ['hr', 'Hrvatski'],
  ['hu', 'Magyar'],
  ['il', 'עברית'],
  ['is', 'Íslenska'],
  ['it', 'Italiano'],
  ['jp', '日本語'],
  ['kr', '한국어'],
  ['latam', 'Español (Latinoamérica)'],
  ['lt', 'Lietuvių'],
  ['lv', 'Latviešu'],
  ['nl', 'Nederlands'],
  ['no', 'Norsk'],
  ['pl', 'Polski'],
  ['pt', 'Português'],
  ['ro', 'Română'],
  ['rs', 'Српски'],
  ['ru', 'Русский'],
  ['se', 'Svenska'],
  ['si', 'Slovenščina'],
  ['sk', 'Slovenčina'],
  ['tr', 'Türkçe'],
  ['ua', 'Українська'],
]

/** Layouts that a language leads to where the keys themselves do not tell. */
const byLanguage: Readonly<Record<string, string>> = {
  ar: 'ara',
  bg: 'bg',
  cs: 'cz',
  da: 'dk',
  de: 'de',
  'de-ch': 'ch',
  el: 'gr',
  en: 'us',
  'en-gb': 'gb',
  es: 'es',
  et: 'ee',
  fi: 'fi',
  fr: 'fr',
  'fr-be': 'be',
  'fr-ca': 'ca',
  'fr-ch': 'ch',
  he: 'il',
  hr: 'hr',
  hu: 'hu',
  is: 'is',
  it: 'it',
  ja: 'jp',
  ko: 'kr',
  lt: 'lt',
  lv: 'lv',
  nb: 'no',
  nn: 'no',
  no: 'no',
  nl: 'us',
  pl: 'pl',
  pt: 'pt',
  'pt-br': 'br',
  ro: 'ro',
  ru: 'ru',
  sk: 'sk',
  sl: 'si',
  sr: 'rs',
  sv: 'se',
  tr: 'tr',
  uk: 'ua',
}

const byTag = (tag: string) => byLanguage[tag.toLowerCase()] ?? byLanguage[tag.toLowerCase().split('-')[0] ?? '']

/** Layouts by what the key `Y` of a US keyboard writes, with the languages whose layouts they are. */
const qwertz = ['de', 'ch', 'cz', 'sk', 'hu', 'hr', 'si', 'rs']
const azerty = ['fr', 'be']

/**
 * The layout of a keyboard, from what its keys write (`navigator.keyboard.getLayoutMap()`, in Chromium) and the languages of the browser;
 * `undefined` where nothing tells.
 */
export function detectLayout(keys: ReadonlyMap<string, string> | undefined, languages: readonly string[]): string | undefined {
  const spoken = languages.flatMap((tag) => byTag(tag) ?? [])
  if (!keys || keys.size === 0) {
    return spoken[0]
  }
  const among = (codes: readonly string[]) => spoken.find((code) => codes.includes(code)) ?? codes[0]
  if (keys.get('KeyQ') === 'a') {
    return among(azerty)
  }
  if (keys.get('KeyY') === 'z') {
    return among(qwertz)
  }
  const bySemicolon: Readonly<Record<string, readonly string[]>> = {
    ñ: ['es', 'latam'],
    ö: ['se', 'fi', 'ee'],
    æ: ['dk', 'is'],
    ø: ['no'],
    ç: ['br', 'pt'],
    ò: ['it'],
    ж: ['ru', 'ua'],
  }
  const codes = bySemicolon[keys.get('Semicolon') ?? '']
  if (codes) {
    return among(codes)
  }
  // Plain Latin keys: a layout that adds its letters on a third level, or the US one.
  return keys.get('Semicolon') === ';' ? among(['us', 'gb', 'pl', 'nl', 'kr', 'ro']) : spoken[0]
}
