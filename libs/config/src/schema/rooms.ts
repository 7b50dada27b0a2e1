import { choice, duration, flag, integer, text } from './option.ts'

const year = 365 * 86_400_000

const isWebUrl = (value: string): boolean => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)

/** Many rooms: who may make them, how long they live, who is told, and how many a node takes. */
export const rooms = {
  'rooms.api_token': text({
    default: '',
    secret: true,
    since: 'edge',
    about: 'Token with which a machine calls the rooms API (/api/rooms); empty: the API is off',
    form: 'at least 16 characters without a space',
    check: (value) => (/^$|^[\x21-\x7e]{16,}$/.test(value) ? undefined : 'is not at least 16 characters of ASCII without a space'),
  }),
  'rooms.default': flag({ default: true, since: 'edge', about: 'Run the room default, which is served at /' }),
  'rooms.max_members': integer({
    default: 0,
    min: 0,
    max: 1_000_000,
    unit: 'members',
    room: true,
    since: 'edge',
    about: 'Members who may be connected at once, admins not counted; 0: no limit',
  }),
  'rooms.timeout.empty': duration({
    default: 0,
    min: 0,
    max: year,
    room: true,
    since: 'edge',
    about: 'End a room that nobody is connected to for so long; 0: never. The room default does not end',
  }),
  'rooms.timeout.inactive': duration({
    default: 0,
    min: 0,
    max: year,
    room: true,
    since: 'edge',
    about: 'End a room in which nobody comes, goes or does anything for so long; 0: never',
  }),
  'rooms.timeout.absolute': duration({
    default: 0,
    min: 0,
    max: year,
    room: true,
    since: 'edge',
    about: 'End a room so long after it was created; 0: never',
  }),
  'rooms.timeout.warning': duration({
    default: 60_000,
    min: 0,
    max: 86_400_000,
    room: true,
    since: 'edge',
    about: 'Tell so long before a time-out that it will end the room; 0: do not',
  }),
  'webhook.url': text({
    default: '',
    room: true,
    since: 'edge',
    about: 'Address that is told by POST when rooms start and end, people come and go, a node is lost; empty: nobody',
    form: 'a URL such as https://example.org/hook',
    check: (value) => (value === '' || isWebUrl(value) ? undefined : 'is not an http or https URL'),
  }),
  'webhook.secret': text({
    default: '',
    secret: true,
    room: true,
    since: 'edge',
    about: 'Secret of the signatures of webhooks (Standard Webhooks); needed with webhook.url',
    form: 'whsec_ and base64 of 24 to 64 bytes',
    check: (value) => (value === '' || isSecret(value) ? undefined : 'is not whsec_ and base64 of 24 to 64 bytes'),
  }),
  'webhook.allow_private': flag({
    default: false,
    since: 'edge',
    about: 'Let webhooks go to loopback, private and link-local addresses',
  }),
  'node.max_rooms': integer({
    default: 0,
    min: 0,
    max: 1000,
    unit: 'rooms',
    since: 'edge',
    about: 'Rooms that this node takes; 0: as many as it has processors',
  }),
  'node.max_load': integer({
    default: 100,
    min: 10,
    max: 100,
    unit: '% of all processors',
    since: 'edge',
    about: 'Measured load from which this node takes no new room; 100: it always does',
  }),
  'node.max_viewers': integer({
    default: 0,
    min: 0,
    max: 1_000_000,
    unit: 'viewers',
    since: 'edge',
    about: 'Viewers that this node serves, over all its rooms; 0: no limit',
  }),
  'node.on_stop': choice({
    default: 'move',
    choices: ['move', 'end'],
    since: 'edge',
    about: 'What becomes of rooms when their node is stopped: they go to another node or wait for one, or they end',
  }),
} as const

function isSecret(value: string): boolean {
  const [, text = ''] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(value) ?? []
  const bytes = Math.floor((text.replaceAll('=', '').length * 3) / 4)
  return bytes >= 24 && bytes <= 64
}
