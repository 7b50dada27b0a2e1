import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual, parseEnv } from 'node:util'
import { expect, test } from 'vitest'
import { v2Options } from '../src/legacy/v2-options.ts'
import { type Migrated, migrateConfig } from '../src/migrate.ts'
import { textValue } from '../src/print.ts'
import { type Config, valueAt } from '../src/schema/config.ts'
import { envName, optionByPath } from '../src/schema/options.ts'
import { imageApps, type Started, startedBy } from './migrate-input.ts'
import { load } from './sample.ts'

const folder = join(import.meta.dirname, 'migrate')
const forms = ['yaml', 'env'] as const
const samples = readdirSync(folder).flatMap((file) => forms.map((to) => ({ file, to })))
const valuePaths = [...optionByPath].filter(([, { spread }]) => spread === undefined).map(([path]) => path)

function migrated(path: string, text: string, to: 'yaml' | 'env'): readonly Migrated[] {
  return migrateConfig({ files: [{ path, text }], to }).documents
}

/** The configuration that a migrated text makes; an env file is read by Node's reader, not by ours. */
const configOf = ({ text }: Pick<Migrated, 'text'>, to: 'yaml' | 'env'): Config =>
  load(to === 'yaml' ? { yaml: text } : { env: parseEnv(text) }).config

/** The paths whose value changed. */
const changed = (before: Config, after: Config): string[] =>
  valuePaths.filter((path) => !isDeepStrictEqual(valueAt(before, path), valueAt(after, path)))

/** True if a line that begins with `!` names the option by its path or its variable, V3 or V2, or says the value that is gone. */
function isNamed(path: string, value: string, lines: readonly string[]): boolean {
  const v2Names = [...v2Options].filter(([, { to }]) => to.some((target) => target === path)).map(([key]) => envName(key))
  const names = [path, envName(path), ...v2Names].map((name) => new RegExp(`(^|[^\\w.])${name.replaceAll('.', '\\.')}($|[^\\w.])`))
  return lines.some((line) => line.startsWith('! ') && (names.some((name) => name.test(line)) || (value !== '' && line.includes(value))))
}

function silent(started: Started, document: Migrated, to: 'yaml' | 'env'): string[] {
  const before = load(started).config
  return changed(before, configOf(document, to)).filter((path) => !isNamed(path, textValue(path, valueAt(before, path)), document.lines))
}

/** The samples that can not be taken over whole, and what of them changes. */
const losses: Readonly<Record<string, readonly string[]>> = {
  '04-v3-nvidia.compose.yaml env': ['capture.video.pipeline'],
  '19-lost.compose.yaml yaml': ['config', 'member.multiuser.admin_password', 'webrtc.nat1to1'],
  '19-lost.compose.yaml env': ['config', 'member.multiuser.admin_password', 'webrtc.nat1to1'],
}

test.each(samples)('[CFG-108] $file as $to has every value of its input, but for those that a line with ! names', ({ file, to }) => {
  const documents = migrated(file, readFileSync(join(folder, file), 'utf8'), to)
  const started = startedBy(join(folder, file))
  expect(documents).toHaveLength(started.length)
  documents.forEach((document, index) => {
    const one = started[index] ?? { env: {}, argv: [] }
    expect(silent(one, document, to)).toEqual([])
    expect(changed(load(one).config, configOf(document, to)).toSorted()).toEqual(losses[`${file} ${to}`] ?? [])
  })
})

test.each(samples)('[CFG-109] what $file became as $to stays as it is when it is migrated again', ({ file, to }) => {
  for (const first of migrated(file, readFileSync(join(folder, file), 'utf8'), to)) {
    const [again] = migrated('neko', first.text, to)
    expect([again?.text, again?.lines.filter((line) => line.startsWith('!') && !line.includes('is not set'))]).toEqual([first.text, []])
  }
})

