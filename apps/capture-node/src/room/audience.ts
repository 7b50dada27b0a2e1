import type { Relays } from '../relay/relays.ts'
import { type PeerCall, type PeerCalls, peerCalls } from './peer-calls.ts'
import type { Viewers } from './viewers.ts'

export interface AudienceOptions {
  readonly viewers: Viewers
  readonly relays: Pick<Relays, 'open' | 'call' | 'has' | 'forget'>
  /** Whether this node has no place for one more viewer. */
  readonly isOutgrown: () => boolean
}

/** What control planes ask about a room's viewers, of whom some are here and others behind relays: who comes when this node is full is sent there. */
export function audienceCalls({ viewers, relays, isOutgrown }: AudienceOptions): PeerCalls {
  const here = peerCalls(viewers)
  function passed<C extends PeerCall>(name: C): PeerCalls[C] {
    // A relay answers with what its own viewers give to the same call; the name ties arguments and reply together, which the compiler does not see.
    const own = here[name] as (args: { session: string }) => unknown
    const call = (args: { session: string }) => (relays.has(args.session) ? relays.call(args.session, name, args) : own(args))
    return call as PeerCalls[C]
  }
  return {
    'peer.open': async (args) => {
      const opened = viewers.peerOf(args.session) === undefined && isOutgrown() ? await relays.open(args) : undefined
      if (opened) {
        return opened
      }
      const own = await viewers.open(args)
      relays.forget(args.session)
      return own
    },
    'peer.answer': passed('peer.answer'),
    'peer.offer': passed('peer.offer'),
    'peer.restart': passed('peer.restart'),
    'peer.candidate': passed('peer.candidate'),
    'peer.video': passed('peer.video'),
    'peer.audio': passed('peer.audio'),
    'peer.close': passed('peer.close'),
  }
}
