import type { LockName, Session, Settings, V2ClientEvent, V2ClientPayload, V2Message } from '@neko-edge/protocol'
import { deleteSession, giveControl, releaseControl, resetControl, takeControl } from '@neko-edge/store'
import { isPermitted } from '../plugins/permission.ts'
import { banSession } from '../session/ban.ts'
import { askForControl } from '../session/control.ts'
import { withPeer } from '../session/peer.ts'
import { editProfile } from '../session/profile.ts'
import type { Context } from '../session/receive.ts'
import { editSettings } from '../session/settings.ts'
import { speak } from '../session/speak.ts'
import { fileList, maySeeFiles } from './announce.ts'
import { configurations } from './greet.ts'
import { isMuted } from './member.ts'

type Action<P> = (context: Context, payload: P) => void | Promise<void>
type Handlers = { readonly [E in V2ClientEvent]: Action<V2ClientPayload<E>> }

const say = ({ socket }: Context, message: V2Message) => socket.say(message)

/** Runs what only admins may; others are ignored, as V2 servers did. */
const byAdmin =
  <P>(action: Action<P>): Action<P> =>
  (context, payload) =>
    context.session.profile.is_admin ? action(context, payload) : undefined

/** What is done to somebody: he has to be there, and be no admin. */
const toUser = (act: (context: Context, target: Session) => Promise<unknown>) =>
  byAdmin<{ id: string }>(async (context, { id }) => {
    const target = context.hub.room.view.session(id)
    if (target && !target.profile.is_admin) {
      await act(context, target)
    }
  })

/** Under implicit hosting whoever may have the controls may also use clipboard and keyboard; otherwise the host alone. */
function mayUseDesktop({ hub, session }: Context): boolean {
  const { view } = hub.room
  const { profile } = session
  const mayControl = profile.can_host && !view.isShutOut(profile) && (profile.is_admin || view.locks.control === undefined)
  return view.isHost(session.id) || (view.settings.implicit_hosting && mayControl)
}

const setLock = (isLocked: boolean) =>
  byAdmin<{ resource: LockName }>(async ({ hub, session }, { resource }) => {
    await editSettings(hub, { actor: session.id, change: (settings) => lockIn(settings, resource, isLocked) })
  })

function lockIn(settings: Settings, resource: LockName, isLocked: boolean): Settings {
  switch (resource) {
    case 'control':
      return { ...settings, locked_controls: isLocked }
    case 'login':
      return { ...settings, locked_logins: isLocked }
    case 'file_transfer':
      return { ...settings, plugins: { ...settings.plugins, 'filetransfer.enabled': !isLocked } }
    default:
      return resource satisfies never
  }
}

const mute =
  (isOn: boolean) =>
  async ({ hub, session }: Context, { id }: { id: string }) => {
    const target = hub.room.view.session(id)
    if (target && isMuted(target) !== isOn && !(isOn && target.profile.is_admin)) {
      const change = (profile: Session['profile']) => ({ ...profile, plugins: { ...profile.plugins, 'chat.can_send': !isOn } })
      await editProfile(hub, id, { actor: session.id, change })
    }
  }

/** V2 reports failures of the broadcast, and nothing else. */
const reporting =
  (title: string, run: (context: Context, payload: { url?: string }) => Promise<unknown>) =>
  async (context: Context, payload: unknown): Promise<void> => {
    try {
      await run(context, payload as { url?: string })
    } catch (error) {
      say(context, { event: 'system/error', title, message: error instanceof Error ? error.message : String(error) })
    }
  }

const startBroadcast = reporting('Error while starting broadcast', async ({ hub, session }, { url = '' }) => {
  if (url === '') {
    throw new Error('missing broadcast URL')
  }
  if (hub.room.view.node?.facts?.broadcast.is_active) {
    throw new Error('server is already broadcasting')
  }
  await hub.node.call('broadcast.start', { actor: session.id, url })
})

const stopBroadcast = reporting('Error while stopping broadcast', async ({ hub, session }) => {
  if (!hub.room.view.node?.facts?.broadcast.is_active) {
    throw new Error('server is not broadcasting')
  }
  await hub.node.call('broadcast.stop', { actor: session.id })
})

const give: Action<{ id: string }> = async ({ hub, session }, { id }) => {
  const isLocked = hub.room.view.locks.control !== undefined && !session.profile.is_admin
  if (!isLocked) {
    await hub.room.run(giveControl, [session.id, id])
  }
}

