import { type Clock, systemClock } from '@neko-edge/kit'
import { type OpenThin, openThinLine } from './ladder.ts'
import type { SocketLike } from './link.ts'
import { type OpenPeer, openBrowserPeer } from './peer.ts'
import { type SendForm, sendByXhr } from './send-form.ts'
import { openBrowserDevice, type ShareOptions } from './share.ts'

/** What the client takes from the browser; tests hand in their own. */
export interface Platform {
  clock: Clock
  fetch: (url: string, init: RequestInit) => Promise<Response>
  openSocket: (url: string) => SocketLike
  /** `undefined` where there is no WebRTC. */
  openPeer: OpenPeer | undefined
  openThin: OpenThin
  sendForm: SendForm
  openDevice: ShareOptions['openDevice']
  random: () => number
  /** The origin of the page; `undefined` outside of one. */
  origin: string | undefined
}

/** The browser that this runs in. */
export const browserPlatform = (): Platform => ({
  clock: systemClock,
  fetch: (url, init) => fetch(url, init),
  openSocket: (url) => new WebSocket(url),
  openPeer: 'RTCPeerConnection' in globalThis ? openBrowserPeer : undefined,
  openThin: openThinLine,
  sendForm: sendByXhr,
  openDevice: openBrowserDevice,
  random: Math.random,
  origin: globalThis.location?.origin,
})
