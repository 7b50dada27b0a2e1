import { NekoError } from '@neko-edge/kit'
import { drainWays, type NodeRecord } from '@neko-edge/store'
import { z } from 'zod'
import { type EarlyCall, type Guard, operation } from './operation.ts'

const NodeReply = z.object({
  id: z.string(),
  roles: z.array(z.string()),
  alive: z.boolean().describe('whether it said so in the last seconds'),
  draining: z.boolean().describe('whether it takes no new room'),
  cores: z.int(),
  load: z.number().describe('measured, percent of all processors'),
  rooms: z.int(),
  max_rooms: z.int(),
  viewers: z.int(),
  rooms_without_relay: z.int().describe('rooms that nobody can watch: the node sends them to a relay (node.uplink), and none takes them'),
})

const guards: readonly Guard[] = ['fleet']

const NodeChange = z
  .strictObject({
    draining: z.boolean(),
    rooms: z
      .enum(drainWays)
      .optional()
      .describe('what becomes of those that it has: they stay (default), move to other nodes as far as these have places, or end'),
  })
  .refine(({ draining, rooms = 'stay' }) => draining || rooms === 'stay', {
    path: ['rooms'],
    message: 'only a node that drains gives rooms away: set draining, or leave this out',
  })

/** The nodes of the fleet. */
export const nodes = [
  operation({
    method: 'GET',
    path: '/api/nodes',
    summary: 'The nodes of the fleet, what they have and can take',
    guards,
    reply: z.array(NodeReply),
    handle: async ({ deps }) => (await deps.fleet?.rooms.fleet.nodes())?.map(wireNode) ?? [],
  }),
  operation({
    method: 'PATCH',
    path: '/api/nodes/{id}',
    summary: 'Let a node take no new room, or take rooms again; those that it has stay, move to other nodes, where they start anew, or end',
    guards,
    body: { schema: NodeChange, isStrict: true, isExplained: true },
    reply: NodeReply,
    fails: { 404: 'no such node, or the rooms API is off' },
    async handle(call) {
      await find(call)
      await call.deps.fleet?.rooms.fleet.drainNode(call.param('id'), call.body.draining, call.body.rooms)
      return wireNode(await find(call))
    },
  }),
]

async function find({ deps, param }: EarlyCall): Promise<NodeRecord> {
  const found = (await deps.fleet?.rooms.fleet.nodes())?.find(({ id }) => id === param('id'))
  if (!found) {
    throw new NekoError('notFound', 'there is no such node')
  }
  return found
}

const wireNode = ({
  id,
  roles,
  isAlive,
  isDrained,
  cores,
  load,
  rooms,
  maxRooms,
  viewers,
  withoutRelay,
}: NodeRecord): z.input<typeof NodeReply> => ({
  ...{ id, roles, cores, load, rooms, viewers },
  alive: isAlive,
  draining: isDrained,
  max_rooms: maxRooms,
  rooms_without_relay: withoutRelay,
})
