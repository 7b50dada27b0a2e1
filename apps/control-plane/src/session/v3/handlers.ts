import { messageOf } from '@neko-edge/kit'
import type { ClientEvent, ClientPayload, ControlInput } from '@neko-edge/protocol'
import { releaseControl } from '@neko-edge/store'
import { isPermitted } from '../../plugins/permission.ts'
import { askForControl, giveInput, mustHost } from '../control.ts'
import { openPeer, present, withPeer } from '../peer.ts'
import type { Context } from '../receive.ts'
import { speak } from '../speak.ts'
import { fileList } from './greet.ts'

type Handler<E extends ClientEvent> = (context: Context, payload: ClientPayload<E>) => void | Promise<void>
type Handlers = { readonly [E in ClientEvent]: Handler<E> }

const controlKeysym = 0xffe3

/** Where an event says where the pointer is: a coordinate that is missing counts as 0 when the other is there. */
const at = ({ x, y }: { x?: number | undefined; y?: number | undefined }) =>
  x === undefined && y === undefined ? undefined : { x: x ?? 0, y: y ?? 0 }

const input = ({ hub, session }: Context, what: ControlInput) => giveInput(hub, session.id, present<ControlInput>(what))
const shortcut = (letter: string) => (context: Context) =>
  input(context, { is: 'press-keys', keysyms: [controlKeysym, letter.charCodeAt(0)] })
const touch =
  (phase: 'begin' | 'update' | 'end') =>
  (context: Context, { touch_id: id, x, y, pressure }: ClientPayload<'control/touchbegin'>) =>
    input(context, { is: 'touch', phase, id, x, y, pressure })

async function setClipboard({ hub, session }: Context, text: string): Promise<boolean> {
  if (!session.profile.can_access_clipboard || !hub.room.view.isHost(session.id)) {
    return false
  }
  await hub.node.call('clipboard.set', { text })
  return true
}

/** What each event of a V3 client does. Who may not is ignored: V3 tells a client nothing about it. */
export const handlers: Handlers = {
  'client/heartbeat': () => undefined,
  'system/logs': ({ hub, session }, lines) => {
    for (const { level, message, fields } of lines ?? []) {
      hub.log.debug({ session: session.id, level, message: message.slice(0, 1000), fields }, 'client log')
    }
  },

  'signal/request': ({ hub, socket }, request) => openPeer(hub, socket, request),
  'signal/answer': (context, { sdp }) =>
    withPeer(context, async (peer) => void (await context.hub.node.call('peer.answer', { ...peer, sdp }))),
  'signal/offer': (context, { sdp }) =>
    withPeer(context, async (peer) => {
      const answer = await context.hub.node.call('peer.offer', { ...peer, sdp })
      context.socket.say({ event: 'signal/answer', payload: answer })
    }),
  'signal/candidate': (context, { candidate }) =>
    withPeer(context, (peer) => context.hub.node.tell('peer.candidate', { ...peer, candidate })),
  'signal/restart': (context) =>
    withPeer(context, async (peer) =>
      context.socket.say({ event: 'signal/restart', payload: await context.hub.node.call('peer.restart', peer) }),
    ),
  'signal/video': (context, video) =>
    withPeer(context, async (peer) => {
      const { socket, hub } = context
      socket.request = { ...socket.request, video: present({ ...socket.request?.video, ...present(video) }) }
      const result = await hub.node.call('peer.video', { ...peer, video: present(video) })
      if (result.changed) {
        socket.say({ event: 'signal/video', payload: result.video })
      }
    }),
  'signal/audio': (context, audio) =>
    withPeer(context, async (peer) => {
      const { socket, hub } = context
      socket.request = { ...socket.request, audio }
      const result = await hub.node.call('peer.audio', { ...peer, audio: present(audio) })
      if (result.changed) {
        socket.say({ event: 'signal/audio', payload: result.audio })
      }
    }),

  'control/request': async ({ hub, session }) => void (await askForControl(hub, session.id, { implicit: true })),
  'control/release': async ({ hub, session }) => {
    if (session.profile.can_host && !hub.room.view.isShutOut(session.profile)) {
      await hub.room.run(releaseControl, [session.id])
    }
  },
  'control/move': (context, { x, y }) => input(context, { is: 'move', x, y }),
  'control/scroll': (context, { delta_x, delta_y, control_key: control, x, y }) => {
    const isOld = delta_x === 0 && delta_y === 0
    return input(context, { is: 'scroll', deltaX: isOld ? x : delta_x, deltaY: isOld ? y : delta_y, control })
  },
  'control/buttonpress': (context, { code, ...place }) => input(context, { is: 'press-button', code, at: at(place) }),
  'control/buttondown': (context, { code, ...place }) => input(context, { is: 'button', code, down: true, at: at(place) }),
  'control/buttonup': (context, { code, ...place }) => input(context, { is: 'button', code, down: false, at: at(place) }),
  'control/keypress': (context, { keysym, ...place }) => input(context, { is: 'press-keys', keysyms: [keysym], at: at(place) }),
  'control/keydown': (context, { keysym, ...place }) => input(context, { is: 'key', keysym, down: true, at: at(place) }),
  'control/keyup': (context, { keysym, ...place }) => input(context, { is: 'key', keysym, down: false, at: at(place) }),
  'control/touchbegin': touch('begin'),
  'control/touchupdate': touch('update'),
  'control/touchend': touch('end'),
  'control/cut': shortcut('x'),
  'control/copy': shortcut('c'),
  'control/select_all': shortcut('a'),
  'control/paste': async (context, { text }) => {
    // A text that may not be put on the clipboard is not typed either.
    if (text === '' || (await setClipboard(context, text))) {
      await shortcut('v')(context)
    }
  },

  'screen/set': async ({ hub, session }, size) => {
    if (session.profile.is_admin) {
      await hub.node.call('screen.set', { actor: session.id, size })
    }
  },
  'clipboard/set': async (context, { text }) => void (await setClipboard(context, text)),
  'keyboard/map': async ({ hub, session }, map) => {
    mustHost(hub, session.id)
    await hub.node.call('keyboard.map.set', map)
  },
  'keyboard/modifiers': async ({ hub, session }, modifiers) => {
    mustHost(hub, session.id)
    await hub.node.call('keyboard.modifiers.set', { modifiers: present(modifiers) })
  },

  'send/unicast': ({ hub, session }, { receiver, subject, body }) =>
    hub.room.signal({ is: 'unicast', sender: session.id, receiver, subject, body: body ?? null }),
  'send/broadcast': ({ hub, session }, { subject, body }) =>
    hub.room.signal({ is: 'broadcast', sender: session.id, subject, body: body ?? null }),
  'chat/message': async ({ hub, session }, { text }) => {
    if (isPermitted('chat.can_send', { enabled: hub.features.chat, settings: hub.room.view.settings, session })) {
      await speak(hub, session.id, { is: 'chat', id: session.id, created: hub.clock.now(), text })
    }
  },
  'filetransfer/update': async ({ hub, socket }) => {
    const before = hub.room.view.node?.facts?.files
    if (hub.features.fileTransfer.enabled) {
      await hub.node.call('files.refresh', {}).catch((error: unknown) => {
        hub.log.debug({ session: socket.id, error: messageOf(error) }, 'transfer directory not looked into')
      })
    }
    // A list that changed has been told to all by now.
    if (JSON.stringify(hub.room.view.node?.facts?.files) === JSON.stringify(before)) {
      socket.say(fileList(hub.room.view, hub.features))
    }
  },
}