test.each(Object.entries(imageApps))('[CFG-110] the image %s runs “%s”', (image, app) => {
  const [document] = migrated('compose.yaml', `services: { neko: { image: "${image}" } }`, 'yaml')
  const { config } = load({ yaml: document?.text ?? '' })
  const about = document?.lines.filter((line) => line.includes('desktop.app')) ?? []
  expect([config.desktop.app, about.length]).toEqual([app === '' ? 'chromium' : app, 1])
  expect(about[0]?.startsWith('! ')).toBe(app === '')
  expect(about[0]?.includes('installed')).toBe(app !== '' && app !== 'chromium')
})

const awkward = ['a #b', "it's", '"quoted"', "'x'", 'a $b $$', 'back\\slash', ' blank ', '#', 'a`b`', '!x', `both ' and "`, `'$"`]

test.each(awkward.flatMap((value) => forms.map((to) => ({ value, to }))))(
  '[CFG-111] the password $value survives as $to, or is named',
  ({ value, to }) => {
    const yaml = JSON.stringify({ member: { multiuser: { user_password: value, admin_password: 'a' } } })
    const [document] = migrated('neko.yaml', yaml, to)
    expect(document === undefined ? ['nothing'] : silent({ env: {}, argv: [], yaml }, document, to)).toEqual([])
  },
)

const compose = (service: string, files: Readonly<Record<string, string>> = {}): Migrated | undefined => {
  const text = `services: { neko: { image: "m1k1o/neko:chromium", ${service} } }`
  return migrateConfig({ files: [{ path: 'compose.yaml', text }], to: 'env', readFile: (path) => files[path] }).documents[0]
}

test('[CFG-112] a dollar in single quotes stands for itself, and a name without a value is named', () => {
  const document = compose('env_file: a.env', { 'a.env': `A=x\nNEKO_PASSWORD='$A$$'\nNEKO_PASSWORD_ADMIN="$A\\$"\nNEKO_KEY\n` })
  expect(configOf(document ?? { text: '' }, 'env').member.multiuser).toMatchObject({ userPassword: '$A$$', adminPassword: 'x$' })
  expect(document?.lines).toContain('! NEKO_KEY: its value comes from the shell, which is not known here: set it by hand')
})

test('[CFG-112] a file for docker run is read as docker reads it: without quotes and variables', () => {
  const text = 'docker run --env-file a.env m1k1o/neko:chromium'
  const readFile = (): string => `NEKO_PASSWORD="u" # $A\nNEKO_PASSWORD_ADMIN=$$x\n`
  const [document] = migrateConfig({ files: [{ path: 'run.sh', text }], to: 'env', readFile }).documents
  expect(configOf(document ?? { text: '' }, 'env').member.multiuser).toMatchObject({ userPassword: '"u" # $A', adminPassword: '$$x' })
  expect(document?.lines.find((line) => line.includes('--env-file'))).toMatch(/^member\.multiuser\.user_password, member\.multiuser\.admin/)
})

test('[CFG-113] flags in an entrypoint count; what extends or a mounted file says is named', () => {
  const entry = compose('entrypoint: [tini, -g, --, /usr/bin/neko, serve, --desktop.screen=800x600@25], environment: [NEKO_PASSWORD=u]')
  expect(entry?.text).toContain('NEKO_DESKTOP_SCREEN=800x600@25\n')
  const cries = compose('extends: { service: base }, volumes: ["./n.yaml:/etc/neko/neko.yaml:ro"]')?.lines.filter((line) =>
    line.startsWith('! '),
  )
  expect(cries?.slice(0, 2)).toEqual([
    '! the configuration file ./n.yaml:/etc/neko/neko.yaml:ro is a source too: give it to migrate-config as well',
    '! extends: what the other service says is not taken over: write it into this one first',
  ])
  const text = 'docker run -v ./n.yaml:/etc/neko/neko.yaml --mount type=bind,source=/m,target=/etc/neko/neko.yml m1k1o/neko:chromium'
  const [run] = migrated('run.sh', text, 'yaml')
  expect(run?.lines.filter((line) => line.startsWith('! the configuration file'))).toHaveLength(2)
})
