import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { until } from '@neko-edge/kit'
import { FakeClock } from '@neko-edge/testing'
import { describe, expect, it } from 'vitest'
import { Planes } from './planes.fixture.ts'

/** A client whose network has vanished: its socket is open, and nothing ever comes from it. */
async function silentSocket(url: string, path: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: ${hostname}:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==',
  ]
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  await once(socket, 'data')
  return socket
}

describe('a client that falls silent', () => {
  it('[WS-90] is taken for gone after three pings without an answer; who answers stays', async () => {
    const clock = new FakeClock()
    await using planes = await Planes.open({ count: 1, clock })
    const ann = await planes.enter('ann')
    const bob = await planes.login('bob')
    const socket = await silentSocket(planes.url(0), `/api/ws?token=${bob.token}`)
    const isBobHere = async () => {
      const sessions = (await (await ann.request('/api/sessions', { method: 'GET' })).json()) as {
        id: string
        state: { is_connected: boolean }
      }[]
      return sessions.find(({ id }) => id === bob.id)?.state.is_connected
    }
    await until(isBobHere, { ms: 5_000, what: 'bob is connected' })
    const pongs = () => ann.socket.history.filter(({ event }) => event === 'system/heartbeat').length
    for (let beat = 1; beat <= 4; beat++) {
      clock.advance(10_000)
      // The heartbeat was sent before the ping: a client that has it answers the ping next.
      await until(() => pongs() === beat, { ms: 5_000, what: `heartbeat ${beat}` })
    }
    clock.advance(5_000)
    await until(async () => (await isBobHere()) === false, { ms: 5_000, what: 'bob is gone' })
    const annHere = (await (await ann.request('/api/whoami', { method: 'GET' })).json()) as { state: { is_connected: boolean } }
    expect(annHere.state.is_connected).toBe(true)
    socket.destroy()
  })
})
