import { silentLog } from '@neko-edge/kit'
import { XConnection } from '../../src/desktop/connection.ts'

/** A window that its application gave a name. */
export interface NamedWindow {
  readonly name: string
  readonly isMaximised: boolean
  /** Pixels that the window manager drew around it: left, right, top, bottom. */
  readonly frame: readonly number[]
}

/** Every named window of a display; asks the server itself, with the cookie of `authorityFile`. */
export async function namedWindows({ display, authorityFile }: { display: string; authorityFile: string }): Promise<NamedWindow[]> {
  await using x = await XConnection.open({ display, authority: authorityFile, log: silentLog })
  const property = async (window: number, name: string): Promise<Buffer> => {
    const atom = await x.atom(name)
    const { data } = await x.ask<{ readonly data: Buffer }>(name, (client, answer) =>
      client.GetProperty(0, window, atom, 0, 0, 1_000, answer),
    )
    return data
  }
  const numbers = async (window: number, name: string): Promise<number[]> => {
    const data = await property(window, name)
    return Array.from({ length: data.length / 4 }, (_, index) => data.readUInt32LE(index * 4))
  }
  const named: NamedWindow[] = []
  const visit = async (window: number): Promise<void> => {
    const name = (await property(window, '_NET_WM_NAME')).toString('utf8')
    if (name !== '') {
      const states = await numbers(window, '_NET_WM_STATE')
      const isMaximised =
        states.includes(await x.atom('_NET_WM_STATE_MAXIMIZED_VERT')) && states.includes(await x.atom('_NET_WM_STATE_MAXIMIZED_HORZ'))
      named.push({ name, isMaximised, frame: await numbers(window, '_NET_FRAME_EXTENTS') })
    }
    const { children } = await x.ask<{ readonly children: readonly number[] }>('children', (client, answer) =>
      client.QueryTree(window, answer),
    )
    for (const child of children) {
      // A window may go while the tree is read.
      await visit(child).catch(() => undefined)
    }
  }
  await visit(x.root)
  return named
}

/** The first window whose name fits, or `undefined`; also while the display is down. */
export async function windowNamed(at: { display: string; authorityFile: string }, name: RegExp): Promise<NamedWindow | undefined> {
  const windows = await namedWindows(at).catch(() => [])
  return windows.find((window) => name.test(window.name))
}
