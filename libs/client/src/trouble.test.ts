import { NekoError } from '@neko-edge/kit'
import { describe, expect, it } from 'vitest'
import { troubleOf, troubleOfFarewell, troubleWords } from './trouble.ts'

describe('trouble', () => {
  it.each([
    ['wrong-password', new NekoError('unauthorized', 'Unauthorized')],
    ['bad-link', new NekoError('unauthorized', 'this link was used already: ask for a new one')],
    ['room-full', new NekoError('unavailable', 'the room is full, 2 of 2 members are here: try again later')],
    ['room-full', new NekoError('unavailable', 'the machine of this room has no place for more viewers: try again later')],
    ['room-ended', new NekoError('unavailable', 'the room is ending')],
    ['room-locked', new NekoError('forbidden', 'logins are locked')],
    ['login-disabled', new NekoError('forbidden', 'login is disabled for this session')],
    ['already-connected', new NekoError('unprocessable', 'session already connected')],
    ['too-many-tries', new NekoError('tooMany', 'slow down')],
    ['not-found', new NekoError('notFound', 'HTTP 404')],
    ['server-away', new NekoError('timeout', 'no answer')],
    ['server-busy', new NekoError('unavailable', 'no redis')],
    ['server-failed', new NekoError('internal', 'oops')],
    ['server-failed', new TypeError('a bug')],
  ])('[WEB-82] %s is what a refused login means', (code, error) => {
    expect(troubleOf(error).code).toBe(code)
  })

  it('[WEB-83] every goodbye of the server has words; an unknown one ends the session', () => {
    expect(troubleOfFarewell('connection replaced')).toEqual({ code: 'replaced', detail: 'connection replaced' })
    expect(troubleOfFarewell('room ended').code).toBe('room-ended')
    expect(troubleOfFarewell('the room is full: try again later').code).toBe('room-full')
    expect(troubleOfFarewell('toString').code).toBe('session-ended')
    expect(troubleOfFarewell('something new').code).toBe('session-ended')
  })

  it('[WEB-84] every trouble says what happened and what to do', () => {
    for (const { says, remedy } of Object.values(troubleWords)) {
      expect(says).toMatch(/^[A-Z].*\.$/)
      expect(remedy).toMatch(/^[A-Z].*\.$/)
    }
  })
})
