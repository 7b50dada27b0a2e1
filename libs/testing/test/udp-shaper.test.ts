import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { until } from '@neko-edge/kit'
import { describe, expect, it } from 'vitest'
import { UdpShaper } from '../src/udp-shaper.ts'

async function udpSocket(): Promise<Socket & AsyncDisposable> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return Object.assign(socket, {
    [Symbol.asyncDispose]: async () => {
      socket.close()
    },
  })
}

describe('a thin link', () => {
  it('[TST-50] passes what its rate allows, in order, and drops what its queue does not hold', async () => {
    await using server = await udpSocket()
    await using viewer = await udpSocket()
    await using shaper = await UdpShaper.open({ host: '127.0.0.1', port: server.address().port }, { rate: 400_000, queueMs: 100 })
    viewer.send('hello', shaper.port, '127.0.0.1')
    const [, from] = (await once(server, 'message')) as [Buffer, { port: number; address: string }]
    const got: number[] = []
    viewer.on('message', (packet: Buffer) => got.push(packet.readUInt32BE(0)))
    const startedAt = performance.now()
    for (let index = 0; index < 60; index++) {
      const packet = Buffer.alloc(500)
      packet.writeUInt32BE(index)
      server.send(packet, from.port, from.address)
    }
    await until(() => shaper.counts.sent === 60 && got.length === 60 - shaper.counts.dropped, { ms: 3_000, what: 'what was not dropped' })
    // 10 ms a packet: eleven or so fit into a queue of 100 ms; the rest came at once and found it full.
    expect(got.length).toBeGreaterThanOrEqual(8)
    expect(got.length).toBeLessThan(30)
    expect(performance.now() - startedAt).toBeGreaterThan(70)
    expect(got).toEqual(got.toSorted((a, b) => a - b))
  })

  it('[TST-51] is put into the viewer’s way by another port in the server’s candidates', async () => {
    await using shaper = await UdpShaper.open({ host: '127.0.0.1', port: 7001 }, { rate: 1_000_000 })
    const sdp = 'a=candidate:udp 1 udp 1076302079 127.0.0.1 7001 typ host\r\nm=audio 7001 UDP/TLS/RTP/SAVPF 111\r\n'
    expect(shaper.rewrite(sdp)).toBe(sdp.replace('127.0.0.1 7001', `127.0.0.1 ${shaper.port}`))
  })
})
