import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { until } from '@neko-edge/kit'
import * as mediasoup from 'mediasoup'
import type { PlainTransport, Producer, Router, Worker } from 'mediasoup/types'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ProtectionProfileAeadAes128Gcm, ProtectionProfileAes128CmHmacSha1_80, SrtpSession } from 'werift'
import { workerCounters } from '../../src/sfu/worker-counters.ts'
import { patienceMs, workerBin } from './room.ts'

/*
 * What the edits of infra/worker change in the path of a packet, seen from outside: plain RTP in by a DirectTransport, plain RTP out to
 * UDP sockets. A stock worker passes the same tests, but for those that read the counters, which it has not.
 */

const video = { kind: 'video', mimeType: 'video/VP8', clockRate: 90_000, preferredPayloadType: 96 } as const
const audio = { kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2, preferredPayloadType: 111 } as const

let worker: Worker
beforeAll(async () => {
  worker = await mediasoup.createWorker({ workerBin, logLevel: 'warn' })
})
afterAll(() => {
  worker.close()
})

const openRouter = () => worker.createRouter({ mediaCodecs: [video, audio] })

/** A source of RTP packets. `payload` lets a test recognise them. */
async function source(router: Router, { kind, ssrc = 1000 }: { kind: 'video' | 'audio'; ssrc?: number }) {
  const { mimeType, clockRate, preferredPayloadType: payloadType } = kind === 'video' ? video : audio
  const transport = await router.createDirectTransport()
  const rtcpFeedback = kind === 'video' ? [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }] : []
  const codec = { mimeType, clockRate, payloadType, rtcpFeedback, ...(kind === 'audio' && { channels: 2 }) }
  const producer: Producer = await transport.produce({ kind, rtpParameters: { codecs: [codec], encodings: [{ ssrc }] } })
  let sequence = 65_000
  let timestamp = 0
  return {
    producer,
    transport,
    /** One packet; `isLast`: of its frame. */
    send(text: string, isLast: boolean, size = 1000): void {
      const header = Buffer.alloc(12)
      sequence = (sequence + 1) % 65_536
      header.writeUInt8(0x80, 0)
      header.writeUInt8(payloadType | (isLast && kind === 'video' ? 0x80 : 0), 1)
      header.writeUInt16BE(sequence, 2)
      header.writeUInt32BE(timestamp, 4)
      header.writeUInt32BE(ssrc, 8)
      // A VP8 descriptor that starts a partition of a key frame.
      const payload = Buffer.concat([Buffer.from([0x10, 0, 0, 0, 0x9d, 1, 0x2a, 64, 0, 64, 0]), Buffer.from(`${text}|`)])
      producer.send(Buffer.concat([header, payload, Buffer.alloc(Math.max(0, size - payload.length))]))
      if (isLast) {
        timestamp += 3000
      }
    },
  }
}

const textOf = (packet: Buffer): string => {
  const start = packet.indexOf('text:')
  return packet.toString('latin1', start, packet.indexOf('|', start))
}

const suites = {
  AEAD_AES_128_GCM: { profile: ProtectionProfileAeadAes128Gcm, saltLength: 12 },
  AES_CM_128_HMAC_SHA1_80: { profile: ProtectionProfileAes128CmHmacSha1_80, saltLength: 14 },
} as const
const keyLength = 16
type Suite = keyof typeof suites

/** A socket on loopback, whose buffer holds what a test sends at once. */
async function openSocket() {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  socket.setRecvBufferSize(4 << 20)
  return socket
}

