import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TestBrowser } from '@neko-edge/testing/chromium'
import { V3Viewer } from '@neko-edge/testing/viewer'
import type { BrowserContext, CDPSession, Page } from 'playwright-core'
import { Stack } from './stack.ts'
import { type Site, Visitor } from './visitor.ts'

/** Windows that people have, in CSS pixels. */
export const sizes = {
  desktop: { width: 1400, height: 800 },
  tablet: { width: 820, height: 1100 },
  phone: { width: 390, height: 844 },
} as const
export type Size = keyof typeof sizes
const themes = ['light', 'dark'] as const

/** One state of the page in one window and theme, on the screen now. */
export interface Look {
  readonly name: string
  readonly size: Size
  readonly theme: (typeof themes)[number]
  readonly page: Page
}

const prefix = '/deep/down'

/** Names and texts as a hostile or an unlucky person has them. */
export const oddNames = [
  '<img src=x onerror="document.title=1">',
  '\u202Eesrever \u202D',
  `${'long '.repeat(18)}name`,
  'مرحبا بالعالم',
  '李小龍',
  'Włodzimierz Brzęczyszczykiewicz',
]

interface World extends Site {
  /** An administrator at the controls. */
  readonly ann: Visitor
  readonly bob: Visitor
}

interface State {
  readonly name: string
  readonly show: (world: World) => Promise<Visitor>
  /** Undoes what would show in other states too. */
  readonly undo?: (world: World) => Promise<unknown>
}

const room =
  (who: 'ann' | 'bob', steps: (visitor: Visitor) => Promise<unknown>) =>
  async (world: World): Promise<Visitor> => {
    await world[who].rest()
    await steps(world[who])
    return world[who]
  }

const stranger =
  (link: Readonly<Record<string, string>>, steps: (visitor: Visitor) => Promise<unknown>, options: { cuts?: boolean } = {}) =>
  async (world: World): Promise<Visitor> => {
    const visitor = await Visitor.open(world, link, options)
    await steps(visitor)
    return visitor
  }

/** Opens the menu of somebody, and goes on in any language: what is dangerous stands last, and before it the permissions. */
async function choose({ page }: Visitor, name: string, item?: 'permissions' | 'danger'): Promise<void> {
  await page.locator('li[data-session]', { hasText: name }).first().locator('button').click()
  if (item !== undefined) {
    const of = page.locator('.menu button')
    await (item === 'danger' ? of.and(page.locator('.danger')).first() : of.and(page.locator(':not(.danger)')).last()).click()
  }
}

const dismissed = (message: string) =>
  stranger({}, async (visitor) => {
    await visitor.signIn('dan', 'neko')
    await visitor.page.locator('.room[data-me]').waitFor()
    visitor.tell('system/disconnect', { message })
    await visitor.page.locator('.overlay button').waitFor()
  })

