import { NekoError } from '@neko-edge/kit'
import { type NodeArgs, type NodeCall, type NodeReplies, nodeCalls } from '@neko-edge/protocol'
import type { Serve } from '@neko-edge/store'
import { z } from 'zod'
import type { RoomCapture } from '../capture/room-capture.ts'
import type { Sfu } from '../sfu/sfu.ts'
import type { Blobs } from './blobs.ts'
import type { DesktopLink } from './desktop-link.ts'
import type { Facts } from './facts.ts'
import type { Feeds } from './feeds.ts'
import { type NodeNumbers, nodeFamilies } from './metrics.ts'
import type { PeerCalls } from './peer-calls.ts'
import type { TransferFolder } from './transfer-folder.ts'
import type { Uploads } from './uploads.ts'
import type { Viewers } from './viewers.ts'

/** What the calls of a control plane work on. */
export interface CallTargets {
  readonly viewers: Viewers
  /** What is asked about viewers, here or behind a relay. */
  readonly peers: PeerCalls
  readonly desktop: DesktopLink
  readonly capture: RoomCapture
  readonly facts: Facts
  readonly blobs: Blobs
  readonly feeds: Feeds
  readonly uploads: Uploads
  /** `undefined` where file transfer is off, or its directory can not be used. */
  readonly transfer: TransferFolder | undefined
  /** Opens a link in the room's application; false where that can not be. */
  readonly openLink: (url: string) => boolean
  readonly workers: Sfu['workers']
  readonly relays: NodeNumbers['relays']
  readonly restart: () => Promise<'application' | 'room'>
  /** Input with the fence of its sender's turn. */
  readonly onInput: (args: NodeArgs<'input'>) => void
  /** Where somebody without the controls points. */
  readonly onPointer: (args: NodeArgs<'pointer'>) => void
  /** The picture that private mode froze; `undefined` where there is none. */
  readonly frozen: () => Uint8Array | undefined
  readonly status: () => NodeReplies['status']
}

type Calls = { readonly [C in NodeCall]: (args: NodeArgs<C>) => NodeReplies[C] | Promise<NodeReplies[C]> }

type FileCall = Extract<NodeCall, `upload.${string}` | `files.${string}`>

/** Every call of a control plane, answered. */
export function createCalls(targets: CallTargets): Calls {
  const { viewers, peers, desktop, capture, facts, blobs, onInput, onPointer, frozen, openLink, workers, relays, restart, status } = targets
  const image = (bytes: Uint8Array) => blobs.give(bytes)
  const broadcast = (actor: string) => {
    const { isActive, url } = capture.broadcast.status
    return facts.tell('broadcast', { facts: { broadcast: { is_active: isActive, url } }, actor })
  }
  return {
    ...peers,
    input: (args) => {
      onInput(args)
      return null
    },
    pointer: (args) => {
      onPointer(args)
      return null
    },
    'screen.set': async ({ actor, size }) => {
      const screen = await desktop.setScreen(size)
      await capture.restartPictures()
      await facts.tell('screen', { facts: { screen }, actor })
      return screen
    },
    'screen.list': async () => [...(await desktop.ready()).configurations()],
    'screen.shot': async ({ quality }) => image(await (await desktop.ready()).screenshot(quality)),
    'screen.cast': async (args) => image(args.frozen ? frozenPicture(frozen()) : await capture.screencast.image()),
    'keyboard.map': async () => (await desktop.ready()).keyboardMap(),
    'keyboard.map.set': async (map) => {
      await (await desktop.ready()).setKeyboardMap(map)
      return null
    },
    'keyboard.modifiers': async () => (await desktop.ready()).modifiers(),
    'keyboard.modifiers.set': async ({ modifiers }) => {
      await (await desktop.ready()).setModifiers(definedOnly(modifiers))
      return null
    },
    'clipboard.get': async () => {
      const now = await desktop.ready()
      const [text, html] = await Promise.all([now.clipboardText(), now.clipboardHtml()])
      return { ...(text !== '' && { text }), ...(html !== '' && { html }) }
    },
    'clipboard.set': async ({ text, html }) => {
      await (await desktop.ready()).setClipboard({ ...(text !== undefined && { text }), ...(html !== undefined && { html }) })
      return null
    },
    'clipboard.image': async () => image(await (await desktop.ready()).clipboardData('image/png')),
    'broadcast.start': async ({ actor, url }) => {
      try {
        await capture.broadcast.start(url)
      } finally {
        await broadcast(actor)
      }
      return null
    },
    'broadcast.stop': async ({ actor }) => {
      await capture.broadcast.stop()
      await broadcast(actor)
      return null
    },
    'dialog.close': async () => {
      const now = await desktop.ready()
      if (!now.isFileChooserOpen) {
        throw new NekoError('notFound', 'file chooser dialog is not open')
      }
      await now.closeFileChooser()
      return null
    },
    'blob.read': (which) => blobs.read(which),
    'link.open': ({ url }) => {
      if (!openLink(url)) {
        throw new NekoError('internal', 'failed to start open command')
      }
      return null
    },
    'room.restart': async () => ({ restarted: await restart() }),
    metrics: async () => ({
      families: await nodeFamilies({
        capture,
        peers: () => viewers.all(),
        workers,
        relays,
        ignoredMessages: () => viewers.ignoredMessages,
      }),
    }),
    ...fileCalls(targets),
    ...feedCalls(targets),
    status,
  }
}

