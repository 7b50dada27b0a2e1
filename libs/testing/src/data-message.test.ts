import { expect, test } from 'vitest'
import { decodeDataMessage, v2Input, v3Input } from './data-message.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const bytes = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

test('[TST-5] input is written as the examples of the specification have it', () => {
  expect(hex(v3Input.move(100, 200))).toBe('010004006400c8')
  expect(hex(v3Input.scroll(0, -3, true))).toBe('0200050000fffd01')
  expect(hex(v3Input.keyDown(0x61))).toBe('03000400000061')
  expect(hex(v3Input.keyUp(0xff0d))).toBe('0400040000ff0d')
  expect(hex(v3Input.buttonDown(1))).toBe('05000400000001')
  expect(hex(v3Input.buttonUp(3))).toBe('06000400000003')
  expect(hex(v3Input.ping(1_700_000_000_000))).toBe('0700080000018bcfe5698b')
  expect(hex(v2Input.move(100, 200))).toBe('0104006400c800')
  expect(hex(v2Input.scroll(0, -3))).toBe('0204000000fdff')
  expect(hex(v2Input.down(0x61))).toBe('0308006100000000000000')
  expect(hex(v2Input.up(1))).toBe('0408000100000000000000')
})

test('[TST-5] what a server sends is read as the examples of the specification have it', () => {
  expect(decodeDataMessage(bytes('01 0007 0280 0168'))).toEqual({ kind: 'position', x: 640, y: 360, length: 7 })
  const image = decodeDataMessage(bytes('02 004f 0010 0010 0003 0004 8950'))
  expect(image).toMatchObject({ kind: 'image', width: 16, height: 16, hotX: 3, hotY: 4, length: 0x4f })
  const pong = decodeDataMessage(bytes('03 0013 0000018b cfe5698b 0000018b cfe569b5'))
  expect(pong).toEqual({ kind: 'pong', clientMs: 1_700_000_000_000, serverMs: 1_700_000_000_042, length: 19 })
  expect(decodeDataMessage(bytes('01 00')).kind).toBe('unknown')
  expect(decodeDataMessage(bytes('')).kind).toBe('unknown')
})
