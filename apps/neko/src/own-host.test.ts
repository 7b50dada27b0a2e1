import { describe, expect, it } from 'vitest'
import { expectOwnHost, isOwnAddress } from './own-host.ts'

describe('whom a load test may meet', () => {
  it.each(['127.0.0.1', '127.9.9.9', '10.1.2.3', '172.31.0.1', '192.168.1.1', '::1', 'fd12::1', 'fe80::1%eth0', '::ffff:10.0.0.1'])(
    '[CLI-1350] this machine and private networks: %s',
    (address) => {
      expect(isOwnAddress(address)).toBe(true)
    },
  )

  it.each(['8.8.8.8', '172.32.0.1', '100.64.0.1', '0.0.0.0', '2606:4700::1111', '::ffff:8.8.8.8', 'localhost', ''])(
    '[CLI-1351] and nobody else: %s',
    (address) => {
      expect(isOwnAddress(address)).toBe(false)
    },
  )

  it('[CLI-1352] says where a foreign host is and what would allow it', async () => {
    await expect(expectOwnHost(new URL('http://[2606:4700::1111]:8080/'))).rejects.toThrow(/2606:4700::1111.*--i-own-this/)
    await expect(expectOwnHost(new URL('http://[::1]:8080/'))).resolves.toBeUndefined()
  })
})
