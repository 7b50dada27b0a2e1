import { baseProfile, type MemberProfile, type Settings } from '@neko-edge/protocol'
import { applyMessage, type Room } from './room.ts'

const profile: MemberProfile = { ...baseProfile({ granted: true, name: 'Anna' }), can_see_inactive_cursors: false }
const settings: Settings = {
  private_mode: false,
  locked_logins: false,
  locked_controls: false,
  control_protection: false,
  implicit_hosting: false,
  inactive_cursors: false,
  merciful_reconnect: true,
  heartbeat_interval: 120,
  plugins: null,
}

/** A room with oneself (`me`) and one more (`other`), as `system/init` tells it. For tests. */
export function someRoom(more: { profile?: Partial<MemberProfile>; settings?: Partial<Settings>; host?: string } = {}): Room {
  const state = { is_connected: true, is_watching: true }
  const room = applyMessage(undefined, {
    event: 'system/init',
    payload: {
      session_id: 'me',
      control_host: more.host === undefined ? { id: '', has_host: false } : { id: '', has_host: true, host_id: more.host },
      screen_size: { width: 1280, height: 720, rate: 30 },
      sessions: {
        me: { id: 'me', profile: { ...profile, ...more.profile }, state },
        other: { id: 'other', profile: { ...profile, name: 'Ben' }, state },
      },
      settings: { ...settings, ...more.settings },
      touch_events: false,
      screencast_enabled: false,
      webrtc: { videos: ['main'] },
    },
  })
  if (!room) {
    throw new Error('system/init makes a room')
  }
  return room
}
