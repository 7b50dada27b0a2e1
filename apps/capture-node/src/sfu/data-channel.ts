import { Listeners } from '@neko-edge/kit'
import { decodeDcep, encodeAck, encodeOpen, ppid } from '@neko-edge/sdp'
import type { DataConsumer, DataProducer, WebRtcTransport } from 'mediasoup/types'
import { type Carrier, EVERYONE } from './carrier.ts'
import type { ChannelOpener } from './sfu.ts'

/** Name of the server's channel: clients of neko do not compare it, but show it. */
const LABEL = 'data'
/** A subchannel that nothing is ever sent on: what is not open yet hears nothing. */
const NOBODY = 0
const NOTHING = Buffer.alloc(0)

/** One SCTP stream: what we send on it, and what arrives. The worker gives stream ids from 0 up, so that the index of a stream is its id. */
interface Stream {
  readonly out: DataConsumer
  readonly incoming: DataProducer
  readonly tap: DataConsumer
}

export type ChannelEvent =
  | { readonly on: 'channel'; readonly opener: ChannelOpener; readonly label: string }
  | { readonly on: 'data'; readonly opener: ChannelOpener; readonly bytes: Uint8Array }

async function openStream(carrier: Carrier, transport: WebRtcTransport, streamId: number): Promise<Stream> {
  const [out, { incoming, tap }] = await Promise.all([
    transport.consumeData({ dataProducerId: carrier.broadcast.id, ordered: true, subchannels: [NOBODY] }),
    transport.produceData({ sctpStreamParameters: { streamId, ordered: true } }).then(async (produced) => ({
      incoming: produced,
      tap: await carrier.direct.consumeData({ dataProducerId: produced.id }),
    })),
  ])
  return { out, incoming, tap }
}

/** The bytes of a message; undefined for what no channel carries. */
function payload(message: Buffer, id: number): Uint8Array | undefined {
  switch (id) {
    case ppid.text:
    case ppid.binary:
      return message
    case ppid.emptyText:
    case ppid.emptyBinary:
      return NOTHING
    default:
      return undefined
  }
}

export interface ChannelsOptions {
  readonly carrier: Carrier
  readonly transport: WebRtcTransport
  /** Who opens the channel: the server for V3, the client for V2. */
  readonly opener: ChannelOpener
}

/**
 * The data channels of one peer, opened in band (RFC 8832). The DTLS client owns the even stream ids, the other side the odd ones, and everyone takes
 * the lowest: so the channel is on stream 0 or 1. For a client that opens, both are there before the transport connects, because an OPEN that
 * arrives on a stream that the worker does not know is lost for good; the server's own second one is made once the role says that it is needed.
 */
export class DataChannels {
  readonly onEvent = new Listeners<ChannelEvent>()
  readonly number: number
  readonly #carrier: Carrier
  readonly #opener: ChannelOpener
  readonly #transport: WebRtcTransport
  readonly #streams: Stream[] = []
  #current: Stream | undefined
  #ownId: number | undefined
  #bytesIn = 0
  #bytesOut = 0

  private constructor(options: ChannelsOptions, streams: readonly Stream[]) {
    this.#carrier = options.carrier
    this.#opener = options.opener
    this.#transport = options.transport
    this.number = options.carrier.takeNumber()
    for (const stream of streams) {
      this.#add(stream)
    }
    options.transport.on('sctpstatechange', (state) => {
      if (state === 'connected') {
        this.#openOwn()
      }
    })
  }

  static async open(options: ChannelsOptions): Promise<DataChannels> {
    const needed = options.opener === 'server' ? [0] : [0, 1]
    return new DataChannels(options, await Promise.all(needed.map((id) => openStream(options.carrier, options.transport, id))))
  }

  /** Tells the role that DTLS will have, before the transport connects: from then on the server's own channel has its id. */
  async settle(isDtlsClient: boolean): Promise<void> {
    const id = isDtlsClient ? 0 : 1
    if (this.#streams[id] === undefined) {
      this.#add(await openStream(this.#carrier, this.#transport, id))
    }
    this.#ownId = id
  }

  get bytesSent(): number {
    return this.#bytesOut
  }

  get bytesReceived(): number {
    return this.#bytesIn
  }

  get isOpen(): boolean {
    return this.#current !== undefined
  }

  /** A message to this peer; dropped while no channel is open. */
  send(message: Uint8Array): void {
    if (this.#current !== undefined) {
      this.#bytesOut += message.length
      this.#sendOn(this.#current, Buffer.from(message), message.length === 0 ? ppid.emptyBinary : ppid.binary)
    }
  }

  close(): void {
    this.#current = undefined
    this.#carrier.freeNumber(this.number)
    for (const { tap } of this.#streams) {
      tap.close()
    }
  }

  #add(stream: Stream): void {
    const id = this.#streams.push(stream) - 1
    stream.tap.on('message', (message, protocolId) => this.#receive(id, message, protocolId))
  }

  #openOwn(): void {
    const stream = this.#ownId === undefined ? undefined : this.#streams[this.#ownId]
    if (this.#opener === 'server' && stream !== undefined && this.#current === undefined) {
      this.#sendOn(stream, Buffer.from(encodeOpen(LABEL)), ppid.dcep)
      this.#begin(stream, LABEL)
    }
  }

  #receive(id: number, message: Buffer, protocolId: number): void {
    const stream = this.#streams[id]
    // The server's channel has one stream. A client may open its own on either: werift, as DTLS client, takes an odd one.
    if (stream === undefined || (this.#opener === 'server' && id !== this.#ownId)) {
      return
    }
    if (protocolId === ppid.dcep) {
      const dcep = decodeDcep(message)
      if (dcep?.type === 'open' && this.#opener === 'client') {
        this.#sendOn(stream, Buffer.from(encodeAck()), ppid.dcep)
        this.#begin(stream, dcep.label)
      }
      return
    }
    const bytes = payload(message, protocolId)
    if (bytes !== undefined) {
      this.#bytesIn += bytes.length
      this.onEvent.emit({ on: 'data', opener: this.#opener, bytes })
    }
  }

  /** The stream carries an open channel now. Whoever hears of it sends first; the broadcasts follow, because the worker takes requests in order. */
  #begin(stream: Stream, label: string): void {
    const previous = this.#current
    this.#current = stream
    this.onEvent.emit({ on: 'channel', opener: this.#opener, label })
    if (previous !== stream) {
      previous?.out.setSubchannels([NOBODY]).catch(ignore)
      stream.out.setSubchannels([EVERYONE, this.number]).catch(ignore)
    }
  }

  #sendOn(stream: Stream, message: Buffer, protocolId: number): void {
    // It rejects when the client has closed the channel (the worker says nothing else), when its buffer is full, or when the peer is gone:
    // in each case the message is lost, which is all that there is to it.
    stream.out.send(message, protocolId).catch(ignore)
  }
}

function ignore(): void {}
