import { NekoError } from '@neko-edge/kit'
import { type NodeArgs, type NodeCall, type NodeReplies, nodeCalls } from '@neko-edge/protocol'
import { z } from 'zod'
import type { Viewers } from './viewers.ts'

export type PeerCall = Extract<NodeCall, `peer.${string}`>
export type PeerCalls = { readonly [C in PeerCall]: (args: NodeArgs<C>) => NodeReplies[C] | Promise<NodeReplies[C]> }

/** What a control plane asks about viewers, answered by those who are here. */
export function peerCalls(viewers: Viewers): PeerCalls & { byName(name: string, args: unknown): unknown } {
  const calls: PeerCalls = {
    'peer.open': (args) => viewers.open(args),
    'peer.answer': async ({ sdp, ...which }) => {
      await viewers.find(which).answer(sdp)
      return null
    },
    'peer.offer': ({ sdp, ...which }) => viewers.find(which).acceptOffer(sdp),
    'peer.restart': async (which) => ({ sdp: (await viewers.find(which).restart()).sdp }),
    'peer.candidate': ({ candidate, ...which }) => {
      viewers.find(which).addCandidate(candidate)
      return null
    },
    'peer.video': (args) => viewers.setVideo(args),
    'peer.audio': (args) => viewers.setAudio(args),
    'peer.close': (which) => {
      viewers.find(which).close()
      return null
    },
  }
  /** A call that another node passes on. Errors: `invalid` for what is none. */
  const byName = (name: string, args: unknown): unknown => {
    if (!Object.hasOwn(calls, name)) {
      throw new NekoError('invalid', `${name} is no call about a viewer`)
    }
    const known = name as PeerCall
    const parsed = nodeCalls[known].safeParse(args)
    if (!parsed.success) {
      throw new NekoError('invalid', `${name}: ${z.prettifyError(parsed.error)}`)
    }
    // The schema of this very name made the arguments.
    return (calls[known] as (args: unknown) => unknown)(parsed.data)
  }
  return { ...calls, byName }
}