/** What each event of a V2 client does. Who may not is ignored. */
export const handlers: Handlers = {
  'client/heartbeat': () => undefined,

  'signal/answer': (context, { sdp, displayname = '' }) =>
    withPeer(context, async (peer) => {
      const { hub, session } = context
      if (displayname !== '' && displayname !== session.profile.name) {
        await editProfile(hub, session.id, { actor: session.id, change: (profile) => ({ ...profile, name: displayname }) })
      }
      await hub.node.call('peer.answer', { ...peer, sdp })
    }),
  'signal/offer': (context, { sdp }) =>
    withPeer(context, async (peer) => {
      const answer = await context.hub.node.call('peer.offer', { ...peer, sdp })
      say(context, { event: 'signal/answer', sdp: answer.sdp })
    }),
  'signal/candidate': (context, { data }) =>
    withPeer(context, (peer) => context.hub.node.tell('peer.candidate', { ...peer, candidate: candidateIn(data) })),

  'control/request': async ({ hub, session }) => void (await askForControl(hub, session.id, { implicit: true })),
  'control/release': async ({ hub, session }) => void (await hub.room.run(releaseControl, [session.id])),
  'control/give': give,
  'control/clipboard': async (context, { text }) => {
    if (mayUseDesktop(context) && context.session.profile.can_access_clipboard) {
      await context.hub.node.call('clipboard.set', { text })
    }
  },
  'control/keyboard': async (context, { layout, capsLock, numLock }) => {
    if (!mayUseDesktop(context)) {
      return
    }
    const { node } = context.hub
    const modifiers = { ...(capsLock !== undefined && { capslock: capsLock }), ...(numLock !== undefined && { numlock: numLock }) }
    if (Object.keys(modifiers).length > 0) {
      await node.call('keyboard.modifiers.set', { modifiers })
    }
    if (layout !== undefined && layout !== '') {
      await node.call('keyboard.map.set', { layout, variant: '' })
    }
  },

  'chat/message': async ({ hub, session }, { content }) => {
    if (isPermitted('chat.can_send', { enabled: hub.features.chat, settings: hub.room.view.settings, session })) {
      await speak(hub, session.id, { is: 'chat', id: session.id, created: hub.clock.now(), text: content })
    }
  },
  'chat/emote': async ({ hub, session }, { emote }) => {
    if (!isMuted(session)) {
      await speak(hub, session.id, { is: 'broadcast', sender: session.id, subject: 'emote', body: emote })
    }
  },
  'openinapp/openlink': async ({ hub, session }, { text }) => {
    const { view } = hub.room
    if (hub.features.openInApp && (view.isHost(session.id) || (session.profile.can_host && view.settings.implicit_hosting))) {
      await hub.node.call('link.open', { url: text })
    }
  },
  'filetransfer/refresh': (context) => {
    const { session } = context
    const { room, features } = context.hub
    const messages = maySeeFiles(session, { view: room.view, features }) ? fileList(room.view, features) : []
    messages.forEach((message) => say(context, message))
  },

  'screen/resolution': (context) => {
    say(context, { event: 'screen/resolution', ...(context.hub.room.view.node?.facts?.screen ?? context.hub.features.fallback.screen) })
  },
  'screen/configurations': byAdmin((context) => {
    say(context, { event: 'screen/configurations', configurations: configurations(context.hub.room.view.node?.facts?.screens ?? []) })
  }),
  'screen/set': byAdmin(async ({ hub, session }, size) => void (await hub.node.call('screen.set', { actor: session.id, size }))),
  'broadcast/create': byAdmin(startBroadcast),
  'broadcast/destroy': byAdmin(stopBroadcast),

  'admin/lock': setLock(true),
  'admin/unlock': setLock(false),
  'admin/control': byAdmin(async ({ hub, session }) => void (await hub.room.run(takeControl, [session.id]))),
  'admin/release': byAdmin(async ({ hub, session }) => void (await hub.room.run(resetControl, [session.id]))),
  'admin/give': byAdmin(give),
  'admin/kick': toUser(({ hub, session }, target) => hub.room.run(deleteSession, [target.id, 'kicked', session.id])),
  'admin/ban': toUser(({ hub, session: { id, profile } }, target) => banSession(hub, { actor: { id, name: profile.name }, target })),
  'admin/mute': byAdmin(mute(true)),
  'admin/unmute': byAdmin(mute(false)),
}

/** The candidate of V2's JSON inside of JSON; empty where it is none. */
function candidateIn(data: string): string {
  try {
    const parsed: unknown = JSON.parse(data)
    return typeof parsed === 'object' && parsed !== null && 'candidate' in parsed ? String(parsed.candidate) : ''
  } catch {
    return ''
  }
}
