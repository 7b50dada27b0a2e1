import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ChannelInput, type ChannelOutput, decodeChannel, decodeOutput, encodeChannel, encodeInput } from './channel.ts'

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const hex = (data: Uint8Array) => Buffer.from(data).toString('hex')

/** The examples of the specification: what is on the wire, and what it says. */
const inputs: readonly [string, ChannelInput][] = [
  ['01 0004 0064 00c8', { is: 'move', x: 100, y: 200 }],
  ['02 0005 0000 fffd 01', { is: 'scroll', deltaX: 0, deltaY: -3, control: true }],
  ['03 0004 00000061', { is: 'key', keysym: 0x61, down: true }],
  ['04 0004 0000ff0d', { is: 'key', keysym: 0xff0d, down: false }],
  ['05 0004 00000001', { is: 'button', code: 1, down: true }],
  ['06 0004 00000003', { is: 'button', code: 3, down: false }],
  ['07 0008 0000018b cfe5698b', { is: 'ping', clientTime: 1_700_000_000_000 }],
  ['08 000d 00000007 ffffffff 00000032 ff', { is: 'touch', phase: 'begin', id: 7, x: -1, y: 50, pressure: 255 }],
  ['09 000d 00000007 ffffffff 00000032 00', { is: 'touch', phase: 'update', id: 7, x: -1, y: 50, pressure: 0 }],
  ['0a 000d 00000007 ffffffff 00000032 00', { is: 'touch', phase: 'end', id: 7, x: -1, y: 50, pressure: 0 }],
]

const outputs: readonly [string, ChannelOutput][] = [
  ['01 0007 0280 0168', { is: 'cursor-position', x: 640, y: 360 }],
  ['02 000d 0010 0010 0003 0004 8950', { is: 'cursor-image', width: 16, height: 16, hotX: 3, hotY: 4, png: bytes('8950') }],
  ['03 0013 0000018b cfe5698b 0000018b cfe569b5', { is: 'pong', clientTime: 1_700_000_000_000, serverTime: 1_700_000_000_042 }],
]

const [u8, u16, u32] = [8, 16, 32].map((bits) => fc.nat(2 ** bits - 1)) as [
  fc.Arbitrary<number>,
  fc.Arbitrary<number>,
  fc.Arbitrary<number>,
]
const i16 = fc.integer({ min: -32_768, max: 32_767 })
const i32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const time = fc.nat(8_640_000_000_000)
const anyInput: fc.Arbitrary<ChannelInput> = fc.oneof(
  fc.record({ is: fc.constant('move' as const), x: u16, y: u16 }),
  fc.record({ is: fc.constant('scroll' as const), deltaX: i16, deltaY: i16, control: fc.boolean() }),
  fc.record({ is: fc.constant('key' as const), keysym: u32, down: fc.boolean() }),
  fc.record({ is: fc.constant('button' as const), code: u32, down: fc.boolean() }),
  fc.record({ is: fc.constant('ping' as const), clientTime: time }),
  fc.record({
    is: fc.constant('touch' as const),
    phase: fc.constantFrom('begin' as const, 'update' as const, 'end' as const),
    id: u32,
    x: i32,
    y: i32,
    pressure: u8,
  }),
)
const anyOutput: fc.Arbitrary<ChannelOutput> = fc.oneof(
  fc.record({ is: fc.constant('cursor-position' as const), x: u16, y: u16 }),
  fc.record({
    is: fc.constant('cursor-image' as const),
    width: u16,
    height: u16,
    hotX: u16,
    hotY: u16,
    png: fc.uint8Array({ maxLength: 200 }),
  }),
  fc.record({ is: fc.constant('pong' as const), clientTime: time, serverTime: time }),
)

describe('the data channel of V3', () => {
  it('[PRO-1] reads and writes the messages of a client, byte for byte', () => {
    for (const [wire, input] of inputs) {
      expect(decodeChannel(bytes(wire))).toEqual(input)
      expect(hex(encodeInput(input))).toBe(wire.replaceAll(' ', ''))
    }
  })

  it('[PRO-2] reads and writes the messages of a server, with the length of the whole', () => {
    for (const [wire, output] of outputs) {
      expect(hex(encodeChannel(output))).toBe(wire.replaceAll(' ', ''))
      expect(decodeOutput(bytes(wire))).toEqual(output)
    }
  })

  it('[PRO-3] splits times by 2³²−1', () => {
    const split = (clientTime: number) => hex(encodeInput({ is: 'ping', clientTime })).slice(6)
    expect(split(4_294_967_295)).toBe('0000000100000000')
    expect(split(4_294_967_294)).toBe('00000000fffffffe')
  })

  it('[PRO-4] takes the old scroll only where the header says 4; its control key is any byte but 0', () => {
    const scroll = (wire: string) => decodeChannel(bytes(wire))
    expect(scroll('02 0004 0000 fffd')).toEqual({ is: 'scroll', deltaX: 0, deltaY: -3, control: false })
    expect(scroll('02 0004 0000 fffd 01')).toMatchObject({ control: false })
    expect(scroll('02 0005 0000 fffd')).toBeUndefined()
    expect(scroll('02 0000 0000 fffd 02')).toMatchObject({ control: true })
    expect(scroll('02 0009 0000 fffd 00')).toMatchObject({ control: false })
  })

  it('[PRO-5] is silent about what is too short or unknown, and reads no further than a message needs', () => {
    for (const wire of ['', '01', '01 00', '00 0004 00000000', '0b 0004 00000000', 'ff', '01 0004 0064 00']) {
      expect(decodeChannel(bytes(wire))).toBeUndefined()
    }
    expect(decodeChannel(bytes('01 0004 0064 00c8 ffff'))).toEqual({ is: 'move', x: 100, y: 200 })
    expect(decodeOutput(bytes(''))).toBeUndefined()
    for (const [, output] of outputs) {
      expect(decodeOutput(encodeChannel(output).subarray(0, 6))).toBeUndefined()
    }
  })

  it('[PRO-6] lets the length of a large cursor wrap, as it must in 16 bits', () => {
    const image = encodeChannel({ is: 'cursor-image', width: 1, height: 1, hotX: 0, hotY: 0, png: new Uint8Array(70_000) })
    expect(image).toHaveLength(70_011)
    expect(hex(image.subarray(1, 3))).toBe(((70_011 % 65_536) + 0x10000).toString(16).slice(1))
    expect(decodeOutput(image)).toMatchObject({ png: new Uint8Array(70_000) })
  })

  it('[PRO-7] brings everything back that it has written, wherever in a buffer it lies', () => {
    fc.assert(
      fc.property(anyInput, fc.nat(8), (input, offset) => {
        const padded = Uint8Array.from([...new Uint8Array(offset), ...encodeInput(input)])
        expect(decodeChannel(padded.subarray(offset))).toEqual(input)
      }),
    )
    fc.assert(
      fc.property(anyOutput, (output) => {
        expect(decodeOutput(encodeChannel(output))).toEqual(output)
      }),
    )
  })

  it('[PRO-8] survives every message', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 32 }), (data) => {
        decodeChannel(data)
        decodeOutput(data)
      }),
    )
  })
})
