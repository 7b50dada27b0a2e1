import { isIP } from 'node:net'
import { type PortRange, printPortRange, readPortRange } from '../value/network.ts'
import { choice, decimal, duration, flag, integer, json, list, type Option, parsed, text } from './option.ts'
import { type IceServer, iceServers } from './shape.ts'

const noServers: readonly IceServer[] = []
const serversForm = 'a list such as [{"urls":["turn:turn.example.org:3478"],"username":"…","credential":"…"}]'
const backendInert = 'the SFU is ICE-lite: it needs no STUN or TURN server of its own'

const estimatorInert = "mediasoup's own estimator decides when to switch"

const estimatorTime = (about: string, ms: number): Option<number, 'duration'> =>
  duration({ default: ms, min: 100, max: 3_600_000, about, inert: estimatorInert })

/** Connections to viewers. */
export const webrtc = {
  'webrtc.icelite': flag({ default: false, about: 'ICE-lite', inert: 'the SFU is always ICE-lite' }),
  'webrtc.icetrickle': flag({ default: true, about: 'Send candidates as they come', inert: 'every offer holds all candidates' }),
  'webrtc.iceservers': {
    ...json({
      default: noServers,
      secret: true,
      about: 'STUN and TURN servers for clients and server, unless frontend or backend is set',
      form: serversForm,
      shape: iceServers,
    }),
    spread: ['webrtc.iceservers.frontend', 'webrtc.iceservers.backend'],
  },
  'webrtc.iceservers.frontend': json({
    default: noServers,
    secret: true,
    about: "STUN and TURN servers that clients use; none set: Google's STUN server",
    form: serversForm,
    shape: iceServers,
  }),
  'webrtc.iceservers.backend': json({
    default: noServers,
    secret: true,
    about: 'STUN and TURN servers that the server uses',
    form: serversForm,
    shape: iceServers,
    inert: backendInert,
  }),
  'webrtc.epr': parsed<PortRange | undefined>({
    default: undefined,
    about: 'UDP ports of viewers; 59000-59100 if neither it nor a mux port is set',
    form: 'a range such as 59000-59100',
    read: readPortRange,
    write: printPortRange,
  }),
  'webrtc.tcpmux': integer({ default: 0, min: 0, max: 65_535, about: 'One TCP port for all viewers; 0: none' }),
  'webrtc.udpmux': integer({ default: 0, min: 0, max: 65_535, about: 'One UDP port for all viewers instead of a range; 0: none' }),
  'webrtc.nat1to1': list({
    default: [],
    about: 'Addresses that viewers reach this machine at, instead of its own',
    form: 'IP addresses or host names',
    check: (word) =>
      isIP(word) !== 0 || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(word) ? undefined : `holds ${word}, which is not an address`,
  }),
  'webrtc.ip_retrieval_url': text({
    default: 'https://checkip.amazonaws.com',
    about: 'Where to ask for the public address if nat1to1 is empty; none: do not ask',
    form: 'an http or https URL, or none',
    check: (value) => (value === '' || value === 'none' || isHttpUrl(value) ? undefined : 'is not an http URL'),
  }),
  'webrtc.setup': choice({
    default: 'active',
    choices: ['active', 'actpass'],
    since: 'edge',
    about: 'DTLS role in the offer: active is faster, actpass is what every client takes',
  }),
  'webrtc.estimator.enabled': flag({ default: false, room: true, about: 'Choose the pipeline by the bandwidth of the viewer' }),
  'webrtc.estimator.passive': flag({
    default: false,
    room: true,
    about: 'Never switch, whatever the estimate: as if the estimator were off',
  }),
  'webrtc.estimator.debug': flag({ default: false, about: 'Log every estimate of the bandwidth of a viewer' }),
  'webrtc.estimator.initial_bitrate': integer({
    default: 1_000_000,
    min: 1000,
    max: 1_000_000_000,
    unit: 'bit/s',
    room: true,
    about: 'First estimate',
  }),
  'webrtc.estimator.read_interval': estimatorTime('Time between two looks', 2000),
  'webrtc.estimator.stable_duration': estimatorTime('Stable for so long before an upgrade', 12_000),
  'webrtc.estimator.unstable_duration': estimatorTime('Unstable for so long before a downgrade', 6000),
  'webrtc.estimator.stalled_duration': estimatorTime('Neutral but too low for so long before a downgrade', 24_000),
  'webrtc.estimator.downgrade_backoff': estimatorTime('Time after a downgrade before the next', 10_000),
  'webrtc.estimator.upgrade_backoff': estimatorTime('Time after an upgrade before the next', 5000),
  'webrtc.estimator.diff_threshold': decimal({
    default: 0.15,
    min: -1,
    max: 1,
    about: 'Relative difference that counts; negative: no check',
    inert: estimatorInert,
  }),
} as const

function isHttpUrl(value: string): boolean {
  const url = URL.parse(value)
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:')
}
