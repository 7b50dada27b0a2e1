import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeLegacyChannel } from './channel.ts'

const read = (hex: string) => decodeLegacyChannel(Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex')))

describe('the data channel of V2', () => {
  it('[PRO-10] is read little endian', () => {
    expect(read('01 0400 6400 c800')).toEqual({ is: 'move', x: 100, y: 200 })
    expect(read('02 0400 0000 fdff')).toEqual({ is: 'scroll', deltaX: 0, deltaY: -3, control: false })
    expect(read('03 0800 6100000000000000')).toEqual({ is: 'key', keysym: 0x61, down: true })
    expect(read('04 0800 0100000000000000')).toEqual({ is: 'button', code: 1, down: false })
  })

  it('[PRO-11] takes a code below 8 for a button, and any other for a key', () => {
    expect(read('03 0800 0700000000000000')).toEqual({ is: 'button', code: 7, down: true })
    expect(read('03 0800 0800000000000000')).toEqual({ is: 'key', keysym: 8, down: true })
    expect(read('03 0800 0100000001000000')).toMatchObject({ is: 'key' })
  })

  it('[PRO-12] is silent about clicks, the unknown and the too short', () => {
    for (const wire of ['', '01', '05 0800 6100000000000000', '01 0400 6400 c8', '03 0800 61000000']) {
      expect(read(wire)).toBeUndefined()
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 16 }), (data) => void decodeLegacyChannel(data)))
  })
})
