import { describe, expect, it } from 'vitest'
import { readInvitation } from './address.ts'

describe('readInvitation', () => {
  it('[FLEET-1646] takes a join link off the fragment or the query, and leaves other fragments', () => {
    const token = 'eyJhbGciOiJIUzI1NiJ9.eyJ4IjoxfQ.A-b_c'
    expect(readInvitation(`https://x.example/room/one/#link=${token}`)).toMatchObject({
      invitation: { link: token },
      href: 'https://x.example/room/one/',
    })
    expect(readInvitation(`https://x.example/?link=${token}&a=1`)).toMatchObject({
      invitation: { link: token },
      href: 'https://x.example/?a=1',
    })
    expect(readInvitation('https://x.example/#top')).toMatchObject({ invitation: { link: undefined }, href: 'https://x.example/#top' })
  })

  it('[WEB-95] takes name, password and volume off the address and leaves the rest', () => {
    const { invitation, href } = readInvitation('https://example.org/room/a/?usr=Anna&pwd=s%26cret&volume=0.5&x=1#y')
    expect(invitation).toMatchObject({ name: 'Anna', password: 's&cret', volume: 0.5, look: 'page' })
    expect(href).toBe('https://example.org/room/a/?x=1#y')
  })

  it('[WEB-95] an address without them says nothing; a volume that is none is none', () => {
    const { invitation, href } = readInvitation('https://example.org/?volume=loud&scroll=0')
    expect(Object.values(invitation).filter((value) => value !== undefined)).toEqual(['page'])
    expect(href).toBe('https://example.org/')
  })

  it("[WEB-144] knows the other parameters of V2's page, and takes them off too", () => {
    const { invitation, href } = readInvitation('https://a.example/?cast=1&embed=1&scroll=20&lang=de&show_side=0&mute_chat=1')
    expect(invitation).toMatchObject({ look: 'cast', scrollSpeed: 2, language: 'de', showsSide: false, mutesChat: true })
    expect(href).toBe('https://a.example/')
    expect(readInvitation('https://a.example/?embed=1&cast=0').invitation.look).toBe('embed')
  })
})
