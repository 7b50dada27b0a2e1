import { flag, integer } from './option.ts'

/** The thin line: pictures and sound over the WebSocket, for viewers whom WebRTC does not reach. Upstream has none. */
export const stream = {
  'stream.enabled': flag({
    default: true,
    since: 'edge',
    about: 'Send pictures and sound over a WebSocket to viewers whom WebRTC does not reach',
  }),
  'stream.max_viewers': integer({
    default: 100,
    min: 1,
    max: 100_000,
    since: 'edge',
    about: 'Viewers of a room over the WebSocket that one control plane takes; each costs it the bit rate of the picture',
  }),
} as const
