import { describe, expect, it } from 'vitest'
import { isMuted, isPermitted, locksIn, ownersAfter } from './permission.ts'
import { someRoom } from './room.fixture.ts'
import { applyMessage } from './room.ts'

describe('permissions', () => {
  it('[WEB-130] a switch of the room binds users and not administrators, one of the profile binds both', () => {
    const off = { 'chat.can_send': false }
    expect(isPermitted(someRoom(), 'chat.can_send')).toBe(true)
    expect(isPermitted(someRoom({ settings: { plugins: off } }), 'chat.can_send')).toBe(false)
    expect(isPermitted(someRoom({ settings: { plugins: off }, profile: { is_admin: true } }), 'chat.can_send')).toBe(true)
    const muted = someRoom({ profile: { is_admin: true, plugins: off } })
    expect([isPermitted(muted, 'chat.can_send'), isMuted(muted, 'me'), isMuted(muted, 'other')]).toEqual([false, true, false])
  })

  it('[WEB-131] a lock is known with who set it, until it is opened', () => {
    const room = someRoom()
    const locked = { ...room.settings, locked_logins: true, plugins: { 'filetransfer.enabled': false } }
    const after = applyMessage(room, { event: 'system/settings', payload: { id: 'other', ...locked } })
    expect(after && locksIn(after.settings)).toEqual({ login: true, control: false, files: true })
    expect(after?.lockOwners).toEqual({ login: 'Ben', files: 'Ben' })
    const later = after && ownersAfter(after, { ...locked, locked_logins: false, locked_controls: true }, 'me')
    expect(later).toEqual({ control: 'Anna', files: 'Ben' })
  })
})
