import { FakeClock } from '@neko-edge/testing'
import { describe, expect, it } from 'vitest'
import { Link, type SocketLike } from './link.ts'

interface Socket extends SocketLike {
  readonly sent: string[]
  closedWith: number | undefined | 'open'
}

function setUp() {
  const clock = new FakeClock()
  const sockets: Socket[] = []
  const link = new Link({
    clock,
    random: () => 0,
    url: () => `ws://room/${sockets.length}`,
    openSocket: () => {
      const socket: Socket = {
        binaryType: 'blob',
        onopen: null,
        onmessage: null,
        onclose: null,
        sent: [],
        closedWith: 'open',
        send(data) {
          this.sent.push(String(data))
        },
        close(code) {
          this.closedWith = code
        },
      }
      sockets.push(socket)
      return socket
    },
  })
  // The link calls these with the browser's `this` and event, of which it reads only `data`.
  const newest = () => sockets.at(-1) as Socket
  const opens = () => newest().onopen?.call(newest() as unknown as WebSocket, new Event('open'))
  const falls = () => newest().onclose?.call(newest() as unknown as WebSocket, new Event('close') as CloseEvent)
  const says = (data: unknown) => newest().onmessage?.call(newest() as unknown as WebSocket, { data } as MessageEvent)
  return { clock, link, sockets, newest, opens, falls, says }
}

describe('Link', () => {
  it('[WEB-40] opens, speaks and hears; what is no message is ignored', () => {
    const { link, newest, opens, says } = setUp()
    const heard: unknown[] = []
    link.onMessage((message) => heard.push(message))
    link.open()
    expect(link.send('control/request')).toBe(false)
    opens()
    expect(link.state.value).toEqual({ is: 'open' })
    expect(link.send('control/move', { x: 1, y: 2 })).toBe(true)
    expect(link.send('control/release')).toBe(true)
    expect(newest().sent).toEqual(['{"event":"control/move","payload":{"x":1,"y":2}}', '{"event":"control/release"}'])
    for (const frame of ['nonsense', '[]', 'null', '{"event":5}', new ArrayBuffer(3)]) {
      says(frame)
    }
    says('{"event":"system/heartbeat"}\n')
    expect(heard).toEqual([{ event: 'system/heartbeat' }])
  })

  it('[WEB-41] silence for 12.5 s is a dead connection; every message puts it off', () => {
    const { clock, link, sockets, opens, says } = setUp()
    link.open()
    opens()
    clock.advance(12_000)
    says('{"event":"system/heartbeat"}')
    clock.advance(12_000)
    expect(link.state.value.is).toBe('open')
    clock.advance(600)
    expect(link.state.value.is).toBe('waiting')
    expect(sockets[0]?.closedWith).toBeUndefined()
  })

  it('[WEB-42] comes back with back-off: 250 ms, doubling to 5 s, and from the start after ten good seconds', () => {
    const { clock, link, sockets, opens, falls, says } = setUp()
    link.open()
    const delays: number[] = []
    for (let failure = 0; failure < 7; failure++) {
      falls()
      const state = link.state.value
      delays.push(state.is === 'waiting' ? state.retryAt - clock.now() : -1)
      clock.advance(10_000 > (delays.at(-1) ?? 0) ? (delays.at(-1) ?? 0) : 0)
      expect(link.state.value).toEqual({ is: 'opening', attempt: failure + 2 })
    }
    expect(delays).toEqual([250, 500, 1_000, 2_000, 4_000, 5_000, 5_000])
    expect(sockets).toHaveLength(8)
    opens()
    clock.advance(10_000)
    says('{"event":"system/heartbeat"}')
    falls()
    expect(link.state.value).toMatchObject({ is: 'waiting', attempt: 1, retryAt: clock.now() + 250 })
  })

  it('[WEB-43] a socket that does not open within 5 s is given up', () => {
    const { clock, link } = setUp()
    link.open()
    clock.advance(5_000)
    expect(link.state.value.is).toBe('waiting')
  })

  it('[WEB-44] a person who does not want to wait tries at once', () => {
    const { link, sockets, falls } = setUp()
    link.open()
    falls()
    link.open()
    expect(link.state.value.is).toBe('opening')
    link.open()
    expect(sockets).toHaveLength(2)
  })

  it('[WEB-45] close says so to the server, ends every timer, and nothing of the old socket is heard any more', () => {
    const { clock, link, newest, opens } = setUp()
    link.open()
    opens()
    link.close()
    expect(newest().closedWith).toBe(1000)
    expect([newest().onopen, newest().onmessage, newest().onclose]).toEqual([null, null, null])
    expect(clock.pending).toBe(0)
    expect(link.state.value).toEqual({ is: 'closed' })
  })
})
