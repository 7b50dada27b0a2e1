import { type Log, messageOf } from '@neko-edge/kit'
import { RefusedPackets } from '@neko-edge/protocol'
import type { Room } from '@neko-edge/store'
import type { RelayBus } from './relay-bus.ts'

/** What a room's metrics say of one of its relays; the bytes are those that leave this node. */
export interface RelayNumbers {
  readonly relay: string
  readonly viewers: number
  readonly bytesSent: number
  /** Packets of strangers that its workers refused; absent where it does not say. */
  readonly refused: number | undefined
}

const answerMs = 1_000

/** What a relay says of the packets of strangers that it refused. */
export async function refusedBy(
  { relayBus, room, log }: { readonly relayBus: RelayBus; readonly room: Room; readonly log: Log },
  node: string,
): Promise<number | undefined> {
  try {
    return RefusedPackets.parse(await relayBus.call(node, 'relay.refused', { args: { room: room.id }, ms: answerMs })) ?? undefined
  } catch (error) {
    log.debug({ relay: node, error: messageOf(error) }, 'relay gives no numbers')
    return undefined
  }
}
