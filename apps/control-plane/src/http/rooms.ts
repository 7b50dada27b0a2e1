import { type Config, redactOverrides } from '@neko-edge/config'
import { NekoError } from '@neko-edge/kit'
import { type FleetRoom, type RoomRecord, type RoomState, roomStates } from '@neko-edge/store'
import { z } from 'zod'
import { newRoomId, pathOf } from '../rooms/room-id.ts'
import { NewRoomRequest, RoomPatch, specOf } from '../rooms/room-request.ts'
import { sha256 } from '../secret.ts'
import type { FleetDeps } from './context.ts'
import { type Call, type EarlyCall, type Guard, json, operation } from './operation.ts'

const Time = z.iso.datetime({ offset: true })

const RoomReply = z.object({
  id: z.string(),
  label: z.string(),
  state: z.enum(roomStates),
  reason: z.string().optional().describe('why it ended, is ending, or could not start yet'),
  node: z.string().optional().describe('the capture node that has it'),
  path: z.string().describe('where its page is, below the control plane'),
  revision: z.int().describe('grows with every change'),
  created_at: Time,
  started_at: Time.optional(),
  ends_at: Time.optional().describe('when its absolute time-out ends it'),
  ended_at: Time.optional(),
  config: z.record(z.string(), z.unknown()).describe('its own options, secrets masked'),
})

const guards: readonly Guard[] = ['fleet']
const path = '/api/rooms/{id}'
const off = { 404: 'no such room, or the rooms API is off' }
const body = { isStrict: true, isExplained: true } as const
const maxPage = 500
/** A year in seconds. */
const maxLinkAge = 31_536_000

const NewLink = z.strictObject({
  role: z.enum(['user', 'admin']),
  name: z.string().min(1).max(100).describe('the name of its bearer in the room'),
  expires_in: z.int().min(1).max(maxLinkAge).default(86_400).describe('seconds'),
  uses: z.enum(['once', 'many']).default('many'),
})

const RoomMove = z.strictObject({ node: z.string().min(1).max(255).optional().describe('the capture node that is to have it') })

/** The rooms of the fleet, for the machine that holds the fleet token. */
export const rooms = [
  operation({
    method: 'POST',
    path: '/api/rooms',
    summary: 'Make a room, and place it on a node. With the header Idempotency-Key a request that is sent again makes nothing new',
    guards,
    body: { ...body, schema: NewRoomRequest },
    reply: RoomReply,
    status: 201,
    fails: {
      404: 'the rooms API is off',
      409: 'there is a room of this id',
      422: 'this Idempotency-Key came with another request',
      503: 'no node has a place: the reason, and Retry-After',
    },
    handle: create,
  }),
  operation({
    method: 'GET',
    path: '/api/rooms',
    summary: 'The rooms in the order of their ids, those included that ended less than an hour ago',
    guards,
    query: {
      limit: `how many, 1 to ${maxPage}; default 50`,
      after: 'the id after which to go on: `next` of the page before',
      state: `only rooms that are ${roomStates.join(', ')}`,
      node: 'only rooms of this node',
    },
    reply: z.object({ rooms: z.array(RoomReply), next: z.string().optional() }),
    handle: list,
  }),
  operation({
    method: 'GET',
    path,
    summary: 'One room',
    guards,
    reply: RoomReply,
    fails: off,
    handle: async (call) => wireRoom(await findRoom(call)),
  }),
  operation({
    method: 'PATCH',
    path,
    summary: 'Change a room. Members, settings and time-outs count at once, what concerns its desktop after a restart',
    guards,
    body: { ...body, schema: RoomPatch },
    reply: RoomReply,
    fails: { ...off, 409: 'somebody else changed it at the same time' },
    handle: change,
  }),
  operation({
    method: 'DELETE',
    path,
    summary: 'End a room, with everything of it',
    guards,
    reply: RoomReply,
    status: 202,
    fails: { ...off, 422: 'the room default does not end' },
    handle: end,
  }),
  operation({
    method: 'POST',
    path: '/api/rooms/{id}/restart',
    summary: 'Start the application of a room again, or the whole room where its configuration has changed since it started',
    guards,
    reply: z.object({ restarted: z.enum(['application', 'room']) }),
    fails: { ...off, 503: 'no node runs it right now' },
    async handle(call) {
      const surface = await surfaceOf(call)
      return surface.hub.node.call('room.restart', {})
    },
  }),
  operation({
    method: 'POST',
    path: '/api/rooms/{id}/move',
    summary:
      'Move a room that runs to another node, without a body to the least loaded one. Its people stay, with new pictures; its desktop starts anew, as what ran in it can not be carried over',
    guards,
    body: { ...body, isOptional: true, schema: RoomMove },
    reply: RoomReply,
    status: 202,
    fails: {
      404: 'no such room or no such node, or the rooms API is off',
      409: 'the room is on that node already, or is ending',
      422: 'that node runs no desktops',
      503: 'no node runs the room right now, or none has a place for it: the reason, and Retry-After',
    },
    handle: move,
  }),
  operation({
    method: 'POST',
    path: '/api/rooms/{id}/links',
    summary: 'Make a link with which somebody joins the room: its bearer comes in under the name and in the role that it says',
    guards,
    body: { ...body, schema: NewLink },
    reply: z.object({ token: z.string(), path: z.string(), expires_at: Time }),
    status: 201,
    fails: off,
    async handle(call: Call<z.output<typeof NewLink>>) {
      const surface = await surfaceOf(call)
      const { role, name, expires_in: expiresIn, uses } = call.body
      const { token, expiresAt } = await surface.links.create({ role, name, expiresIn, isOnce: uses === 'once' })
      return { token, path: `${pathOf(surface.id)}#link=${token}`, expires_at: new Date(expiresAt).toISOString() }
    },
  }),
]

