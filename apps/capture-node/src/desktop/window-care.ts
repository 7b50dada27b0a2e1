import type { XEvent } from 'x11'
import type { XConnection } from './connection.ts'
import type { ScreenSize } from './desktop.ts'
import { substructureNotifyMask, substructureRedirectMask } from './masks.ts'

const normalState = 1
const stateAction = { remove: 0, add: 1, toggle: 2 } as const
const sourceApplication = 1

type Message = Extract<XEvent, { name: 'ClientMessage' }>

interface Options {
  /** Whether windows that are minimised come straight back. */
  readonly unminimize: boolean
  readonly size: () => ScreenSize
}

/**
 * Two courtesies for applications on a desktop without a task bar: a window that is minimised comes back, and one that leaves full
 * screen is fitted to a screen whose size has changed meanwhile. Needs SubstructureNotify on the root window.
 */
export async function careForWindows(connection: XConnection, { unminimize, size }: Options): Promise<void> {
  const atoms = await connection.atoms(
    'WM_CHANGE_STATE',
    '_NET_WM_STATE',
    '_NET_WM_STATE_FULLSCREEN',
    '_NET_WM_STATE_MAXIMIZED_VERT',
    '_NET_WM_STATE_MAXIMIZED_HORZ',
  )
  let sizeAtFullScreen: ScreenSize | undefined

  const restore = (window: number) =>
    connection.send((x) => {
      x.UnmapWindow(window)
      x.MapWindow(window)
    })

  const refit = (window: number) => {
    const data = [stateAction.toggle, atoms._NET_WM_STATE_MAXIMIZED_VERT, atoms._NET_WM_STATE_MAXIMIZED_HORZ, sourceApplication]
    connection.send((x) => {
      // There and back: the window ends as it was, with a size that is computed anew.
      for (let i = 0; i < 2; i++) {
        x.SendClientMessage(connection.root, window, atoms._NET_WM_STATE, 32, data, substructureRedirectMask | substructureNotifyMask)
      }
    })
  }

  const onState = ({ wid, data: [action, ...states] }: Message) => {
    if (!states.slice(0, 2).includes(atoms._NET_WM_STATE_FULLSCREEN)) {
      return
    }
    if (action === stateAction.add) {
      sizeAtFullScreen = size()
    } else if (action === stateAction.remove && sizeAtFullScreen !== undefined) {
      const { width, height } = size()
      if (width !== sizeAtFullScreen.width || height !== sizeAtFullScreen.height) {
        refit(wid)
      }
    }
  }

  connection.onEvent((event) => {
    if (event.name !== 'ClientMessage') {
      return
    }
    if (event.message_type === atoms.WM_CHANGE_STATE && unminimize && event.data[0] !== normalState) {
      restore(event.wid)
    } else if (event.message_type === atoms._NET_WM_STATE) {
      onState(event)
    }
  })
}