function feedCalls({ feeds }: CallTargets): Pick<Calls, Extract<NodeCall, `feed.${string}`>> {
  return {
    'feed.open': (args) => {
      feeds.open(args)
      return null
    },
    'feed.seen': (args) => {
      feeds.seen(args)
      return null
    },
    'feed.key': (args) => {
      feeds.requestKeyFrame(args)
      return null
    },
    'feed.close': (args) => {
      feeds.close(args)
      return null
    },
  }
}

function fileCalls({ desktop, uploads, transfer }: CallTargets): Pick<Calls, FileCall> {
  const folder = () => {
    if (!transfer) {
      throw new NekoError('unavailable', 'the transfer directory can not be used: see the log of the capture node')
    }
    return transfer
  }
  return {
    'upload.open': async ({ to }) => ({ upload: await uploads.begin(to) }),
    'upload.file': async ({ upload, name }) => {
      await uploads.find(upload).file(name)
      return null
    },
    'upload.write': async ({ upload, data }) => {
      await uploads.find(upload).write(Buffer.from(data, 'base64'))
      return null
    },
    'upload.drop': async ({ upload, x, y }) => {
      await uploads.hand(upload, async (files) => {
        if (!(await (await desktop.ready()).drop(files, x, y))) {
          throw new NekoError('unprocessable', 'nothing at that place takes files')
        }
      })
      return null
    },
    'upload.choose': async ({ upload }) => {
      await uploads.hand(upload, async (files) => (await desktop.ready()).chooseFiles(files))
      return null
    },
    'upload.keep': async ({ upload }) => {
      await uploads.keep(upload)
      await folder().refresh()
      return null
    },
    'upload.cancel': async ({ upload }) => {
      await uploads.cancel(upload)
      return null
    },
    'files.find': ({ name }) => folder().find(name),
    'files.read': (args) => folder().read(args),
    'files.delete': async ({ name }) => {
      await folder().delete(name)
      return null
    },
    'files.refresh': async () => {
      await folder().refresh()
      return null
    },
  }
}

function frozenPicture(picture: Uint8Array | undefined): Uint8Array {
  if (!picture) {
    throw new NekoError('invalid', 'private mode is enabled but no fallback image available')
  }
  return picture
}

const definedOnly = (modifiers: NodeArgs<'keyboard.modifiers.set'>['modifiers']) =>
  Object.fromEntries(Object.entries(modifiers).filter(([, value]) => value !== undefined))

/** Answers by name, and only what is called as it is to be: Redis is a network. */
export function serveCalls(calls: Calls): Serve {
  return (name, args) => {
    if (!Object.hasOwn(nodeCalls, name)) {
      throw new NekoError('invalid', `this capture node knows no call ${name}: it may be of an older version`)
    }
    const known = name as NodeCall
    const parsed = nodeCalls[known].safeParse(args)
    if (!parsed.success) {
      throw new NekoError('invalid', `${name}: ${z.prettifyError(parsed.error)}`)
    }
    // The schema of this very name made the arguments.
    return (calls[known] as (args: unknown) => unknown)(parsed.data)
  }
}
