import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cookieFrom } from './xauthority.ts'

const counted = (text: string) => Buffer.concat([Buffer.from([text.length >> 8, text.length & 255]), Buffer.from(text, 'latin1')])
const entry = (display: string, name: string, data: string) =>
  Buffer.concat([Buffer.from([1, 0]), ...['host', display, name, data].map(counted)])
const scheme = 'MIT-MAGIC-COOKIE-1'

test('[DSK-91] the cookie is that of the display, or of any', () => {
  const file = Buffer.concat([
    entry('1', scheme, 'one'),
    entry('99', 'XDM-AUTHORIZATION-1', 'no'),
    entry('99', scheme, 'ÿ\x00x'),
    entry('', scheme, 'any'),
  ])
  expect(cookieFrom(file, '99')).toEqual({ name: scheme, data: 'ÿ\x00x' })
  expect(cookieFrom(file, '7')).toEqual({ name: scheme, data: 'any' })
  expect(cookieFrom(file.subarray(0, 40), '99')).toBeUndefined()
})

test('[DSK-92] no file makes it throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      cookieFrom(Buffer.from(bytes), '1')
    }),
  )
})