const states: readonly State[] = [
  { name: 'login', show: stranger({}, async () => {}) },
  { name: 'login-invited', show: stranger({ pwd: 'neko' }, async () => {}) },
  {
    name: 'login-refused',
    show: stranger({}, async (visitor) => {
      await visitor.signIn('ann', 'wrong')
      await visitor.page.locator('[data-trouble=wrong-password]').waitFor()
    }),
  },
  { name: 'login-nameless', show: stranger({}, (visitor) => visitor.signIn('', 'neko')) },
  {
    name: 'joining',
    show: stranger(
      {},
      async (visitor) => {
        await visitor.signIn('cut', 'neko')
        await visitor.page.locator('.room[data-state=joining]').waitFor()
      },
      { cuts: true },
    ),
  },
  { name: 'replaced', show: dismissed('connection replaced') },
  { name: 'removed', show: dismissed('kicked') },
  {
    name: 'reconnecting',
    show: stranger({}, async (visitor) => {
      await visitor.signIn('lost', 'neko')
      await visitor.live()
      visitor.tell('system/disconnect', { message: 'connection shutdown' })
      await visitor.page.routeWebSocket(/\/api\/ws/, (socket) => socket.close())
      await visitor.page.evaluate(() => dispatchEvent(new Event('offline')))
      visitor.cut()
      await visitor.page.locator('.room[data-state=reconnecting]').waitFor()
    }),
  },
  {
    name: 'blind',
    show: stranger({}, async (visitor) => {
      await visitor.signIn('dim', 'neko')
      await visitor.page.locator('.room[data-me]').waitFor()
      visitor.tell('session/profile', { id: await visitor.me, name: 'dim', is_admin: false, can_host: false, can_watch: false })
      await visitor.page.locator('.room[data-state=blind]').waitFor()
    }),
  },
  { name: 'embed', show: stranger({ embed: '1', usr: 'emma', pwd: 'neko' }, (visitor) => visitor.live()) },
  { name: 'cast', show: stranger({ cast: '1', usr: 'cara', pwd: 'neko' }, (visitor) => visitor.live()) },
  { name: 'room', show: room('ann', async () => {}) },
  { name: 'chat', show: room('ann', (ann) => ann.open('chat')) },
  {
    name: 'chat-emotes',
    show: room('ann', async (ann) => {
      await ann.open('chat')
      await ann.page.locator('.composer button[aria-expanded]').click()
    }),
  },
  {
    name: 'chat-emoji',
    show: room('ann', async (ann) => {
      await ann.open('chat')
      await ann.page.locator('.composer button[aria-expanded]').click()
      await ann.page.locator('[role=radio]').last().click()
      await ann.page.locator('.emoji-picker .grid button').first().waitFor()
    }),
  },
  { name: 'people', show: room('ann', (ann) => ann.open('people')) },
  {
    name: 'people-menu',
    show: room('ann', async (ann) => {
      await ann.open('people')
      await choose(ann, 'bob')
    }),
  },
  {
    name: 'people-sure',
    show: room('ann', async (ann) => {
      await ann.open('people')
      await choose(ann, 'bob', 'danger')
    }),
  },
  {
    name: 'permissions',
    show: room('ann', async (ann) => {
      await ann.open('people')
      await choose(ann, 'bob', 'permissions')
      await ann.page.locator('dialog').waitFor()
    }),
  },
  { name: 'files', show: room('ann', (ann) => ann.open('files')) },
  {
    name: 'files-trouble',
    show: room('ann', async (ann) => {
      await ann.open('files')
      await ann.page.locator('[data-file="notes.txt"] button').last().click()
      await ann.page.route('**/api/filetransfer**', (route) => route.abort())
      await ann.page
        .locator('input[name=upload]')
        .setInputFiles({ name: `${'a long '.repeat(12)}name.pdf`, mimeType: '', buffer: Buffer.from('x') })
      await ann.page.locator('[data-transfer][data-failed=true]').waitFor()
    }),
    undo: async ({ ann }) => {
      await ann.page.unroute('**/api/filetransfer**')
      await ann.page.locator('[data-transfer] button').first().click()
    },
  },
  {
    name: 'clipboard',
    show: room('ann', async (ann) => {
      await ann.page.locator('[data-opens=clipboard]').click()
      await ann.page.locator('[data-panel=clipboard]').waitFor()
    }),
  },
  { name: 'settings', show: room('ann', (ann) => ann.open('settings')) },
  {
    name: 'settings-below',
    show: room('ann', async (ann) => {
      await ann.open('settings')
      await ann.page.locator('.settings-body').evaluate((body) => body.scrollTo(0, body.scrollHeight))
    }),
  },
  {
    name: 'quality',
    show: room('ann', (ann) => ann.page.locator('.tools [aria-haspopup]').click()),
  },
  {
    name: 'statistics',
    show: room('ann', async (ann) => {
      ann.tell('control/request', { id: 'nobody' })
      await ann.page.evaluate(() => document.querySelector('neko-view')?.dispatchEvent(new Event('soundblocked')))
      const button = ann.page.locator('[data-shows=statistics]')
      if (await button.isVisible()) {
        await button.click()
      }
      await ann.page.locator('.notice button').first().waitFor()
    }),
    undo: async ({ ann }) => {
      await ann.page.locator('.sound-hint').click()
      await ann.page.locator('.notice button').last().click()
      const button = ann.page.locator('[data-shows=statistics]')
      if (await button.isVisible()) {
        await button.click()
      }
    },
  },
  {
    name: 'file-dialog',
    show: room('ann', async (ann) => {
      ann.tell('file_chooser_dialog/opened', { id: await ann.me })
      await ann.page.locator('dialog').waitFor()
    }),
    undo: async ({ ann }) => ann.tell('file_chooser_dialog/closed', {}),
  },
  { name: 'user', show: room('bob', (bob) => bob.open('settings')) },
  {
    name: 'user-locked',
    show: room('bob', async (bob) => {
      const settings = { id: '', private_mode: false, locked_logins: true, locked_controls: true, control_protection: false }
      const plugins = { 'chat.can_send': false, 'filetransfer.enabled': false }
      bob.tell('system/settings', { ...settings, implicit_hosting: false, inactive_cursors: false, merciful_reconnect: true, plugins })
      await bob.open('files')
    }),
  },
  { name: 'user-muted', show: room('bob', (bob) => bob.open('chat')) },
]

