import { once } from 'node:events'
import { assert, type Log } from '@neko-edge/kit'
import { type Child, type Identity, spawnChild } from '@neko-edge/process'
import type { RoomFolder } from './room-folder.ts'
import type { XServer } from './xorg.ts'

/**
 * openbox as upstream sets it up: normal windows without decoration and maximised, one workspace, focus on click. Dialogs stay
 * as they are. There is no menu and no action that runs a program: openbox is outside the application's cage.
 */
const config = `<?xml version="1.0" encoding="UTF-8"?>
<openbox_config xmlns="http://openbox.org/3.4/rc">
  <focus><focusNew>yes</focusNew><followMouse>no</followMouse><focusLast>yes</focusLast></focus>
  <placement><policy>Smart</policy><center>yes</center></placement>
  <theme><name>Clearlooks</name><titleLayout>LC</titleLayout><animateIconify>no</animateIconify></theme>
  <desktops><number>1</number><popupTime>0</popupTime></desktops>
  <resize><popupShow>Never</popupShow></resize>
  <margins><top>0</top><bottom>0</bottom><left>0</left><right>0</right></margins>
  <keyboard>
    <keybind key="A-F4"><action name="Close"/></keybind>
    <keybind key="A-Tab"><action name="NextWindow"><finalactions><action name="Focus"/><action name="Raise"/><action name="Unshade"/></finalactions></action></keybind>
    <keybind key="A-S-Tab"><action name="PreviousWindow"><finalactions><action name="Focus"/><action name="Raise"/><action name="Unshade"/></finalactions></action></keybind>
    <keybind key="W-d"><action name="ToggleShowDesktop"/></keybind>
  </keyboard>
  <mouse>
    <dragThreshold>1</dragThreshold><doubleClickTime>500</doubleClickTime>
    <context name="Titlebar"><mousebind button="Left" action="Drag"><action name="Move"/></mousebind></context>
    <context name="Titlebar Top Right Bottom Left TLCorner TRCorner BRCorner BLCorner">
      <mousebind button="Left" action="Press"><action name="Focus"/><action name="Raise"/></mousebind>
    </context>
    <context name="Top Right Bottom Left TLCorner TRCorner BRCorner BLCorner"><mousebind button="Left" action="Drag"><action name="Resize"/></mousebind></context>
    <context name="Client">
      <mousebind button="Left" action="Press"><action name="Focus"/><action name="Raise"/></mousebind>
      <mousebind button="Middle" action="Press"><action name="Focus"/><action name="Raise"/></mousebind>
      <mousebind button="Right" action="Press"><action name="Focus"/><action name="Raise"/></mousebind>
    </context>
    <context name="Close">
      <mousebind button="Left" action="Press"><action name="Focus"/><action name="Raise"/></mousebind>
      <mousebind button="Left" action="Click"><action name="Close"/></mousebind>
    </context>
  </mouse>
  <applications>
    <application type="normal"><decor>no</decor><focus>yes</focus><layer>normal</layer><maximized>true</maximized></application>
  </applications>
</openbox_config>
`

export interface WindowManagerOptions {
  readonly folder: RoomFolder
  readonly xServer: Pick<XServer, 'display' | 'authorityFile'>
  readonly identity: Identity | undefined
  readonly log: Log
}

/** How to start one run of the window manager, and how to tell that it manages windows. */
export interface WindowManager {
  readonly spawn: () => Child
  readonly ready: (child: Child, signal: AbortSignal) => Promise<void>
}

/** Writes the window manager's configuration. */
export async function prepareWindowManager({ folder, xServer, identity, log }: WindowManagerOptions): Promise<WindowManager> {
  const home = await folder.folder('openbox')
  const configFile = await folder.file('openbox/rc.xml', config)
  const spawn = (): Child =>
    spawnChild({
      name: 'openbox',
      // What it runs once it manages windows: a line on its output is how we know.
      command: ['openbox', '--sm-disable', '--config-file', configFile, '--startup', '/bin/echo ready'],
      env: {
        HOME: home,
        DISPLAY: xServer.display,
        XAUTHORITY: xServer.authorityFile,
        LANG: 'C.UTF-8',
        XDG_CONFIG_HOME: home,
        XDG_CACHE_HOME: home,
        XDG_DATA_HOME: home,
        DBUS_SESSION_BUS_ADDRESS: 'disabled:',
      },
      stdout: 'pipe',
      levels: { stderr: 'debug' },
      graceMs: 500,
      log,
      aptPackage: 'openbox',
      ...(identity && { identity }),
    })
  const ready = async ({ stdout }: Child, signal: AbortSignal): Promise<void> => {
    assert(stdout !== null, 'the window manager was given a pipe for its output')
    await once(stdout, 'data', { signal })
    stdout.resume()
  }
  return { spawn, ready }
}
