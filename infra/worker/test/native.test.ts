import { beforeAll, expect, test } from 'vitest'
import { nativeTests, runCase } from './native.ts'

/** The build of the program, where nobody has built it yet, on a busy machine. */
const buildMs = 180_000

let program: string
beforeAll(async () => {
  program = await nativeTests()
}, buildMs)

/* Each is a case of test/native, run under the address and undefined-behaviour sanitizers against the kernel of this machine. */

test.for([
  ['[INF-1110] send queue: a frame to one viewer is one batch, and arrives as the datagrams it was', 'segments-ipv4'],
  ['[INF-1111] send queue: the same over IPv6', 'segments-ipv6'],
  [
    '[INF-1112] send queue: a longer datagram begins a batch, a shorter one ends it, 16 are the most; what exceeds an Ethernet frame goes alone',
    'bounds',
  ],
  ['[INF-1113] send queue: several sockets and destinations, each in order', 'order'],
  ['[INF-1114] send queue: more than it holds leaves early, and whole', 'full'],
  ['[INF-1115] send queue: a datagram may be written in place', 'written-in-place'],
  ['[INF-1116] send queue: when the socket blocks in the middle of a flush, the rest waits, and nothing overtakes it', 'again'],
  ['[INF-1117] send queue: the same in the middle of a batch', 'again-singly'],
  ['[INF-1118] send queue: what waits for a socket is bounded; the newest is given up and counted', 'backlog-full'],
  ['[INF-1119] send queue: EIO: that socket goes on in single datagrams, another does not', 'refused-for-socket'],
  ['[INF-1120] send queue: EINVAL: that batch goes out in single datagrams, the next is tried again', 'refused-for-batch'],
  ['[INF-1121] send queue: a kernel without UDP_SEGMENT gets single datagrams', 'without-segmentation'],
  ['[INF-1122] send queue: a datagram that can not be sent is counted and holds up nothing', 'failing'],
  ['[INF-1123] send queue: what is stored leaves before its socket closes', 'closing'],
  ['[INF-1124] send queue: a socket may close while datagrams wait for it', 'closing-with-backlog'],
  ['[INF-1125] send queue: its end sends what is stored and leaves no handle in the loop', 'destroyed'],
  ['[INF-1126] send queue: who holds something back is asked again in time', 'holding'],
  ['[INF-1130] SRTP AEAD: the vectors of RFC 7714, with every library that is here', 'rfc7714-vectors'],
  [
    '[INF-1131] SRTP AEAD: byte for byte what libsrtp gives and refuses, for any order of sequence numbers, any header, several SSRCs',
    'same-as-libsrtp',
  ],
  ['[INF-1132] SRTP AEAD: the sequence number passes 65535 twenty times, also out of order', 'roll-over'],
  ['[INF-1133] SRTP AEAD: the receiver takes a repetition once; what is behind the window is not sent', 'replay'],
  ['[INF-1134] SRTP AEAD: both libraries and libsrtp by turns in one session, with RTCP by libsrtp', 'mixed'],
  ['[INF-1135] SRTP AEAD: what is no RTP packet is refused', 'malformed'],
] as const)('%s', async ([, name]) => {
  await runCase(program, name)
})

test('[INF-1136] on x86-64 both AES-GCM libraries are there, and one is chosen', async () => {
  const said = await runCase(program, 'providers')
  expect(said.match(/\(best\)/g)).toHaveLength(1)
  expect(said).toContain('openssl')
  expect(said.includes('ipsec-mb')).toBe(process.arch === 'x64')
})
