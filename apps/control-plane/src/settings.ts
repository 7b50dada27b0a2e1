import type { Config } from '@neko-edge/config'
import { type LockName, lockNames } from '@neko-edge/protocol'
import type { RoomDefaults } from '@neko-edge/store'
import { addressRanges } from './http/address-range.ts'
import type { HttpOptions } from './http/context.ts'
import { multiuser } from './members/multiuser.ts'
import { noauth } from './members/noauth.ts'
import type { MemberProvider } from './members/provider.ts'
import type { Features } from './session/hub.ts'

/* What the configuration means to a control plane. */

/** How a room starts. */
export function roomDefaults({ session }: Config): RoomDefaults {
  const wanted: Record<LockName, boolean> = {
    control: session.lockedControls,
    login: session.lockedLogins,
    file_transfer: session.lockedFileTransfer,
  }
  return {
    settings: {
      private_mode: session.privateMode,
      locked_logins: session.lockedLogins,
      locked_controls: session.lockedControls,
      control_protection: session.controlProtection,
      implicit_hosting: session.implicitHosting,
      inactive_cursors: session.inactiveCursors,
      merciful_reconnect: session.mercifulReconnect,
      heartbeat_interval: session.heartbeatInterval,
      plugins: session.lockedFileTransfer ? { 'filetransfer.enabled': false } : null,
    },
    locks: lockNames.filter((name) => wanted[name]),
  }
}

export function features({ chat, openinapp, filetransfer, webrtc, desktop, capture }: Config): Features {
  return {
    chat: chat.enabled,
    openInApp: openinapp.enabled,
    fileTransfer: {
      enabled: filetransfer.enabled,
      root: filetransfer.dir,
      userDownload: filetransfer.userDownload,
      userUpload: filetransfer.userUpload,
      userDelete: filetransfer.userDelete,
    },
    iceServers: webrtc.iceservers.frontend.map(({ urls, username, credential }) => ({
      urls: [...urls],
      ...(username !== undefined && { username }),
      ...(credential !== undefined && { credential }),
    })),
    fallback: { screen: desktop.screen, videos: capture.video.ids.length > 0 ? [...capture.video.ids] : ['main'] },
  }
}

export function httpOptions({ server, session, legacy: isLegacy }: Config, ownClient: string): HttpOptions {
  const { cookie } = session
  const isTrusted = addressRanges(server.proxyTrusted)
  return {
    pathPrefix: server.pathPrefix,
    cors: server.cors,
    isTrustedProxy: (address) => server.proxy && isTrusted(address),
    metrics: server.metrics,
    legacy: isLegacy,
    client: server.static === '' ? { directory: ownClient, isOurs: true } : { directory: server.static, isOurs: false },
    apiToken: session.apiToken,
    cookie,
  }
}

export function memberProvider({ member }: Config): MemberProvider {
  switch (member.provider) {
    case 'multiuser':
      return multiuser(member.multiuser)
    case 'noauth':
      return noauth
    default:
      throw new Error(`member provider ${member.provider}`)
  }
}
