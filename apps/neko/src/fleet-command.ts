import { parseArgs } from 'node:util'
import { NekoError } from '@neko-edge/kit'
import { z } from 'zod'
import { FleetApi } from './fleet-api.ts'
import { table } from './table.ts'

/* `neko fleet`: the rooms and nodes of a fleet from the command line, over the rooms API of any of its control planes. */

/** What `neko fleet --help` says. */
export const fleetHelp = `neko fleet: the rooms and nodes of a fleet, over the rooms API of one of its control planes

  neko fleet rooms [--state STATE] [--node NODE]     the rooms, and where they run
  neko fleet create [ID] [--label TEXT] [OPTION=VALUE …]
                                                     a new room; options are those of a room, such as
                                                     desktop.app_url=https://example.org
  neko fleet end ID                                  ends a room, with everything of it
  neko fleet restart ID                              starts its application again
  neko fleet move ID [--to NODE]                     to that node, or the least loaded other one: its people stay, its
                                                     desktop starts anew (what runs in it can not be carried over)
  neko fleet link ID --name NAME [--role user|admin] [--once] [--hours 24]
                                                     a link with which somebody joins under that name
  neko fleet nodes                                   the nodes, what they have and can take
  neko fleet drain NODE [--rooms stay|move|end]      a node takes no new room; those that it has stay, move as far as
                                                     other nodes have places for them, or end
  neko fleet undrain NODE                            it takes rooms again

  --url URL    the control plane (NEKO_FLEET_URL, or http://127.0.0.1:8080)
  --json       prints what the API says
  The token is that of the option rooms.api_token, from the environment: NEKO_ROOMS_API_TOKEN
`

// Loose: --json prints all that came.
const Room = z.looseObject({
  id: z.string(),
  label: z.string(),
  state: z.string(),
  node: z.string().optional(),
  path: z.string(),
  reason: z.string().optional(),
})
const Rooms = z.object({ rooms: z.array(Room), next: z.string().optional() })
const Node = z.looseObject({
  id: z.string(),
  alive: z.boolean(),
  draining: z.boolean(),
  cores: z.number(),
  load: z.number(),
  rooms: z.number(),
  max_rooms: z.number(),
  viewers: z.number(),
})
const Link = z.looseObject({ path: z.string(), expires_at: z.string() })

interface Asked {
  readonly api: FleetApi
  readonly words: readonly string[]
  readonly flags: Flags
  /** Prints a reply: as it came with --json, else in words. */
  readonly print: <T>(reply: T, inWords: (reply: T) => string) => void
}

const flags = {
  url: { type: 'string' },
  json: { type: 'boolean' },
  state: { type: 'string' },
  node: { type: 'string' },
  to: { type: 'string' },
  rooms: { type: 'string' },
  label: { type: 'string' },
  name: { type: 'string' },
  role: { type: 'string' },
  once: { type: 'boolean' },
  hours: { type: 'string' },
} as const
type Flags = { [name in keyof typeof flags]?: string | boolean | undefined }

const actions: Readonly<Record<string, (asked: Asked) => Promise<void>>> = {
  rooms,
  create,
  end,
  restart,
  move,
  link,
  nodes,
  drain,
  undrain,
}

/** Runs one of the actions. Fails with what the API said, or `unavailable` where it does not answer. */
export async function runFleet([action, ...argv]: readonly string[]): Promise<undefined> {
  const run = action !== undefined && Object.hasOwn(actions, action) ? actions[action] : undefined
  if (!run) {
    throw new NekoError('invalid', action === undefined ? fleetHelp : `there is no neko fleet ${action}\n\n${fleetHelp}`)
  }
  const { values, words } = readArguments(argv)
  const print: Asked['print'] = (reply, inWords) => {
    process.stdout.write(values.json === true ? `${JSON.stringify(reply, undefined, 2)}\n` : inWords(reply))
  }
  const url = typeof values.url === 'string' ? values.url : (process.env['NEKO_FLEET_URL'] ?? 'http://127.0.0.1:8080')
  await run({ api: new FleetApi(url, process.env['NEKO_ROOMS_API_TOKEN'] ?? ''), words, flags: values, print })
}

function readArguments(argv: readonly string[]): { values: Flags; words: string[] } {
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options: flags, allowPositionals: true })
    return { values, words: positionals }
  } catch (error) {
    throw new NekoError('invalid', `${(error as Error).message}\n\n${fleetHelp}`)
  }
}

