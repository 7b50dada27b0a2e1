import type { RoomEvent } from './room-event.ts'
import type { RoomView } from './room-view.ts'

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value)

/** A fact as text, whatever order its keys came in: Lua writes them in another one than we do. */
const canonical = (value: unknown) =>
  JSON.stringify(value, (_, item: unknown) =>
    isObject(item) ? Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1))) : item,
  )

const same = (a: unknown, b: unknown) => canonical(a) === canonical(b)

/**
 * The events that lead from what a process knew to what Redis says now: after a gap (messages lost, Redis away) its
 * clients learn what they missed, in the order in which a script would have told it.
 */
export function diffViews(before: RoomView, after: RoomView): RoomEvent[] {
  return [...sessionEvents(before, after), ...roomEvents(before, after)]
}

function* sessionEvents(before: RoomView, after: RoomView): Generator<RoomEvent> {
  for (const { id } of before.sessions.values()) {
    if (!after.sessions.has(id)) {
      yield { is: 'deleted', id, reason: 'session deleted', actor: '' }
    }
  }
  for (const { id, profile, state } of after.sessions.values()) {
    const known = before.sessions.get(id)
    if (!known) {
      yield { is: 'created', id, profile, state: { ...state, is_connected: false, is_watching: false } }
    } else if (!same(known.profile, profile)) {
      yield { is: 'profile', id, profile, actor: '' }
    }
    if (!known || !same(known.state, state)) {
      // A newer connection replaced the one that was known: the older socket, wherever it is, has to go.
      if (state.is_connected && state.epoch !== known?.state.epoch) {
        yield { is: 'connected', id, state }
      } else if (known?.state.unlisted && state.is_connected && !state.unlisted) {
        yield { is: 'listed', id, state }
      }
      yield { is: 'state', id, state }
    }
  }
}

function* roomEvents(before: RoomView, after: RoomView): Generator<RoomEvent> {
  if (!same(before.base, after.base) || !same(before.locks, after.locks)) {
    yield { is: 'settings', actor: '', base: after.base, locks: after.locks }
  }
  if (before.host !== after.host || before.fence !== after.fence) {
    const host = after.host ?? null
    yield {
      is: 'host',
      actor: host ?? before.host ?? '',
      host,
      previous: before.host ?? null,
      fence: after.fence,
      cause: host ? 'request' : 'release',
    }
  }
  if (before.epoch !== after.epoch || before.node?.instance !== after.node?.instance) {
    const { node, instance } = after.node ?? { node: null, instance: null }
    yield { is: 'node', node, instance, epoch: after.epoch, fence: after.fence, facts: after.node?.facts ?? null }
  } else if (after.node?.facts && !same(before.node?.facts, after.node.facts)) {
    if (!before.node?.facts) {
      yield { is: 'facts', change: 'ready', actor: '', facts: after.node.facts }
    }
    yield { is: 'facts', change: 'screen', actor: '', facts: after.node.facts }
    yield { is: 'facts', change: 'broadcast', actor: '', facts: after.node.facts }
    yield { is: 'facts', change: 'dialog', actor: '', facts: after.node.facts }
    yield { is: 'facts', change: 'files', actor: '', facts: after.node.facts }
  }
  for (const ip of before.bans.keys()) {
    if (!after.bans.has(ip)) {
      yield { is: 'banned', ip, ban: null, actor: '' }
    }
  }
  for (const [ip, ban] of after.bans) {
    if (!before.bans.has(ip)) {
      yield { is: 'banned', ip, ban, actor: '' }
    }
  }
}
