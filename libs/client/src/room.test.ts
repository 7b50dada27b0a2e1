import type { ServerMessage } from '@neko-edge/protocol'
import { describe, expect, it } from 'vitest'
import { someRoom } from './room.fixture.ts'
import { applyMessage, controlVerdict } from './room.ts'

const after = (...messages: ServerMessage[]) => messages.reduce<ReturnType<typeof applyMessage>>(applyMessage, someRoom())

describe('applyMessage', () => {
  it('[WEB-60] before system/init there is no room', () => {
    expect(applyMessage(undefined, { event: 'control/host', payload: { id: 'a', has_host: true, host_id: 'a' } })).toBeUndefined()
  })

  it('[WEB-61] people come, change and go; news of somebody unknown changes nothing', () => {
    const { profile, state } = someRoom().sessions.get('other') ?? { profile: undefined, state: undefined }
    if (!profile || !state) {
      throw new Error('the fixture has two people')
    }
    const room = after(
      { event: 'session/created', payload: { id: 'third', profile: { ...profile, name: 'Cy' }, state } },
      { event: 'session/profile', payload: { id: 'other', ...profile, name: 'Benno' } },
      { event: 'session/state', payload: { id: 'third', is_connected: false, is_watching: false } },
      { event: 'session/state', payload: { id: 'ghost', is_connected: true, is_watching: true } },
      { event: 'session/deleted', payload: { id: 'me' } },
    )
    expect([...(room?.sessions.keys() ?? [])]).toEqual(['other', 'third'])
    expect(room?.sessions.get('other')?.profile).toEqual({ ...profile, name: 'Benno' })
    expect(room?.sessions.get('third')?.state.is_connected).toBe(false)
  })

  it('[PRES-1707] in a room of very many the server says how many they are, and when all are listed again', () => {
    const crowded = after({ event: 'session/crowd', payload: { connected: 1_234 } })
    expect(crowded?.crowd).toBe(1_234)
    expect(crowded && applyMessage(crowded, { event: 'session/crowd', payload: null })?.crowd).toBeUndefined()
  })

  it('[WEB-62] host, settings, screen, clipboard and files follow the server', () => {
    const { settings } = someRoom()
    const room = after(
      { event: 'control/host', payload: { id: 'other', has_host: true, host_id: 'other' } },
      { event: 'system/settings', payload: { id: 'other', ...settings, locked_controls: true } },
      { event: 'screen/updated', payload: { id: 'other', width: 800, height: 600, rate: 60 } },
      { event: 'clipboard/updated', payload: { text: 'x' } },
    )
    expect(room).toMatchObject({ host: 'other', clipboard: 'x', screen: { width: 800, height: 600, rate: 60 } })
    expect(room?.settings).toEqual({ ...settings, locked_controls: true })
    expect(after({ event: 'control/host', payload: { id: 'other', has_host: false } })?.host).toBeUndefined()
  })
})

describe('controlVerdict', () => {
  it.each([
    ['free', someRoom()],
    ['hosting', someRoom({ host: 'me' })],
    ['held', someRoom({ host: 'other' })],
    ['free', someRoom({ host: 'other', settings: { implicit_hosting: true } })],
    ['locked', someRoom({ settings: { locked_controls: true } })],
    ['locked', someRoom({ host: 'other', settings: { locked_controls: true, implicit_hosting: true } })],
    ['free', someRoom({ settings: { locked_controls: true }, profile: { is_admin: true } })],
    ['private', someRoom({ settings: { private_mode: true } })],
    ['free', someRoom({ settings: { private_mode: true }, profile: { is_admin: true } })],
    ['forbidden', someRoom({ profile: { can_host: false, is_admin: true } })],
  ])('[WEB-63] %s, as the gate of the server decides', (verdict, room) => {
    expect(controlVerdict(room)).toBe(verdict)
  })
})
