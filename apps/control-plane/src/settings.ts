import type { Config } from '@neko-edge/config'
import { NekoError } from '@neko-edge/kit'
import { type LockName, lockNames } from '@neko-edge/protocol'
import { type Connection, MemberStore, type RoomDefaults } from '@neko-edge/store'
import { addressRanges } from './http/address-range.ts'
import type { HttpOptions } from './http/context.ts'
import { fileMembers } from './members/file.ts'
import { multiuser } from './members/multiuser.ts'
import { noauth } from './members/noauth.ts'
import { objectMembers } from './members/object.ts'
import type { MemberProvider } from './members/provider.ts'
import { redisMembers } from './members/redis.ts'
import type { Runtime } from './runtime.ts'
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

export function features({ rooms, webhook, session, chat, openinapp, filetransfer, webrtc, stream, desktop, capture }: Config): Features {
  return {
    chat: chat.enabled,
    openInApp: openinapp.enabled,
    hasWebhook: webhook.url !== '',
    maxMembers: rooms.maxMembers,
    listedMax: session.listedMax,
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
    stream: { enabled: stream.enabled, maxViewers: stream.maxViewers },
    fallback: { screen: desktop.screen, videos: capture.video.ids.length > 0 ? [...capture.video.ids] : ['main'] },
  }
}

export function httpOptions({ server, session, rooms, desktop, openinapp, legacy: isLegacy }: Config, ownClient: string): HttpOptions {
  const { cookie } = session
  const isTrusted = addressRanges(server.proxyTrusted)
  return {
    pathPrefix: server.pathPrefix,
    cors: server.cors,
    frameAncestors: server.frameAncestors,
    // Whoever can open the unix socket is on this machine, and a client is never at its other end.
    isTrustedProxy: (address) => server.proxy && (address === 'unix' || isTrusted(address)),
    metrics: server.metrics,
    pprof: server.pprof,
    legacy: isLegacy,
    client: server.static === '' ? { directory: ownClient, isOurs: true } : { directory: server.static, isOurs: false },
    apiToken: session.apiToken,
    fleetToken: rooms.apiToken,
    uploadDrop: desktop.uploadDrop,
    fileChooserDialog: desktop.fileChooserDialog,
    openCommand: openinapp.openCommand,
    cookie,
  }
}

/** What can only be known on the machine itself. Fails with `invalid` and a remedy before anything is opened. */
export async function checkSettings({ server }: Config, { isFolder }: Pick<Runtime, 'isFolder'>): Promise<void> {
  if (server.static !== '' && !(await isFolder(server.static))) {
    throw new NekoError(
      'invalid',
      `server.static: ${server.static} is not a directory that can be read: leave it empty for the built-in client`,
    )
  }
}

/** Where members come from; those that the configuration names are made where they are to be kept. */
export async function memberProvider(
  { member }: Config,
  { connection, runtime }: { connection: Connection; runtime: Runtime },
): Promise<MemberProvider> {
  switch (member.provider) {
    case 'multiuser':
      return multiuser(member.multiuser)
    case 'noauth':
      return noauth
    case 'object':
      return objectMembers(new MemberStore(connection, 'object'), member.object.users)
    case 'file':
      return fileMembers(member.file, runtime)
    case 'redis':
      return redisMembers(new MemberStore(connection, 'redis'), member.redis.users)
    default:
      return member.provider satisfies never
  }
}