const fleetOf = ({ deps }: Pick<EarlyCall, 'deps'>): FleetDeps => {
  if (!deps.fleet) {
    throw new NekoError('notFound', 'the rooms API is at the root of the server')
  }
  return deps.fleet
}

const noRoom = () => new NekoError('notFound', 'there is no such room')

async function findRoom(call: EarlyCall): Promise<FleetRoom> {
  const found = await fleetOf(call).rooms.fleet.find(call.param('id'))
  if (!found) {
    throw noRoom()
  }
  return found
}

async function surfaceOf(call: EarlyCall) {
  const surface = await fleetOf(call).rooms.surface(call.param('id'))
  if (!surface) {
    throw noRoom()
  }
  return surface
}

const ends = ({ rooms: { timeout } }: Config) => ({
  endsInMs: timeout.absoluteMs,
  warningMs: timeout.warningMs < timeout.absoluteMs ? timeout.warningMs : 0,
})

async function create(call: Call<z.output<typeof NewRoomRequest>>): Promise<unknown> {
  const { rooms: all, config: base } = fleetOf(call)
  const { id: wanted, ...patch } = call.body
  const { spec, config } = specOf(patch, { base })
  const id = newRoomId(wanted)
  const request = await requestOf(call)
  const outcome = await all.fleet.create({ id, spec, ...ends(config), ...(request && { request }) })
  switch (outcome.is) {
    case 'created':
      return json(wireRoom({ record: outcome.record, spec }), 201)
    case 'replayed':
      return json(wireRoom((await all.fleet.find(outcome.record.id)) ?? { record: outcome.record, spec }), 200)
    case 'exists':
      throw new NekoError('conflict', `id: there is a room ${id} already`)
    case 'other-request':
      throw new NekoError('unprocessable', 'Idempotency-Key: came with another request before. Send a new one.')
    case 'full':
      throw new NekoError('unavailable', outcome.why)
    default:
      return outcome satisfies never
  }
}

