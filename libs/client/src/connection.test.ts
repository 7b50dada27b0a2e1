import { describe, expect, it } from 'vitest'
import { connectionOf, type Layers } from './connection.ts'

const signedIn = { is: 'signed-in', canWatch: true } as const
const open = { is: 'open' } as const
const up = { is: 'up' } as const
const off = { is: 'off' } as const
const lost = { code: 'connection-lost' } as const

describe('connectionOf', () => {
  it.each<[string, Omit<Layers, 'isIn'> & { isIn?: boolean }, string]>([
    ['nobody signed in', { account: { is: 'signed-out' }, link: { is: 'closed' }, media: off }, 'signed-out'],
    ['a login under way', { account: { is: 'signing-in' }, link: { is: 'closed' }, media: off }, 'signing-in'],
    ['a server that forgot its sessions', { account: { is: 'returning' }, link: { is: 'closed' }, media: off }, 'reconnecting'],
    ['the first socket', { account: signedIn, link: { is: 'opening', attempt: 1 }, media: off }, 'joining'],
    ['a later socket', { account: signedIn, link: { is: 'opening', attempt: 2 }, media: up }, 'reconnecting'],
    [
      'a lost socket, even with a picture',
      { account: signedIn, link: { is: 'waiting', attempt: 1, retryAt: 5 }, media: up },
      'reconnecting',
    ],
    ['a socket that is not let in yet, even with a picture', { account: signedIn, link: open, media: up, isIn: false }, 'joining'],
    ['no media yet', { account: signedIn, link: open, media: { is: 'asked' } }, 'loading'],
    ['a path being found', { account: signedIn, link: open, media: { is: 'connecting' } }, 'loading'],
    ['all well', { account: signedIn, link: open, media: up }, 'live'],
    ['media lost', { account: signedIn, link: open, media: { is: 'waiting', attempt: 1, retryAt: 5, trouble: lost } }, 'reconnecting'],
    [
      'media lost, and the thin line there',
      { account: signedIn, link: open, media: { is: 'waiting', attempt: 1, retryAt: 5, trouble: lost }, isThin: true },
      'live',
    ],
    [
      'no WebRTC, and no thin line either',
      { account: signedIn, link: open, media: off, waiting: { attempt: 2, retryAt: 5 } },
      'reconnecting',
    ],
    ['no right to watch', { account: { is: 'signed-in', canWatch: false }, link: open, media: off }, 'blind'],
    ['a goodbye', { account: { is: 'dismissed', trouble: { code: 'replaced' } }, link: { is: 'closed' }, media: off }, 'dismissed'],
  ])('[WEB-80] %s', (_, layers, is) => {
    expect(connectionOf({ isIn: true, ...layers }).is).toBe(is)
  })

  it('[WEB-81] a lost socket is explained by what the server last said', () => {
    const farewell = { code: 'server-stopped' } as const
    const connection = connectionOf({
      account: signedIn,
      link: { is: 'waiting', attempt: 3, retryAt: 9 },
      media: off,
      isIn: false,
      farewell,
    })
    expect(connection).toEqual({ is: 'reconnecting', attempt: 3, retryAt: 9, trouble: farewell })
  })
})
