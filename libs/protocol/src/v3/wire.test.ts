import type { SessionId } from '@neko-edge/kit'
import { describe, expect, it } from 'vitest'
import { baseProfile } from '../profile.ts'
import { encodeV3, wireSession, wireState } from './wire.ts'

const at = Date.UTC(2026, 10, 24, 21, 38, 24, 385)

describe('what a V3 server writes', () => {
  it('[PRO-40] is a line of JSON; without a payload there is no such key, with null there is', () => {
    expect(encodeV3({ event: 'system/heartbeat', payload: undefined })).toBe('{"event":"system/heartbeat"}\n')
    expect(encodeV3({ event: 'signal/close', payload: null })).toBe('{"event":"signal/close","payload":null}\n')
    expect(encodeV3({ event: 'control/request', payload: { id: 'a' } })).toBe('{"event":"control/request","payload":{"id":"a"}}\n')
  })

  it('[PRO-41] shows the time of a state only while it says something', () => {
    const secret = { token: 'hash', epoch: 3, instance: 'x', peer: 'p', address: '127.0.0.1' }
    expect(wireState({ is_connected: false, is_watching: false, ...secret })).toEqual({ is_connected: false, is_watching: false })
    expect(
      wireState({ is_connected: true, connected_since: at, not_connected_since: 1, is_watching: true, watching_since: at, ...secret }),
    ).toEqual({
      is_connected: true,
      connected_since: '2026-11-24T21:38:24.385Z',
      is_watching: true,
      watching_since: '2026-11-24T21:38:24.385Z',
    })
    expect(
      wireState({
        is_connected: false,
        not_connected_since: at,
        connected_since: at,
        is_watching: false,
        not_watching_since: at,
        ...secret,
      }),
    ).toEqual({
      is_connected: false,
      not_connected_since: '2026-11-24T21:38:24.385Z',
      is_watching: false,
      not_watching_since: '2026-11-24T21:38:24.385Z',
    })
  })

  it('[PRO-42] has upstream’s keys in upstream’s order, and nothing of the store', () => {
    const session = {
      id: 'a' as SessionId,
      profile: baseProfile({ granted: true, name: 'Ann' }),
      state: { is_connected: true, is_watching: false, token: 'hash', epoch: 1 },
    }
    const text = JSON.stringify(wireSession(session))
    expect(Object.keys(wireSession(session))).toEqual(['id', 'profile', 'state'])
    expect(text).not.toContain('hash')
    expect(Object.keys(session.profile)).toEqual([
      'name',
      'is_admin',
      'can_login',
      'can_connect',
      'can_watch',
      'can_host',
      'can_share_media',
      'can_access_clipboard',
      'sends_inactive_cursor',
      'can_see_inactive_cursors',
      'plugins',
    ])
  })
})
