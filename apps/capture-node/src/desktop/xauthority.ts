import { readFile } from 'node:fs/promises'
import { messageOf, NekoError } from '@neko-edge/kit'

/** How a client proves itself to an X server: the scheme's name and its secret, one byte per character. */
export interface XCookie {
  readonly name: string
  readonly data: string
}

const scheme = 'MIT-MAGIC-COOKIE-1'

/**
 * The magic cookie for `displayNumber` from the bytes of an Xauthority file, `undefined` where it has none.
 * The host of an entry is not looked at: the file was handed over for just this display.
 */
export function cookieFrom(bytes: Buffer, displayNumber: string): XCookie | undefined {
  let offset = 0
  while (offset + 2 <= bytes.length) {
    offset += 2
    const fields: string[] = []
    while (fields.length < 4 && offset + 2 <= bytes.length) {
      const length = bytes.readUInt16BE(offset)
      fields.push(bytes.toString('latin1', offset + 2, offset + 2 + length))
      offset += 2 + length
    }
    const [, display, name, data] = fields
    if (name === scheme && data !== undefined && (display === '' || display === displayNumber)) {
      return { name, data }
    }
  }
  return undefined
}

/** Reads the cookie for a display such as `:99`. `unavailable` where the file cannot be read or has none. */
export async function readCookie(file: string, display: string): Promise<XCookie> {
  const number = /:(\d+)/.exec(display)?.[1] ?? ''
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new NekoError('unavailable', `X authority file: ${messageOf(error)}`, { cause: error })
  })
  const cookie = cookieFrom(bytes, number)
  if (cookie === undefined) {
    throw new NekoError('unavailable', `${file} has no ${scheme} for display ${display}`)
  }
  return cookie
}
