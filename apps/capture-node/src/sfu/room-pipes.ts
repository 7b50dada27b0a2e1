import type { PipeTransport } from 'mediasoup/types'
import type { Carrier } from './carrier.ts'
import { connectPipe, endOf, openPipeTransport, type PipePorts, sendInto } from './pipe.ts'
import type { PipeEnd, PipeOffer } from './sfu.ts'

interface Pipe {
  readonly carrier: Carrier
  readonly transport: PipeTransport
  readonly options: OutgoingPipe
}

export interface OutgoingPipe {
  /** One pipe a name: a new one takes the place of the old. */
  readonly name: string
  readonly to: PipeEnd
  /** It is no more, for whatever reason. */
  readonly onEnd: () => void
  /** The worker that sends has died. */
  readonly onLost: () => void
}

/** The sending end of a pipe: one copy of each stream of a carrier. */
export async function pipeOut(carrier: Carrier, to: PipeEnd, ports: PipePorts): Promise<{ transport: PipeTransport; offer: PipeOffer }> {
  const transport = await openPipeTransport(carrier.router, ports)
  try {
    await connectPipe(transport, to)
    return { transport, offer: { ...endOf(transport), streams: await sendInto(transport, [...carrier.videos, carrier.audio]) } }
  } catch (error) {
    transport.close()
    throw error
  }
}

/** What a room sends to other nodes. */
export class RoomPipes {
  readonly #ports: PipePorts
  readonly #pipes = new Map<string, Pipe>()

  constructor(ports: PipePorts) {
    this.#ports = ports
  }

  get size(): number {
    return this.#pipes.size
  }

  async open(carrier: Carrier, options: OutgoingPipe): Promise<PipeOffer> {
    const { transport, offer } = await pipeOut(carrier, options.to, this.#ports)
    this.close(options.name)
    this.#pipes.set(options.name, { carrier, transport, options })
    return offer
  }

  close(name: string): void {
    const pipe = this.#pipes.get(name)
    if (pipe) {
      this.#pipes.delete(name)
      pipe.transport.close()
      pipe.options.onEnd()
    }
  }

  /** A carrier is gone, and its pipes with it. */
  lose(carrier: Carrier): void {
    for (const [name, pipe] of this.#pipes) {
      if (pipe.carrier === carrier) {
        this.close(name)
        pipe.options.onLost()
      }
    }
  }

  /** What each has sent so far, in bytes. */
  stats(): Promise<{ name: string; bytesSent: number }[]> {
    const all = [...this.#pipes].map(async ([name, { transport }]) => {
      const [stats] = await transport.getStats().catch(() => [])
      return { name, bytesSent: stats?.bytesSent ?? 0 }
    })
    return Promise.all(all)
  }
}
