import { type ServerMessage, type Session, wireSession, wireState } from '@neko-edge/protocol'
import type { RoomEvent, RoomView } from '@neko-edge/store'
import { isPermitted } from '../../plugins/permission.ts'
import type { Announcement, RoomSignal } from '../dialect.ts'
import type { Features } from '../hub.ts'
import { broadcastStatus, fileList } from './greet.ts'

/** A V3 message, for everybody unless it says otherwise. */
export type V3Announcement = Announcement & { readonly message: ServerMessage }

const isListed = (view: RoomView, id: string): boolean => {
  const session = view.session(id)
  return session !== undefined && view.isListed(session)
}
const isAdmin = (session: Session) => session.profile.is_admin

/** What V3 clients are told of a change of the room's facts. */
export function announceEvent(event: RoomEvent, view: RoomView, features: Features): V3Announcement[] {
  switch (event.is) {
    case 'created': {
      const session = view.session(event.id) ?? { ...event, id: event.id as Session['id'] }
      return [
        { message: { event: 'session/created', payload: wireSession({ id: session.id, profile: event.profile, state: event.state }) } },
      ]
    }
    case 'deleted':
      return [{ message: { event: 'session/deleted', payload: { id: event.id } } }]
    case 'profile':
      return [{ message: { event: 'session/profile', payload: { id: event.id, ...event.profile } } }]
    case 'state':
      return [{ message: { event: 'session/state', payload: { id: event.id, ...wireState(event.state) } } }]
    case 'host': {
      const payload = { id: event.actor, has_host: event.host !== null, ...(event.host !== null && { host_id: event.host }) }
      return [{ message: { event: 'control/host', payload } }]
    }
    case 'settings':
      return [{ message: { event: 'system/settings', payload: { id: event.actor, ...view.settings } } }]
    case 'facts':
      return announceFacts(event, view, features)
    case 'connected':
    case 'listed':
    case 'node':
    case 'banned':
      return []
    default:
      return event satisfies never
  }
}

function announceFacts(
  { change, actor, facts }: Extract<RoomEvent, { is: 'facts' }>,
  view: RoomView,
  features: Features,
): V3Announcement[] {
  switch (change) {
    case 'screen':
      return [{ message: { event: 'screen/updated', payload: { id: actor, ...facts.screen } } }]
    case 'broadcast':
      return [{ message: { event: 'broadcast/status', payload: broadcastStatus(facts.broadcast) }, to: isAdmin }]
    case 'dialog':
      return [
        {
          message: {
            event: facts.dialog === null ? 'file_chooser_dialog/closed' : 'file_chooser_dialog/opened',
            payload: { id: facts.dialog ?? '' },
          },
        },
      ]
    case 'files':
      return [{ message: fileList(view, features) }]
    case 'ready':
    case 'full':
    case 'uplink':
      return []
    default:
      return change satisfies never
  }
}

/** What V3 clients are told of what passes through a room without changing a fact. */
export function announceSignal(signal: RoomSignal, view: RoomView, { chatEnabled }: { chatEnabled: boolean }): V3Announcement[] {
  switch (signal.is) {
    case 'request':
      return [{ message: { event: 'control/request', payload: { id: signal.id } }, only: signal.host }]
    case 'unicast': {
      const { is: _, ...payload } = signal
      return [{ message: { event: 'send/unicast', payload }, only: signal.receiver }]
    }
    case 'broadcast': {
      const { is: _, ...payload } = signal
      return [{ message: { event: 'send/broadcast', payload }, to: (session) => session.id !== signal.sender }]
    }
    case 'chat': {
      const payload = { id: signal.id, created: new Date(signal.created).toISOString(), content: { text: signal.text } }
      const mayReceive = (session: Session) => isPermitted('chat.can_receive', { enabled: chatEnabled, settings: view.settings, session })
      return [{ message: { event: 'chat/message', payload }, to: mayReceive }]
    }
    case 'cursors':
      return [
        {
          // A client draws the name beside a cursor.
          message: { event: 'session/cursors', payload: signal.cursors.filter(({ id }) => isListed(view, id)) },
          to: (session) => session.profile.can_see_inactive_cursors,
          isFleeting: true,
        },
      ]
    case 'clipboard':
      return [
        {
          message: { event: 'clipboard/updated', payload: { text: signal.text } },
          to: (session) => view.isHost(session.id) && session.profile.can_access_clipboard,
        },
      ]
    default:
      return signal satisfies never
  }
}
