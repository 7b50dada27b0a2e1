import { messageOf } from '@neko-edge/kit'
import type { PeerRequest, PeerVideoRequest } from '@neko-edge/protocol'
import type { Signal } from '@neko-edge/store'
import type { Hub } from './hub.ts'
import { isAway, isMissing } from './node-client.ts'
import type { SessionSocket } from './socket.ts'

/** The peer that carries a session's media: the one opened through this socket, or through an earlier one elsewhere. */
export function peerOf(hub: Hub, socket: SessionSocket): string | undefined {
  return socket.peer ?? hub.sessionOf(socket)?.state.peer
}

/**
 * Opens the media of a session and hands it the offer. The node replaces an earlier peer of the session without a word.
 * Nothing is sent where the chosen stream does not exist.
 */
export async function openPeer(hub: Hub, socket: SessionSocket, request: PeerRequest): Promise<void> {
  if (!hub.sessionOf(socket)?.profile.can_watch) {
    return
  }
  socket.request = request
  const args = {
    session: socket.id,
    kind: socket.dialect.name,
    video: present<PeerVideoRequest>({ ...request.video, auto: request.video?.auto ?? request.auto ?? false }),
    audio: present({ disabled: request.audio?.disabled }),
  }
  const opening = hub.node.call('peer.open', args).then((opened) => {
    socket.peer = opened.peer
    return opened
  })
  const isKnown = opening
    .catch(() => undefined)
    .finally(() => {
      socket.opening = socket.opening === isKnown ? undefined : socket.opening
    })
  socket.opening = isKnown
  const opened = await opening
  socket.dialect.provide(socket, opened)
}

/** When a new peer is tried again that could not be had at once: who fell out of a relay that died may find the others full for a moment. */
const retryMs = [500, 1_000, 2_000, 4_000]

/**
 * Gives a viewer whose media ended through no doing of its own a new peer, in some tries; after them when the next node comes. A newer call takes the
 * place of an older one that waits.
 */
export async function reopenPeer(hub: Hub, socket: SessionSocket, tries = 0): Promise<void> {
  socket.cancelReopening()
  socket.cancelReopening = () => undefined
  try {
    await openPeer(hub, socket, socket.request ?? {})
  } catch (error) {
    const waitMs = retryMs[tries]
    hub.log.warn({ session: socket.id, error: messageOf(error), waitMs }, 'viewer could not be given a new picture')
    if (waitMs !== undefined && isAway(error)) {
      socket.cancelReopening = hub.clock.after(waitMs, () => {
        // He may have asked by himself meanwhile, or be gone.
        if (socket.isOpen && socket.peer === undefined) {
          void reopenPeer(hub, socket, tries + 1)
        }
      })
    }
  }
}

/** Passes on what the capture node says of the session's current peer; news of a replaced one are dropped. Which is the current one is known when none is being opened. */
export async function tellPeerNews(hub: Hub, socket: SessionSocket, { peer, news }: Extract<Signal, { is: 'peer' }>): Promise<void> {
  while (socket.opening) {
    await socket.opening
  }
  const current = peerOf(hub, socket)
  if (current !== undefined && current !== peer) {
    return
  }
  if (news.is === 'closed' || news.is === 'lost') {
    socket.peer = undefined
  }
  if (news.is === 'closed') {
    socket.request = undefined
  }
  if (socket.isOpen) {
    socket.dialect.peerNews(socket, news)
  }
}

/** A call about the session's peer; without one there is nothing to do, and no client is told. */
export async function withPeer(
  { hub, socket }: { hub: Hub; socket: SessionSocket },
  run: (peer: { session: string; peer: string }) => Promise<unknown>,
): Promise<void> {
  const peer = peerOf(hub, socket)
  if (peer === undefined) {
    return
  }
  try {
    await run({ session: socket.id, peer })
  } catch (error) {
    if (!isMissing(error)) {
      throw error
    }
  }
}

/** Without the keys whose value is `undefined`: on the bus, absent is absent. */
export function present<T extends object>(value: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as T
}
