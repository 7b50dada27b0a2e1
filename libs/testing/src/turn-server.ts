import { createHash } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { classes, Message, methods, parseMessage } from 'werift'

type Address = readonly [host: string, port: number]
const nameOf = ([host, port]: Address) => `${host}:${port}`

/** What one client has here: a socket under whose address others reach it, and short names for those. */
interface Allocation {
  readonly relay: Socket
  readonly channels: Map<number, Address>
  readonly numbers: Map<string, number>
}

const realm = 'test'
const lifetimeSeconds = 600

/**
 * A TURN server on loopback: what a browser uses of RFC 8656 over UDP, with long-term credentials. It relays for whoever knows them, and
 * counts what it relays.
 */
export class TurnServer implements AsyncDisposable {
  readonly username = 'somebody'
  readonly credential = 'a secret'
  /** Packets that went through it, both ways. */
  relayed = 0
  /** Requests that were refused: each client's first is, by design, for it names nobody. */
  refused = 0
  readonly #socket: Socket
  readonly #key: Buffer
  readonly #allocations = new Map<string, Allocation>()

  private constructor(socket: Socket) {
    this.#socket = socket
    this.#key = createHash('md5').update(`${this.username}:${realm}:${this.credential}`).digest()
    socket.on('message', (data, { address, port }) => void this.#take(data, [address, port]))
  }

  static async open(): Promise<TurnServer> {
    return new TurnServer(await udpSocket())
  }

  /** As `iceServers` has it. */
  get url(): string {
    return `turn:127.0.0.1:${this.#socket.address().port}?transport=udp`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of [this.#socket, ...[...this.#allocations.values()].map(({ relay }) => relay)]) {
      socket.close()
      await once(socket, 'close')
    }
  }

  async #take(data: Buffer, client: Address): Promise<void> {
    const isChannelData = ((data[0] ?? 0) & 0xc0) === 0x40
    if (isChannelData) {
      const allocation = this.#allocations.get(nameOf(client))
      const peer = allocation?.channels.get(data.readUInt16BE(0))
      if (allocation && peer) {
        this.#send(allocation.relay, data.subarray(4, 4 + data.readUInt16BE(2)), peer)
      }
      return
    }
    const message = parseMessage(data)
    if (message?.messageClass === classes.INDICATION && message.messageMethod === methods.SEND) {
      const allocation = this.#allocations.get(nameOf(client))
      if (allocation) {
        this.#send(allocation.relay, message.getAttributeValue('DATA'), message.getAttributeValue('XOR-PEER-ADDRESS'))
      }
    } else if (message?.messageClass === classes.REQUEST) {
      // With a key it only reads what was signed with that.
      const isKnown = message.messageMethod === methods.BINDING || parseMessage(data, this.#key) !== undefined
      const answer = isKnown ? await this.#answer(message, client) : this.#refuse(message)
      this.#socket.send(answer.bytes, client[1], client[0])
    }
  }

  #refuse(request: Message): Message {
    this.refused += 1
    return new Message(request.messageMethod, classes.ERROR, request.transactionId)
      .setAttribute('ERROR-CODE', [401, 'Unauthorized'])
      .setAttribute('REALM', realm)
      .setAttribute('NONCE', Buffer.from('nonce'))
  }

  async #answer(request: Message, client: Address): Promise<Message> {
    const answer = new Message(request.messageMethod, classes.RESPONSE, request.transactionId)
    const allocation = this.#allocations.get(nameOf(client))
    switch (request.messageMethod) {
      case methods.BINDING:
        return answer.setAttribute('XOR-MAPPED-ADDRESS', client)
      case methods.ALLOCATE: {
        const { port } = (allocation ?? (await this.#allocate(client))).relay.address()
        answer.setAttribute('XOR-RELAYED-ADDRESS', ['127.0.0.1', port]).setAttribute('XOR-MAPPED-ADDRESS', client)
        break
      }
      case methods.CHANNEL_BIND: {
        const peer: Address = request.getAttributeValue('XOR-PEER-ADDRESS')
        const number: number = request.getAttributeValue('CHANNEL-NUMBER')
        allocation?.channels.set(number, peer)
        allocation?.numbers.set(nameOf(peer), number)
        break
      }
      default:
        break
    }
    return answer.setAttribute('LIFETIME', lifetimeSeconds).addMessageIntegrity(this.#key)
  }

  async #allocate(client: Address): Promise<Allocation> {
    const allocation: Allocation = { relay: await udpSocket(), channels: new Map(), numbers: new Map() }
    this.#allocations.set(nameOf(client), allocation)
    allocation.relay.on('message', (data, { address, port }) => {
      const number = allocation.numbers.get(nameOf([address, port]))
      this.#send(this.#socket, number === undefined ? indication(data, [address, port]) : channelData(number, data), client)
    })
    return allocation
  }

  #send(from: Socket, data: Buffer, [host, port]: Address): void {
    this.relayed += 1
    from.send(data, port, host)
  }
}

const indication = (data: Buffer, peer: Address) =>
  new Message(methods.DATA, classes.INDICATION).setAttribute('XOR-PEER-ADDRESS', peer).setAttribute('DATA', data).bytes

function channelData(number: number, data: Buffer): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt16BE(number, 0)
  head.writeUInt16BE(data.length, 2)
  return Buffer.concat([head, data])
}

async function udpSocket(): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket
}
