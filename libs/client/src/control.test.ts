import type { ClientEvent } from '@neko-edge/protocol'
import type { ChannelInput } from '@neko-edge/protocol/channel'
import { FakeClock } from '@neko-edge/testing'
import { describe, expect, it } from 'vitest'
import { Cell } from './cell.ts'
import { Control } from './control.ts'
import { someRoom } from './room.fixture.ts'
import type { ControlVerdict, Room } from './room.ts'

function setUp(first: Room) {
  const clock = new FakeClock()
  const room = new Cell<Room | undefined>(first)
  const sent: [ClientEvent, unknown][] = []
  const channel: ChannelInput[] = []
  const refused: ControlVerdict[] = []
  const path = { isOpen: true }
  const control = new Control({
    clock,
    room,
    send: (event, payload) => sent.push([event, payload]) > 0,
    point: (at) => channel.push({ is: 'move', ...at }),
    sendOverChannel: (input) => {
      if (path.isOpen) {
        channel.push(input)
      }
      return path.isOpen
    },
  })
  control.onRefused((why) => refused.push(why))
  return { channel, clock, control, path, refused, room, sent }
}

const move = { is: 'move', x: 5, y: 6 } as const
const press = { is: 'button', code: 1, down: true } as const
const lift = { is: 'button', code: 1, down: false } as const

describe('Control', () => {
  it('[WEB-70] the host speaks over the data channel, and over the socket where that is down', () => {
    const { channel, control, path, sent } = setUp(someRoom({ host: 'me' }))
    control.input(move)
    expect(channel).toEqual([move])
    path.isOpen = false
    control.input(press)
    control.input({ is: 'key', keysym: 0x61, down: false })
    control.input({ is: 'scroll', deltaX: 0, deltaY: -1, control: true })
    control.input({ is: 'touch', phase: 'begin', id: 3, x: 1, y: 2, pressure: 9 })
    expect(sent).toEqual([
      ['control/buttondown', { code: 1 }],
      ['control/keyup', { keysym: 0x61 }],
      ['control/scroll', { delta_x: 0, delta_y: -1, control_key: true }],
      ['control/touchbegin', { touch_id: 3, x: 1, y: 2, pressure: 9 }],
    ])
  })

  it('[WEB-71] a click on free controls asks for them and arrives once they come, where it was made', () => {
    const { channel, control, room, sent } = setUp(someRoom())
    control.input(move)
    expect(sent).toEqual([])
    control.input(press)
    control.input(lift)
    expect(sent).toEqual([['control/request', undefined]])
    expect(control.isTaking).toBe(true)
    expect(channel).toEqual([])
    room.set(someRoom({ host: 'me' }))
    expect(channel).toEqual([move, press, lift])
    expect(control.isTaking).toBe(false)
  })

  it('[WEB-72] controls that do not come within 2 s are forgotten, with what waited for them', () => {
    const { channel, clock, control, room } = setUp(someRoom())
    control.input(press)
    clock.advance(2_000)
    room.set(someRoom({ host: 'me' }))
    expect(channel).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it('[WEB-73] a click that can not take the controls says why, and asks nobody', () => {
    for (const [why, room] of [
      ['held', someRoom({ host: 'other' })],
      ['locked', someRoom({ settings: { locked_controls: true } })],
      ['private', someRoom({ settings: { private_mode: true } })],
      ['forbidden', someRoom({ profile: { can_host: false } })],
    ] as const) {
      const { channel, control, refused, sent } = setUp(room)
      control.input(move)
      control.input(press)
      control.input(lift)
      expect([refused, sent, channel]).toEqual([[why], [], []])
    }
  })

  it('[WEB-74] the pointer of a watcher is shown four times a second, where room and profile want it', () => {
    const shown = setUp(someRoom({ host: 'other', settings: { inactive_cursors: true } }))
    for (let step = 0; step < 100; step++) {
      shown.control.input(move)
      shown.clock.advance(10)
    }
    expect(shown.channel).toHaveLength(4)
    const hidden = setUp(someRoom({ host: 'other' }))
    hidden.control.input(move)
    expect(hidden.channel).toEqual([])
  })

  it('[WEB-75] what waits is bounded, and of the moves in a row the last one is kept', () => {
    const { channel, control, room } = setUp(someRoom())
    control.input(press)
    for (let x = 0; x < 1_000; x++) {
      control.input({ is: 'move', x, y: 0 })
    }
    for (let key = 0; key < 1_000; key++) {
      control.input({ is: 'key', keysym: 0x61, down: key % 2 === 0 })
    }
    room.set(someRoom({ host: 'me' }))
    expect(channel).toHaveLength(200)
    expect(channel.slice(0, 2)).toEqual([press, { is: 'move', x: 999, y: 0 }])
  })
})