async function requestOf({ context, body: asked }: Call<unknown>): Promise<{ key: string; mark: string } | undefined> {
  const key = context.req.header('idempotency-key')
  if (key === undefined) {
    return undefined
  }
  if (!/^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/.test(key)) {
    throw new NekoError('invalid', 'Idempotency-Key: is not 1 to 255 printable ASCII characters')
  }
  return { key: await sha256(key), mark: await sha256(JSON.stringify(asked)) }
}

async function list(call: EarlyCall): Promise<unknown> {
  const { context } = call
  const state = context.req.query('state')
  if (state !== undefined && !isState(state)) {
    throw new NekoError('invalid', `state: is not one of ${roomStates.join(', ')}`)
  }
  const limit = context.req.query('limit') ?? '50'
  if (!/^\d{1,4}$/.test(limit) || Number(limit) < 1 || Number(limit) > maxPage) {
    throw new NekoError('invalid', `limit: is not a number from 1 to ${maxPage}`)
  }
  const { rooms: found, next } = await fleetOf(call).rooms.fleet.list({
    after: context.req.query('after') ?? '',
    limit: Number(limit),
    state,
    node: context.req.query('node'),
  })
  return { rooms: found.map(wireRoom), ...(next !== undefined && { next }) }
}

const isState = (text: string): text is RoomState => (roomStates as readonly string[]).includes(text)

async function change(call: Call<z.output<typeof RoomPatch>>): Promise<unknown> {
  const { rooms: all, config: base } = fleetOf(call)
  const before = await findRoom(call)
  const { spec, config } = specOf(call.body, { base, before: before.spec })
  const { id, rev, isPermanent } = before.record
  const outcome = await all.fleet.update(id, { rev, spec, ...(isPermanent ? { endsInMs: 0, warningMs: 0 } : ends(config)) })
  if (outcome === 'gone') {
    throw noRoom()
  }
  if (outcome === 'conflict') {
    throw new NekoError('conflict', 'the room was changed at the same time: read it, and try again')
  }
  return wireRoom({ record: outcome, spec })
}

async function end(call: EarlyCall): Promise<unknown> {
  const before = await findRoom(call)
  const outcome = await fleetOf(call).rooms.fleet.end(before.record.id, 'asked by the rooms API')
  if (outcome === 'gone') {
    throw noRoom()
  }
  if (outcome === 'permanent') {
    throw new NekoError('unprocessable', 'the room default does not end: set rooms.default to false where it is not wanted')
  }
  return json(wireRoom({ record: outcome, spec: before.spec }), 202)
}

async function move(call: Call<z.output<typeof RoomMove>>): Promise<unknown> {
  const { record, spec } = await findRoom(call)
  const { node } = call.body
  const outcome = await fleetOf(call).rooms.fleet.move(record.id, node)
  switch (outcome.is) {
    case 'moving':
      return json(wireRoom({ record: outcome.record, spec }), 202)
    case 'gone':
      throw noRoom()
    case 'ending':
      throw new NekoError('conflict', 'the room is ending')
    case 'waiting':
      throw new NekoError('unavailable', 'no node runs this room right now: it can be moved when it runs')
    case 'there':
      throw new NekoError('conflict', `node: the room is on ${node} already`)
    case 'unknown':
      throw new NekoError('notFound', `node: there is no node ${node}, or it is not up`)
    case 'no-capture':
      throw new NekoError('unprocessable', `node: ${node} is a relay, which runs no desktops: name a capture node`)
    case 'full':
      throw new NekoError('unavailable', outcome.why)
    default:
      return outcome satisfies never
  }
}

function wireRoom({ record, spec }: { record: RoomRecord; spec: FleetRoom['spec'] }): z.input<typeof RoomReply> {
  const time = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString())
  const { id, state, reason, node, rev } = record
  return {
    id,
    label: spec.label,
    state,
    ...(reason !== undefined && { reason }),
    ...(node !== undefined && { node }),
    path: pathOf(id),
    revision: rev,
    created_at: new Date(record.createdAt).toISOString(),
    started_at: time(record.startedAt),
    ends_at: time(record.endsAt),
    ended_at: time(record.endedAt),
    config: redactOverrides(spec.config),
  }
}