/** A viewer: a UDP socket that a plain transport sends to, and the packets that it got, in the clear. */
async function viewer(router: Router, producer: Producer, { suite, socket: given }: { suite?: Suite; socket?: Socket } = {}) {
  const socket = given ?? (await openSocket())
  const packets: Buffer[] = []
  let decrypt = (packet: Buffer): Buffer => packet
  socket.on('message', (packet) => {
    // RTCP on the same port (RFC 5761): payload types 64 to 95. And the estimator's probes carry no text.
    const type = (packet[1] ?? 0) & 0x7f
    const plain = type < 64 || type > 95 ? decrypt(packet) : packet
    if (plain.includes('text:')) {
      packets.push(plain)
    }
  })
  const transport: PlainTransport = await router.createPlainTransport({
    listenInfo: { protocol: 'udp', ip: '127.0.0.1' },
    ...(suite && { enableSrtp: true, srtpCryptoSuite: suite }),
  })
  const local = transport.srtpParameters
  if (suite && local) {
    const { profile, saltLength } = suites[suite]
    const secret = Buffer.from(local.keyBase64, 'base64')
    const [key, salt] = [secret.subarray(0, keyLength), secret.subarray(keyLength)]
    const session = new SrtpSession({
      keys: { localMasterKey: key, localMasterSalt: salt, remoteMasterKey: key, remoteMasterSalt: salt },
      profile,
    })
    decrypt = session.decrypt
    const keyBase64 = randomBytes(keyLength + saltLength).toString('base64')
    await transport.connect({ ip: '127.0.0.1', port: socket.address().port, srtpParameters: { cryptoSuite: suite, keyBase64 } })
  } else {
    await transport.connect({ ip: '127.0.0.1', port: socket.address().port })
  }
  const consumer = await transport.consume({ producerId: producer.id, rtpCapabilities: router.rtpCapabilities })
  return {
    packets,
    transport,
    consumer,
    texts: () => packets.map(textOf),
    has: (count: number) => until(() => packets.length >= count, { ms: patienceMs, what: `${count} packets` }),
    /** Reports the loss of sequence numbers (generic NACK, RFC 4585 §6.2.1). */
    nack(...sequences: readonly number[]): void {
      for (const one of sequences) {
        const report = Buffer.alloc(16)
        report.writeUInt32BE(0x81cd_0003, 0)
        report.writeUInt32BE(consumer.rtpParameters.encodings?.[0]?.ssrc ?? 0, 8)
        report.writeUInt16BE(one, 12)
        socket.send(report, transport.tuple.localPort, '127.0.0.1')
      }
    },
    async [Symbol.asyncDispose]() {
      if (given) {
        return
      }
      socket.close()
      await once(socket, 'close')
    },
  }
}

const frameOf = (from: Awaited<ReturnType<typeof source>>, packets: number, name: string): string[] => {
  const texts = Array.from({ length: packets }, (_, index) => `text:${name}.${index}`)
  for (const [index, text] of texts.entries()) {
    from.send(text, index === packets - 1, index === packets - 1 ? 300 : 1000)
  }
  return texts
}

test('[SFU-1100] frames of any length reach every viewer whole and in order, as batches', async () => {
  const router = await openRouter()
  const from = await source(router, { kind: 'video' })
  const viewers = await Promise.all(Array.from({ length: 5 }, () => viewer(router, from.producer)))
  const before = await workerCounters(worker.pid)
  const sent: string[] = []
  // The sequence number passes 65535 on the way.
  for (let frame = 0; frame < 200; frame++) {
    sent.push(...frameOf(from, frame % 40 === 0 ? 50 : 1 + (frame % 10), `${frame}`))
    if (frame % 10 === 9) {
      await Promise.all(viewers.map((one) => one.has(sent.length)))
    }
  }
  for (const one of viewers) {
    expect(one.texts()).toEqual(sent)
    await one[Symbol.asyncDispose]()
  }
  const after = await workerCounters(worker.pid)
  if (before && after) {
    expect(after.datagrams - before.datagrams).toBeGreaterThanOrEqual(5 * sent.length)
    expect((after.datagrams - before.datagrams) / (after.batches - before.batches)).toBeGreaterThan(2)
    expect([after.dropped, after.failed]).toEqual([before.dropped, before.failed])
  }
  router.close()
})

