import { describe, expect, it } from 'vitest'
import { pathReport } from './path-report.ts'

const mine = [
  'candidate:1 1 udp 2113937151 6d1a.local 54400 typ host generation 0',
  'candidate:2 1 UDP 1677729535 203.0.113.9 54401 typ srflx raddr 0.0.0.0 rport 0',
  'candidate:3 1 tcp 1518280447 6d1a.local 9 typ host tcptype active',
]

describe('pathReport', () => {
  it('[WEB-1453] names what was tried, without the addresses of the reader', () => {
    const report = pathReport(mine, [
      'a=candidate:u 1 udp 1076302079 198.51.100.7 59000 typ host',
      'candidate:t 1 tcp 1 198.51.100.7 59000 typ host',
    ])
    expect(report).toBe(
      'Tried from here: udp host, udp srflx, tcp host; to the server: udp 198.51.100.7:59000, tcp 198.51.100.7:59000. There is no TURN server: NEKO_WEBRTC_ICESERVERS_FRONTEND names one.',
    )
    expect(report).not.toContain('203.0.113.9')
  })

  it('[WEB-1454] names the option that would help', () => {
    const relay = 'candidate:4 1 udp 1 192.0.2.1 3478 typ relay raddr 0.0.0.0 rport 0'
    expect(pathReport([relay], ['candidate:u 1 udp 1 172.17.0.2 59000 typ host'])).toMatch(/NAT1TO1.*TCPMUX/)
    expect(pathReport([relay], ['candidate:u 1 tcp 1 8.8.8.8 59000 typ host'])).toBe(
      'Tried from here: udp relay; to the server: tcp 8.8.8.8:59000.',
    )
  })

  it('[WEB-1455] what is no candidate is none', () => {
    expect(pathReport(['', 'candidate:'], ['x'])).toContain('Tried from here: none; to the server: none.')
  })
})
