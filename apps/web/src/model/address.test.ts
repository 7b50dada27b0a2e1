import { describe, expect, it } from 'vitest'
import { readInvitation } from './address.ts'

describe('readInvitation', () => {
  it('[WEB-95] takes name, password and volume off the address and leaves the rest', () => {
    expect(readInvitation('https://example.org/room/a/?usr=Anna&pwd=s%26cret&volume=0.5&x=1#y')).toEqual({
      invitation: { name: 'Anna', password: 's&cret', volume: 0.5 },
      href: 'https://example.org/room/a/?x=1#y',
    })
  })

  it('[WEB-95] an address without them says nothing; a volume that is none is none', () => {
    expect(readInvitation('https://example.org/?volume=loud')).toEqual({
      invitation: { name: undefined, password: undefined, volume: undefined },
      href: 'https://example.org/',
    })
  })
})
