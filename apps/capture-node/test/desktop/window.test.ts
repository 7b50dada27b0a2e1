import { until } from '@neko-edge/kit'
import { expect, test } from 'vitest'
import type { XEvent } from 'x11'
import { EventInbox } from '../../src/desktop/event-inbox.ts'
import { openTestDesktop, type TestDesktop } from './open.fixture.ts'
import type { TestWindow } from './test-window.fixture.ts'

const managerMask = 0x18_0000
const stringType = 31

/** Says something to the window manager, as applications do. */
async function tellManager({ connection, id }: TestWindow, type: string, data: readonly number[]): Promise<void> {
  const atom = await connection.atom(type)
  connection.send((x) => x.SendClientMessage(connection.root, id, atom, 32, data, managerMask))
  await connection.settle()
}

test('[DSK-60] a window that is minimised comes straight back', async () => {
  await using it = await openTestDesktop()
  const window = await it.openWindow()
  const inbox = new EventInbox(
    window.connection,
    (event): event is Extract<XEvent, { name: 'MapNotify' | 'UnmapNotify' | 'DestroyNotify' | 'ReparentNotify' }> =>
      event.name === 'MapNotify' || event.name === 'UnmapNotify',
  )
  await tellManager(window, 'WM_CHANGE_STATE', [3])
  expect([(await inbox.next(2_000, 'unmapping')).name, (await inbox.next(2_000, 'mapping')).name]).toEqual(['UnmapNotify', 'MapNotify'])
})

test('[DSK-61] leaving full screen on a screen of another size fits the window anew', async () => {
  await using it = await openTestDesktop()
  const window = await it.openWindow()
  const { connection } = window
  const atoms = await connection.atoms('_NET_WM_STATE_FULLSCREEN', '_NET_WM_STATE_MAXIMIZED_VERT', '_NET_WM_STATE_MAXIMIZED_HORZ')
  connection.send((x) => x.ChangeWindowAttributes(connection.root, { eventMask: 0x8_0000 }))
  await connection.settle()
  const seen: string[] = []
  connection.onEvent((event) => {
    if (event.name === 'ClientMessage' && event.data[1] === atoms._NET_WM_STATE_MAXIMIZED_VERT) {
      seen.push(event.data.slice(0, 4).join())
    }
  })
  await tellManager(window, '_NET_WM_STATE', [1, atoms._NET_WM_STATE_FULLSCREEN, 0])
  await tellManager(window, '_NET_WM_STATE', [0, atoms._NET_WM_STATE_FULLSCREEN, 0])
  await tellManager(window, '_NET_WM_STATE', [1, atoms._NET_WM_STATE_FULLSCREEN, 0])
  await it.desktop.setScreen({ width: 800, height: 600, rate: 60 })
  expect(seen).toEqual([])
  await tellManager(window, '_NET_WM_STATE', [0, atoms._NET_WM_STATE_FULLSCREEN, 0])
  const toggle = [2, atoms._NET_WM_STATE_MAXIMIZED_VERT, atoms._NET_WM_STATE_MAXIMIZED_HORZ, 1].join()
  await until(() => seen.length === 2, { ms: 2_000, what: 'the toggles' })
  expect(seen).toEqual([toggle, toggle])
})

/** A window that looks like GTK's dialog to the desktop. */
async function openDialog(it: TestDesktop): Promise<TestWindow> {
  const window = await it.openWindow()
  const { connection, id } = window
  const { WM_WINDOW_ROLE, WM_NAME } = await connection.atoms('WM_WINDOW_ROLE', 'WM_NAME')
  connection.send((x) => {
    x.UnmapWindow(id)
    x.ChangeProperty(0, id, WM_WINDOW_ROLE, stringType, 8, Buffer.from('GtkFileChooserDialog'))
    x.ChangeProperty(0, id, WM_NAME, stringType, 8, Buffer.from('Open Files'))
    x.MapWindow(id)
  })
  await connection.settle()
  return window
}

test('[DSK-62] a file chooser dialog is told when it opens and closes, and asked to close by its own protocol', async () => {
  await using it = await openTestDesktop({ fileChooser: true })
  const seen: boolean[] = []
  it.desktop.onFileChooser((isOpen) => seen.push(isOpen))
  await expect(it.desktop.chooseFiles(['/tmp/a'])).rejects.toMatchObject({ code: 'notFound' })
  const { connection, id } = await openDialog(it)
  await until(() => it.desktop.isFileChooserOpen, { ms: 2_000, what: 'the dialog' })
  const deleteWindow = await connection.atom('WM_DELETE_WINDOW')
  connection.onEvent((event) => {
    if (event.name === 'ClientMessage' && event.data[0] === deleteWindow) {
      connection.send((x) => x.DestroyWindow(id))
    }
  })
  await it.desktop.closeFileChooser()
  expect(it.desktop.isFileChooserOpen).toBe(false)
  expect(seen).toEqual([true, false])
})

test('[DSK-63] files are chosen by typing their path into the dialog; one that stays open is an error', { timeout: 15_000 }, async () => {
  await using it = await openTestDesktop({ fileChooser: true })
  const dialog = await openDialog(it)
  dialog.connection.send((x) => x.SetInputFocus(dialog.id, 1))
  await until(() => it.desktop.isFileChooserOpen, { ms: 2_000, what: 'the dialog' })
  const choosing = expect(it.desktop.chooseFiles(['/T/ü'])).rejects.toMatchObject({ code: 'unprocessable' })
  expect(await dialog.nextPresses(10)).toEqual([0xffe3, 0x6c, 0x2f, 0x54, 0x2f, 0xfc, 0xffff, 0xffe9, 0x6f, 0xff0d])
  await choosing
})

test('[DSK-64] files of several folders, or none, are not for a dialog', async () => {
  await using it = await openTestDesktop({ fileChooser: true })
  await expect(it.desktop.chooseFiles(['/tmp/a', '/var/b'])).rejects.toMatchObject({ code: 'invalid' })
  await expect(it.desktop.chooseFiles([])).rejects.toMatchObject({ code: 'invalid' })
})