test('[SFU-1101] a frame whose end does not come goes out all the same, and sound does not wait for it', async () => {
  const router = await openRouter()
  await using socket = Object.assign(await openSocket(), { [Symbol.asyncDispose]: async () => undefined })
  const [picture, sound] = [await source(router, { kind: 'video' }), await source(router, { kind: 'audio', ssrc: 2000 })]
  const seen = await viewer(router, picture.producer, { socket })
  await viewer(router, sound.producer, { socket })
  const rounds = 20
  for (let round = 0; round < rounds; round++) {
    picture.send(`text:picture${round}`, false)
    sound.send(`text:sound${round}`, true, 100)
    await seen.has(2 * (round + 1))
  }
  const texts = seen.texts()
  expect([...texts].sort()).toEqual(
    Array.from({ length: rounds }, (_, round) => [`text:picture${round}`, `text:sound${round}`])
      .flat()
      .sort(),
  )
  // Nearly always; the picture is held for 3 ms only, and this process may be kept from its processor for as long.
  if (await workerCounters(worker.pid)) {
    const first = Array.from({ length: rounds }, (_, round) => texts.indexOf(`text:sound${round}`) < texts.indexOf(`text:picture${round}`))
    expect(first.filter(Boolean).length).toBeGreaterThan(rounds / 2)
  }
  socket.close()
  router.close()
})

test('[SFU-1102] producer, consumer, transport or router may go away with packets on the way; others go on', async () => {
  const survivor = await openRouter()
  const steady = await source(survivor, { kind: 'video' })
  await using watcher = await viewer(survivor, steady.producer)
  const sent: string[] = []
  for (const ending of ['producer', 'consumer', 'source transport', 'viewer transport', 'router'] as const) {
    const router = await openRouter()
    const from = await source(router, { kind: 'video' })
    await using first = await viewer(router, from.producer)
    await using second = await viewer(router, from.producer)
    frameOf(from, 3, 'before')
    await Promise.all([first.has(3), second.has(3)])
    // Half a frame and the end of it all, written at once.
    from.send('text:half', false)
    sent.push(...frameOf(steady, 4, ending))
    const end = {
      producer: () => from.producer.close(),
      consumer: () => first.consumer.close(),
      'source transport': () => from.transport.close(),
      'viewer transport': () => first.transport.close(),
      router: () => router.close(),
    }[ending]
    end()
    sent.push(...frameOf(steady, 4, `after ${ending}`))
    await watcher.has(sent.length)
    expect(second.texts().slice(0, 3)).toEqual(first.texts().slice(0, 3))
    router.close()
  }
  expect(watcher.texts()).toEqual(sent)
  expect(worker.closed || worker.died).toBe(false)
})

test('[SFU-1103] what is lost and asked for comes again', async () => {
  const router = await openRouter()
  const from = await source(router, { kind: 'video' })
  await using seen = await viewer(router, from.producer)
  const sent: string[] = []
  for (let frame = 0; frame < 50; frame++) {
    sent.push(...frameOf(from, 5, `${frame}`))
  }
  await seen.has(sent.length)
  // As a viewer with 2 % loss would: it throws away every fiftieth, and asks.
  const lost = seen.packets.filter((_, index) => index % 50 === 7)
  seen.nack(...lost.map((packet) => packet.readUInt16BE(2)))
  await seen.has(sent.length + lost.length)
  expect(seen.texts().slice(sent.length).sort()).toEqual(lost.map(textOf).sort())
  router.close()
})

test.for(Object.keys(suites) as Suite[])(
  '[SFU-1104] a peer with %s decrypts everything, also past sequence number 65535',
  async (suite) => {
    const router = await openRouter()
    const from = await source(router, { kind: 'video' })
    await using seen = await viewer(router, from.producer, { suite })
    const sent: string[] = []
    for (let frame = 0; frame < 120; frame++) {
      sent.push(...frameOf(from, 1 + (frame % 12), `${frame}`))
    }
    await seen.has(sent.length)
    expect(seen.texts()).toEqual(sent)
    router.close()
  },
)

test('[SFU-1105] a worker that has no counters, or is gone, is no error', async () => {
  expect(await workerCounters(process.pid)).toBeUndefined()
  expect(await workerCounters(2 ** 22 + 1)).toBeUndefined()
  const counters = await workerCounters(worker.pid)
  if (counters) {
    expect(counters.datagrams).toBeGreaterThan(0)
    expect(counters.batchesBySegments.reduce((sum, one) => sum + one, 0)).toBe(counters.batches)
    expect(counters.bytes).toBeGreaterThan(counters.datagrams)
  }
})
