/** What neko would get from a sample, found without the code of `migrateConfig`: by the YAML parser, by Node's reader of env files, by /bin/sh. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { parseEnv } from 'node:util'
import { parse } from 'yaml'

/** Environment, flags and file of one process of neko. */
export interface Started {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly argv: readonly string[]
  readonly yaml?: string
}

/** What upstream's image brings along, by its application. */
const imageEnv = (app: string): Record<string, string> => ({ NEKO_SERVER_BIND: ':8080', ...(app !== '' && { NEKO_DESKTOP_APP: app }) })

/** The application that an image runs, as a value of desktop.app: chromium is the preset, all else a command. */
export const imageApps: Readonly<Record<string, string>> = {
  'm1k1o/neko:firefox': 'firefox',
  'ghcr.io/m1k1o/neko/firefox:latest': 'firefox',
  'm1k1o/neko:nvidia-google-chrome': 'google-chrome',
  'ghcr.io/m1k1o/neko/nvidia-firefox:3': 'firefox',
  'm1k1o/neko:arm-chromium': 'chromium',
  'ghcr.io/m1k1o/neko/chromium:3.0.0': 'chromium',
  'm1k1o/neko:chromium': 'chromium',
  'ghcr.io/m1k1o/neko/brave': 'brave-browser',
  'm1k1o/neko:vlc': 'vlc',
  'm1k1o/neko:microsoft-edge': 'microsoft-edge',
  'm1k1o/neko:tor-browser': '',
  'ghcr.io/m1k1o/neko/xfce:3': 'startxfce4',
  'ghcr.io/m1k1o/neko/kde:3': 'startplasma-x11',
}

/** What the shell of a user makes of the variables in a compose file, by hand: there is no compose here to do it. */
const filledIn: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '18-v2-defaults.compose.yaml': { NEKO_PASSWORD: 'u', NEKO_PASSWORD_ADMIN: 'a$b' },
  '19-lost.compose.yaml': { NEKO_PASSWORD_ADMIN: 'of the shell', NEKO_NAT1TO1: '192.0.2.9' },
}

interface Service {
  readonly image: string
  readonly command?: readonly string[]
  readonly environment: Readonly<Record<string, unknown>> | readonly string[]
}

/** The processes of neko that a sample starts, in its order. */
export function startedBy(path: string): readonly Started[] {
  const text = readFileSync(path, 'utf8')
  if (path.endsWith('.env')) {
    return [{ env: parseEnv(text), argv: [] }]
  }
  if (path.endsWith('.sh')) {
    return [byShell(text)]
  }
  if (!path.endsWith('.compose.yaml')) {
    return [{ env: {}, argv: [], yaml: text }]
  }
  // The samples are ours: their services have the fields that are read here.
  const { services } = parse(text, { merge: true }) as { services: Record<string, Service> }
  return Object.values(services)
    .filter(({ image }) => image.includes('m1k1o/neko'))
    .map((service) => byService(service, filledIn[basename(path)] ?? {}))
}

function byService({ image, command = [], environment }: Service, filled: Readonly<Record<string, string>>): Started {
  const pairs = Array.isArray(environment)
    ? environment.map(pairOf)
    : Object.entries(environment).map(([name, value]) => [name, String(value)])
  return {
    env: { ...imageEnv(imageApps[image] ?? ''), ...Object.fromEntries(pairs), ...filled },
    argv: command.filter((word) => word !== '/usr/bin/neko' && word !== 'serve'),
  }
}

const pairOf = (line: string): [string, string] => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]

/** Lets a shell run the script, with programs in its way that only say what they were called with. */
function byShell(script: string): Started {
  const folder = mkdtempSync(join(tmpdir(), 'neko-migrate-'))
  try {
    const say = '#!/bin/sh\nprintf "%s\\0" "$(basename "$0")" "$@" =ENV=; env -0\n'
    for (const [name, text] of Object.entries({ docker: say, neko: say, sudo: '#!/bin/sh\nexec "$@"\n' })) {
      writeFileSync(join(folder, name), text)
      chmodSync(join(folder, name), 0o755)
    }
    const said = execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8', env: { PATH: `${folder}:/usr/bin:/bin` } })
    const words = said.split('\0')
    const end = words.indexOf('=ENV=')
    const [program, ...args] = words.slice(0, end)
    return program === 'docker' ? byDocker(args) : { env: Object.fromEntries(words.slice(end + 1).map(pairOf)), argv: args.slice(1) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function byDocker(args: readonly string[]): Started {
  const image = args.findIndex((word) => word.includes('m1k1o/neko'))
  const pairs = args.slice(0, image).flatMap((word, index) => {
    const isSeparate = word === '-e' || word === '--env'
    return isSeparate ? [pairOf(args[index + 1] ?? '')] : word.startsWith('--env=') ? [pairOf(word.slice('--env='.length))] : []
  })
  return { env: { ...imageEnv(imageApps[args[image] ?? ''] ?? ''), ...Object.fromEntries(pairs) }, argv: args.slice(image + 1) }
}
