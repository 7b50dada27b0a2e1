import { expect, test } from 'vitest'
import { load } from '../test/sample.ts'
import { completionScript, shells } from './completion.ts'
import { effectiveText, redactedConfig } from './effective.ts'
import { optionsHelp } from './help.ts'
import { v2Options } from './legacy/v2-options.ts'
import { referenceMarkdown } from './reference.ts'
import { redactOverrides, roomConfig, roomPaths } from './rooms.ts'
import { envName, optionByPath } from './schema/options.ts'

const paths = [...optionByPath.keys()]

test('[CFG-90] the help has every option with its variable, V3 in groups and V2 under a heading', () => {
  const help = optionsHelp({ columns: 90 })
  const [v3 = '', v2 = ''] = help.split('Options of V2')
  expect(paths.filter((path) => !v3.includes(`--${path}`) || !v3.includes(envName(path)))).toEqual([])
  expect([...v2Options.keys()].filter((key) => !v2.includes(`--${key} `) || !v2.includes(envName(key)))).toEqual([])
})

test.each([60, 100, 200])('[CFG-90] text of the help keeps within %d columns', (columns) => {
  const tooLong = optionsHelp({ columns })
    .split('\n')
    .filter((line) => line.startsWith('      ') && line.length > columns && line.trim().includes(' '))
  expect(tooLong).toEqual([])
})

test('[CFG-90] an entry of the help says type, variable, unit, range and default', () => {
  expect(optionsHelp({ columns: 200 })).toContain(
    '  --capture.video.bitrate <integer>   NEKO_CAPTURE_VIDEO_BITRATE\n      Bit rate of the generated pipeline [kbit/s; 1 … 1000000; default: 3072]\n',
  )
})

test('[CFG-91] the reference has a row of the right width for every option', () => {
  const rows = referenceMarkdown()
    .split('\n')
    .filter((line) => line.startsWith('| `'))
  expect(paths.filter((path) => !rows.some((row) => row.startsWith(`| \`${path}\` |`)))).toEqual([])
  const columns = new Set(
    rows.filter((row) => /^\| `[a-z_.0-9]+` \| `NEKO_/.test(row)).map((row) => row.replaceAll('\\|', '').split('|').length),
  )
  expect([...columns]).toEqual([8])
})

test('[CFG-92] the effective configuration shows every value with its source, and no secret', () => {
  const loaded = load({
    env: { NEKO_PASSWORD: 'geheim', NEKO_SERVER_BIND: ':9000', NEKO_WEBRTC_ICESERVERS: '[{"urls":["turn:t"],"credential":"geheim"}]' },
  })
  const text = effectiveText(loaded)
  expect(text).toMatch(/^server\.bind: :9000 +# NEKO_SERVER_BIND$/m)
  expect(text).toMatch(/^member\.multiuser\.user_password: "\*\*\*" +# NEKO_PASSWORD$/m)
  expect(text).toMatch(/^webrtc\.epr: 59000-59100 +# default \(no port option is set\)$/m)
  expect(text).toContain('turn:t')
  expect(text + JSON.stringify(redactedConfig(loaded.config))).not.toContain('geheim')
  expect(text.trimEnd().split('\n')).toHaveLength(paths.length - 1)
})

test('[CFG-93] completions name every option, command and word', () => {
  for (const shell of shells) {
    const script = completionScript(shell, { program: 'neko', commands: ['serve', 'config'], withOptions: ['serve'] })
    const dashes = shell === 'fish' ? '-l ' : '--'
    expect([...paths, ...v2Options.keys()].filter((name) => !script.includes(`${dashes}${name}`))).toEqual([])
    expect(script).toContain('nvenc')
  }
})

test('[CFG-94] a room overrides what it may, by path or nested, and nothing else', () => {
  const base = load({}).config
  const { config, problems } = roomConfig(base, {
    'desktop.screen': '800x600@25',
    session: { private_mode: true, cookie: { name: 'x' } },
    desktop: { skreen: 'x' },
    'capture.video.codec': 'x',
  })
  expect([config.desktop.screen.width, config.session.privateMode, config.session.cookie.name]).toEqual([800, true, 'NEKO_SESSION'])
  expect(problems.map(({ option, reason, remedy }) => `${option} ${reason}: ${remedy}`)).toEqual([
    'session.cookie.name can not be set per room: Set it for the node.',
    'desktop.skreen is not an option: Did you mean desktop.screen?',
    'capture.video.codec is not one of vp8, vp9, av1, h264, h265: Write one of vp8, vp9, av1, h264, h265.',
  ])
  expect(base.desktop.screen.width).toBe(1280)
  expect(roomPaths).toContain('desktop.app')
})

test('[CFG-94] what an admin sees of a room has its secrets masked', () => {
  expect(redactOverrides({ member: { multiuser: { user_password: 'geheim' } }, 'desktop.app': 'xterm' })).toEqual({
    'member.multiuser.user_password': '***',
    'desktop.app': 'xterm',
  })
})
