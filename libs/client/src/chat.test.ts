import type { ServerMessage, SessionData } from '@neko-edge/protocol'
import { FakeClock } from '@neko-edge/testing'
import { describe, expect, it } from 'vitest'
import { Cell } from './cell.ts'
import { Chat } from './chat.ts'
import { someRoom } from './room.fixture.ts'
import { applyMessage, type Room } from './room.ts'

function setUp() {
  const room = new Cell<Room | undefined>(someRoom())
  const sent: unknown[] = []
  const chat = new Chat({ clock: new FakeClock(), room, send: (event, payload) => sent.push([event, payload]) > 0 })
  const hears = (message: ServerMessage) => {
    room.set(applyMessage(room.value, message))
    chat.heard(message)
  }
  const { me, sessions, settings, screen } = someRoom()
  const init = {
    session_id: me,
    control_host: { id: '', has_host: false },
    screen_size: screen,
    sessions: Object.fromEntries(sessions),
    settings,
  }
  hears({ event: 'system/init', payload: { ...init, touch_events: false, screencast_enabled: false, webrtc: { videos: [] } } })
  const comes = (name: string) => hears({ event: 'session/created', payload: person(name) })
  return { chat, hears, comes, sent, lines: () => chat.lines.value.map(({ key: _, at: __, ...line }) => line) }
}

function person(name: string): SessionData {
  const { profile, state } = someRoom().sessions.get('other') ?? {}
  if (!profile || !state) {
    throw new Error('the fixture has another')
  }
  return { id: name, profile: { ...profile, name }, state }
}

const state = (id: string, is_connected: boolean): ServerMessage => ({
  event: 'session/state',
  payload: { id, is_connected, is_watching: false },
})

describe('Chat', () => {
  it('[WEB-132] shows what was said with the name of that moment, its own words as its own', () => {
    const { chat, hears, lines, sent } = setUp()
    chat.say('hi')
    expect(sent).toEqual([['chat/message', { text: 'hi' }]])
    hears({ event: 'chat/message', payload: { id: 'me', created: '', content: { text: 'hi' } } })
    hears({ event: 'chat/message', payload: { id: 'other', created: '', content: { text: 'x'.repeat(20_000) } } })
    hears({ event: 'session/deleted', payload: { id: 'other' } })
    expect(lines()).toEqual([
      { is: 'said', from: 'me', name: 'Anna', text: 'hi', isMine: true },
      { is: 'said', from: 'other', name: 'Ben', text: 'x'.repeat(10_000), isMine: false },
      { is: 'crowd', came: [], left: ['Ben'] },
    ])
  })

  it('[WEB-133] in a large room comings and goings fold into one line, in a small one each has its own', () => {
    const { comes, hears, lines } = setUp()
    comes('a')
    hears(state('a', false))
    expect(lines()).toEqual([
      { is: 'crowd', came: ['a'], left: [] },
      { is: 'crowd', came: [], left: ['a'] },
    ])
    for (let index = 0; index < 30; index++) {
      comes(`p${index}`)
    }
    hears({ event: 'session/deleted', payload: { id: 'p3' } })
    const last = lines().at(-1)
    expect(lines().length).toBeLessThan(14)
    expect(last?.is === 'crowd' && [last.came.length > 15, last.left]).toEqual([true, ['p3']])
  })

  it('[WEB-134] an emote goes out as a broadcast and shows also to who sent it; what is no emote shows to nobody', () => {
    const { chat, hears, sent } = setUp()
    const seen: unknown[] = []
    chat.onEmote((emote) => seen.push(emote))
    chat.emote('clap')
    hears({ event: 'send/broadcast', payload: { sender: 'other', subject: 'emote', body: 'fire' } })
    hears({ event: 'send/broadcast', payload: { sender: 'other', subject: 'emote', body: { evil: true } } })
    hears({ event: 'send/broadcast', payload: { sender: 'other', subject: 'else', body: 'fire' } })
    expect(sent).toEqual([['send/broadcast', { subject: 'emote', body: 'clap' }]])
    expect(seen).toEqual([
      { from: 'me', name: 'clap' },
      { from: 'other', name: 'fire' },
    ])
  })

  it('[WEB-135] tells who took and released the controls, and who locked what', () => {
    const { hears, lines } = setUp()
    hears({ event: 'control/host', payload: { id: 'other', has_host: true, host_id: 'other' } })
    hears({ event: 'control/host', payload: { id: 'other', has_host: false } })
    hears({ event: 'system/settings', payload: { id: 'other', ...someRoom().settings, locked_controls: true } })
    expect(lines()).toEqual([
      { is: 'host', name: 'Ben', has: true },
      { is: 'host', name: 'Ben', has: false },
      { is: 'lock', lock: 'control', isLocked: true, name: 'Ben' },
    ])
  })
})
