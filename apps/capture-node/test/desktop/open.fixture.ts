import { type Clock, createLog } from '@neko-edge/kit'
import type { Desktop } from '../../src/desktop/desktop.ts'
import { openX11Desktop, type X11DesktopOptions } from '../../src/desktop/x11-desktop.ts'
import { TestWindow } from './test-window.fixture.ts'
import { startXorg, type TestXorg } from './xorg.fixture.ts'

/** A desktop on an X server of its own, and the warnings that it logged. */
export interface TestDesktop extends AsyncDisposable {
  readonly xorg: TestXorg
  readonly desktop: Desktop
  readonly warnings: readonly string[]
  /** Another application with a window over the whole screen. Closed with the rest. */
  openWindow(): Promise<TestWindow>
}

export async function openTestDesktop(
  options: Partial<Pick<X11DesktopOptions, 'fileChooser' | 'touchSocket'>> & { clock?: Clock } = {},
): Promise<TestDesktop> {
  await using stack = new AsyncDisposableStack()
  const warnings: string[] = []
  const log = createLog((level, fields, message) => {
    if (level === 'warn' || level === 'error') {
      warnings.push(`${message} ${JSON.stringify(fields)}`)
    }
  })
  const xorg = stack.use(await startXorg())
  const desktop = stack.use(await openX11Desktop({ display: xorg.display, authority: xorg.authority, log, ...options }))
  const owned = stack.move()
  return {
    xorg,
    desktop,
    warnings,
    openWindow: async () => owned.use(await TestWindow.open(xorg)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