/** The whole product with a lively room, and every state of the page in it. */
export class Looks implements AsyncDisposable {
  readonly #world: World
  readonly #owned: AsyncDisposableStack

  private constructor(world: World, owned: AsyncDisposableStack) {
    this.#world = world
    this.#owned = owned
  }

  /** `language` as the page has it. */
  static async open({ language = 'en' } = {}): Promise<Looks> {
    await using owned = new AsyncDisposableStack()
    const folder = await mkdtemp(join(tmpdir(), 'neko-looks-'))
    owned.defer(() => rm(folder, { recursive: true, force: true }))
    await Promise.all(['notes.txt', 'holiday film.mp4', '<b>bold<b> & more.html'].map((name) => writeFile(join(folder, name), name)))
    const env = {
      NEKO_SERVER_PATH_PREFIX: prefix,
      NEKO_FILETRANSFER_ENABLED: 'true',
      NEKO_FILETRANSFER_DIR: folder,
    }
    const stack = owned.use(await Stack.open({ env }))
    const url = `${stack.url}${prefix}/`
    const browser = owned.use(await TestBrowser.open({ size: sizes.desktop }))
    const ann = await Visitor.open({ browser, url, language })
    await ann.signIn('ann', 'admin')
    await ann.live()
    await ann.page.locator('.control .primary').click()
    await ann.page.locator('.room[data-host=me]').waitFor()
    const bob = await Visitor.open({ browser, url, language })
    await bob.signIn('bob', 'neko')
    await bob.live()
    for (const [index, username] of oddNames.entries()) {
      const viewer = owned.use(await V3Viewer.open({ url, username, password: 'neko' }))
      viewer.send('chat/message', { text: index === 2 ? 'x'.repeat(400) : `${username} **says** \`hi\` ||to all|| https://example.org/` })
    }
    return new Looks({ url, language, browser, ann, bob }, owned.move())
  }

  /** The page of an administrator at the controls, at a desk and with nothing open. */
  async rest(): Promise<Page> {
    const { ann } = this.#world
    await resize(ann.page, 'desktop')
    await ann.rest()
    return ann.page
  }

  /** All pages of this browser. */
  get context(): BrowserContext {
    return this.#world.browser.context
  }

  /** Another page at the same address, where nobody is signed in. */
  async newPage(): Promise<Page> {
    const { page } = await Visitor.open(this.#world)
    return page
  }

  /**
   * Every state in both themes and in the windows of `only`, one after the other: it is brought about in the first of them, which is then made
   * as large as the others. Only those whose name has one of the parts in it that `part` names, with commas between them.
   */
  async *each({ part = '', only = ['desktop'] }: { part?: string; only?: readonly [Size, ...Size[]] } = {}): AsyncGenerator<Look> {
    const { ann, bob } = this.#world
    for (const { name, show, undo } of states.filter((state) => part.split(',').some((each) => state.name.includes(each)))) {
      const atFirst = () => Promise.all([ann, bob].map((visitor) => resize(visitor.page, only[0])))
      await atFirst()
      const { page } = await show(this.#world)
      for (const size of only) {
        await resize(page, size)
        for (const theme of themes) {
          await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' })
          await page.evaluate(settled)
          yield { name, size, theme, page }
        }
      }
      await atFirst()
      await undo?.(this.#world)
      if (page !== ann.page && page !== bob.page) {
        await page.close()
      }
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned.disposeAsync()
  }
}

/** What Chromium emulates lasts as long as who asked for it. */
const emulators = new WeakMap<Page, CDPSession>()

/** A phone and a tablet have no mouse: the page sees that too. */
async function resize(page: Page, size: Size): Promise<void> {
  const emulator = emulators.get(page) ?? (await page.context().newCDPSession(page))
  emulators.set(page, emulator)
  await emulator.send('Emulation.setTouchEmulationEnabled', { enabled: size !== 'desktop' })
  await page.setViewportSize(sizes[size])
}

/** Waits until what fades in has faded in. Runs in the page. */
async function settled(): Promise<void> {
  const finite = document.getAnimations().filter((animation) => Number.isFinite(animation.effect?.getComputedTiming().endTime))
  await Promise.all(finite.map((animation) => animation.finished))
}
