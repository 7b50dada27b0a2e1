import { describe, expect, it } from 'vitest'
import { isPrivateAddress } from './private-address.ts'

describe('private addresses', () => {
  it.each([
    ...['127.0.0.1', '127.255.0.1', '0.0.0.0', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254', '100.64.0.1'],
    ...[
      '::1',
      '::',
      'fe80::1',
      'fe80::1%eth0',
      'fc00::1',
      'fd12:3456::1',
      '::ffff:127.0.0.1',
      '::ffff:8.8.8.8',
      '64:ff9b::a00:1',
      '2002:7f00:1::',
    ],
    ...['224.0.0.1', 'ff02::1', '255.255.255.255', '', 'localhost', '0x7f000001'],
  ])('[FLEET-1662] are no targets of webhooks: %s', (address) => {
    expect(isPrivateAddress(address)).toBe(true)
  })

  it.each(['8.8.8.8', '1.1.1.1', '172.32.0.1', '172.15.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450::1'])(
    '[FLEET-1662] are not: %s',
    (address) => {
      expect(isPrivateAddress(address)).toBe(false)
    },
  )
})
