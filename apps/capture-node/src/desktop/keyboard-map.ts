import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { NekoError } from '@neko-edge/kit'
import type { Property } from 'x11'
import type { XConnection } from './connection.ts'
import type { KeyboardMap } from './desktop.ts'

const run = promisify(execFile)
const setxkbmapMs = 5_000
const rulesName = 'evdev'
/** As names in xkeyboard-config are written; a leading minus would be an option of setxkbmap. */
const layoutName = /^[a-z0-9_][a-z0-9_,()-]*$/i
const variantName = /^([a-z0-9_,][a-z0-9_,()-]*)?$/i

/** The names of the layout in force, as `setxkbmap` left them on the root window (rules, model, layout, variant, options). */
export async function readKeyboardMap(connection: XConnection): Promise<KeyboardMap> {
  const [, , layout = '', variant = ''] = await readRulesNames(connection)
  return { layout, variant }
}

async function readRulesNames(connection: XConnection): Promise<string[]> {
  const atom = await connection.atom('_XKB_RULES_NAMES')
  const property = await connection.ask<Property>('the keyboard layout', (x, callback) =>
    x.GetProperty(0, connection.root, atom, 0, 0, 1024, callback),
  )
  return property.data.toString('latin1').split('\0')
}

/** Where `setxkbmap` finds the display. */
export interface DisplayAccess {
  readonly display: string
  readonly authority: string | undefined
}

/**
 * Numbers the keys as evdev does, keeping the layout. An X server without devices starts with the old numbers, from which browsers
 * conclude other physical keys (`KeyboardEvent.code` of the arrows).
 */
export async function useEvdevKeycodes(connection: XConnection, access: DisplayAccess): Promise<void> {
  const [rules = '', , layout = '', variant = ''] = await readRulesNames(connection)
  if (rules !== rulesName) {
    await writeKeyboardMap({ layout: layout || 'us', variant }, access)
  }
}

/** Loads a layout with `setxkbmap`. `invalid` for malformed names, `unprocessable` where it does not know them. */
export async function writeKeyboardMap({ layout, variant }: KeyboardMap, x: DisplayAccess): Promise<void> {
  if (!layoutName.test(layout) || !variantName.test(variant)) {
    throw new NekoError('invalid', 'a keyboard layout or variant has letters, digits, minus and underscore')
  }
  const environment = { PATH: '/usr/bin:/bin', ...(x.authority === undefined ? {} : { XAUTHORITY: x.authority }) }
  try {
    await run('setxkbmap', ['-display', x.display, '-rules', rulesName, '-model', 'pc105', '-layout', layout, '-variant', variant], {
      env: environment,
      timeout: setxkbmapMs,
    })
  } catch (error) {
    throw new NekoError('unprocessable', `the keyboard layout ${layout} ${variant} cannot be loaded`, { cause: error })
  }
}