/** The one word that an action takes. */
function onlyWord({ words }: Asked, what: string): string {
  const [word, ...more] = words
  if (word === undefined || more.length > 0) {
    throw new NekoError('invalid', `name one ${what}: see neko fleet`)
  }
  return encodeURIComponent(word)
}

async function rooms({ api, flags: { state, node }, print }: Asked): Promise<void> {
  const all: z.infer<typeof Room>[] = []
  for (let after = '', isMore = true; isMore; ) {
    const query = new URLSearchParams({ limit: '500', after, ...(state && { state: `${state}` }), ...(node && { node: `${node}` }) })
    const page = await api.call(`GET /api/rooms?${query}`, Rooms)
    all.push(...page.rooms)
    after = page.next ?? ''
    isMore = page.next !== undefined
  }
  const row = ({ id, state: is, node: at = '-', path, label, reason = '' }: z.infer<typeof Room>) => [id, is, at, path, label, reason]
  print(all, (list) => table(['ROOM', 'STATE', 'NODE', 'PATH', 'LABEL', ''], list.map(row)))
}

async function create({ api, words, flags: { label }, print }: Asked): Promise<void> {
  const ids = words.filter((word) => !word.includes('='))
  if (ids.length > 1) {
    throw new NekoError('invalid', `what is ${ids[1]}: options of a room are written NAME=VALUE`)
  }
  const options = words
    .filter((word) => word.includes('='))
    .map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)])
  const body = { ...(ids[0] !== undefined && { id: ids[0] }), ...(label && { label }), config: Object.fromEntries(options) }
  print(
    await api.call('POST /api/rooms', Room, body),
    ({ id, path, state, node }) => `room ${id} is ${state}${node ? ` on ${node}` : ''}: ${api.page(path)}\n`,
  )
}

async function end(asked: Asked): Promise<void> {
  const room = await asked.api.call(`DELETE /api/rooms/${onlyWord(asked, 'room')}`, Room)
  asked.print(room, ({ id, state }) => `room ${id} is ${state}\n`)
}

async function restart(asked: Asked): Promise<void> {
  const reply = await asked.api.call(`POST /api/rooms/${onlyWord(asked, 'room')}/restart`, z.object({ restarted: z.string() }), {})
  asked.print(reply, ({ restarted }) => `the ${restarted} was started again\n`)
}

async function move(asked: Asked): Promise<void> {
  const { to } = asked.flags
  const room = await asked.api.call(`POST /api/rooms/${onlyWord(asked, 'room')}/move`, Room, to === undefined ? {} : { node: to })
  asked.print(room, ({ id, node }) => `room ${id} starts anew on ${node}\n`)
}

async function link(asked: Asked): Promise<void> {
  const { name, role = 'user', once, hours = '24' } = asked.flags
  if (!name) {
    throw new NekoError('invalid', 'say for whom: --name NAME')
  }
  const body = { name, role, expires_in: Math.round(Number(hours) * 3600), uses: once ? 'once' : 'many' }
  const reply = await asked.api.call(`POST /api/rooms/${onlyWord(asked, 'room')}/links`, Link, body)
  asked.print(reply, ({ path, expires_at: until }) => `${asked.api.page(path)}\nuntil ${until}${once ? ', once' : ''}\n`)
}

async function nodes({ api, print }: Asked): Promise<void> {
  const list = await api.call('GET /api/nodes', z.array(Node))
  const row = (node: z.infer<typeof Node>) => [
    node.id,
    node.alive ? (node.draining ? 'draining' : 'up') : 'lost',
    `${node.rooms}/${node.max_rooms}`,
    `${node.viewers}`,
    `${Math.round(node.load)} % of ${node.cores}`,
  ]
  print(list, (all) => table(['NODE', 'STATE', 'ROOMS', 'VIEWERS', 'LOAD'], all.map(row)))
}

async function drain(asked: Asked): Promise<void> {
  const { rooms: way = 'stay' } = asked.flags
  const node = await setDraining(asked, { draining: true, rooms: way })
  asked.print(node, ({ id, rooms: has }) => `node ${id} takes no new room; it has ${has}\n`)
}

async function undrain(asked: Asked): Promise<void> {
  asked.print(await setDraining(asked, { draining: false }), ({ id }) => `node ${id} takes rooms again\n`)
}

function setDraining(asked: Asked, change: object): Promise<z.infer<typeof Node>> {
  return asked.api.call(`PATCH /api/nodes/${onlyWord(asked, 'node')}`, Node, change)
}
