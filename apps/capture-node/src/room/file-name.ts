import { NekoError } from '@neko-edge/kit'

/** What a file system takes as one name, in bytes. */
const maxBytes = 255

/** Files of ours in the transfer directory that are not finished; nobody is shown them. */
export const partPrefix = '.neko-part-'

// Control characters would be keys of their own where a name is typed into a dialog.
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is them that are looked for
const control = /[\x00-\x1f\x7f]/

/** Checks that a name is one file of one folder, and gives it back. Fails with `invalid`. */
export function checkedName(name: string): string {
  const isPath = name === '' || name === '.' || name === '..' || name.includes('/')
  if (isPath || control.test(name) || Buffer.byteLength(name) > maxBytes || name.startsWith(partPrefix)) {
    throw new NekoError('invalid', 'bad filename')
  }
  return name
}
