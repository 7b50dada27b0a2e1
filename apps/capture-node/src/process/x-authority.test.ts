import { describe, expect, it } from 'vitest'
import { xAuthority } from './x-authority.ts'

describe('xAuthority', () => {
  it('[PRC-28] is one entry for any address and display, as libXau writes it', () => {
    const cookie = Uint8Array.from({ length: 16 }, (_, index) => index)
    const scheme = Buffer.from('MIT-MAGIC-COOKIE-1').toString('hex')
    expect(xAuthority(cookie).toString('hex')).toBe(`ffff000000000012${scheme}0010000102030405060708090a0b0c0d0e0f`)
  })
})
