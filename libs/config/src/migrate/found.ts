import { interpolate } from './interpolate.ts'

/** What one service, command or file says about neko's configuration, before anything is made of it. */
export interface Found {
  /** The service's or the file's name. */
  readonly title: string
  readonly env: Map<string, string>
  readonly argv: string[]
  /** A configuration file in YAML. */
  readonly yaml?: { readonly text: string; readonly path: string }
  /** Configuration files that are mounted: sources of their own. */
  readonly mounts: string[]
  /** Things done on the way. */
  readonly notes: string[]
  /** Things that could not be taken over. */
  readonly lost: string[]
}

export function emptyFound(title: string): Found {
  return { title, env: new Map(), argv: [], mounts: [], notes: [], lost: [] }
}

/** Takes a variable into `found`, with the variables in its value filled in. Names that are not neko's are left out. */
export function takeVariable(found: Found, [name, value]: readonly [string, string], variables: ReadonlyMap<string, string>): void {
  if (!name.startsWith('NEKO_')) {
    return
  }
  const { text, unknown, isFilled } = interpolate(value, variables)
  if (unknown.length > 0) {
    found.lost.push(`${name}: its value depends on ${unknown.join(', ')}, which is not known here: set it by hand`)
    return
  }
  if (isFilled) {
    found.notes.push(`${name}: variables in its value are filled in with what they are now`)
  }
  found.env.set(name, text)
}

/** Takes arguments of neko into `found`; an unknown variable in one stays as it is written and is named. */
export function takeArguments(found: Found, words: readonly string[], variables: ReadonlyMap<string, string>): void {
  for (const word of words) {
    const { text, unknown } = interpolate(word, variables)
    if (unknown.length > 0) {
      found.lost.push(`${word}: it depends on ${unknown.join(', ')}, which is not known here: set it by hand`)
    } else {
      found.argv.push(text)
    }
  }
}

const image = /^(?:[\w.-]+(?::\d+)?\/)*m1k1o\/neko(?:\/([\w-]+))?(?::([\w.-]+))?(?:@\S+)?$/
const variants = /^(?:nvidia|intel|arm|arm64|vaapi)-/
/** What upstream's images run, as desktop.app has it: our preset, or the command of the same program. Tor Browser has none. */
const apps: ReadonlyMap<string, string> = new Map([
  ['firefox', 'firefox'],
  ['waterfox', 'waterfox'],
  ['chromium', 'chromium'],
  ['google-chrome', 'google-chrome'],
  ['ungoogled-chromium', 'chromium'],
  ['microsoft-edge', 'microsoft-edge'],
  ['brave', 'brave-browser'],
  ['vivaldi', 'vivaldi-stable'],
  ['opera', 'opera'],
  ['remmina', 'remmina'],
  ['vlc', 'vlc'],
  ['xfce', 'startxfce4'],
  ['kde', 'startplasma-x11'],
])

export function isNekoImage(name: string): boolean {
  return image.test(name)
}

/** Takes over what upstream's image sets by itself: the application that it runs and the address that it binds. */
export function takeImage(found: Found, name: string): void {
  const match = image.exec(name)
  if (match === null) {
    return
  }
  const [, folder, tag = 'latest'] = match
  const named = (folder ?? (tag === 'latest' ? 'firefox' : tag)).replace(variants, '').replace(/-\d.*$/, '')
  if (!found.env.has('NEKO_DESKTOP_APP')) {
    takeApp(found, name, apps.get(named))
  }
  if (!found.env.has('NEKO_BIND') && !found.env.has('NEKO_SERVER_BIND')) {
    found.env.set('NEKO_SERVER_BIND', ':8080')
    found.notes.push(`image ${name} listens on :8080 unless told otherwise: server.bind`)
  }
}

function takeApp(found: Found, image: string, app: string | undefined): void {
  if (app === undefined) {
    found.lost.push(`image ${image}: how its application is started here is not known: set desktop.app`)
    return
  }
  found.env.set('NEKO_DESKTOP_APP', app)
  const condition = app === 'chromium' ? '' : `, a command that has to be installed on the node`
  found.notes.push(`image ${image}: desktop.app is ${app}${condition}`)
}
