import { expect, test } from 'vitest'
import type { XEvent } from 'x11'
import { EventInbox } from '../../src/desktop/event-inbox.ts'
import { SelectionReader } from '../../src/desktop/selection-reader.ts'
import { openTestDesktop, type TestDesktop } from './open.fixture.ts'

type Message = Extract<XEvent, { name: 'ClientMessage' }>

/** An application that takes drops, or refuses them; `seen` resolves to what it heard and read. */
async function dropTarget(
  it: TestDesktop,
  { accepts }: { accepts: boolean },
): Promise<{ seen: Promise<{ messages: string[]; uris: string; at: number }> }> {
  const window = await it.openWindow()
  const { connection } = window
  const atoms = await connection.atoms(
    'XdndAware',
    'XdndEnter',
    'XdndPosition',
    'XdndStatus',
    'XdndDrop',
    'XdndFinished',
    'XdndLeave',
    'XdndActionCopy',
  )
  const names = new Map(Object.entries(atoms).map(([name, atom]) => [atom, name]))
  const reader = await SelectionReader.open(connection)
  const inbox = new EventInbox(connection, (event): event is Message => event.name === 'ClientMessage')
  connection.send((x) => x.ChangeProperty(0, window.id, atoms.XdndAware, 4, 32, [5]))
  await connection.settle()

  const answer = async () => {
    const messages: string[] = []
    let at = 0
    let positions = 0
    for (;;) {
      const { message_type, data } = await inbox.next(5_000, 'a message')
      const source = data[0] ?? 0
      messages.push(names.get(message_type) ?? '?')
      if (message_type === atoms.XdndPosition) {
        at = data[2] ?? 0
        positions++
        // Like a page in a browser, it makes up its mind only with the second.
        const status = accepts && positions > 1 ? 1 : 0
        connection.send((x) =>
          x.SendClientMessage(source, source, atoms.XdndStatus, 32, [window.id, status, 0, 0, atoms.XdndActionCopy], 0),
        )
      } else if (message_type === atoms.XdndDrop) {
        const uris = (await reader.read('XdndSelection', 'text/uri-list')).toString()
        connection.send((x) => x.SendClientMessage(source, source, atoms.XdndFinished, 32, [window.id, 1, atoms.XdndActionCopy], 0))
        return { messages, uris, at }
      } else if (message_type === atoms.XdndLeave) {
        return { messages, uris: '', at }
      }
    }
  }
  return { seen: answer() }
}

test('[DSK-50] files are dropped where asked, on an application that wants them', async () => {
  await using it = await openTestDesktop()
  const { seen } = await dropTarget(it, { accepts: true })
  expect(await it.desktop.drop(['/tmp/a b.txt', '/tmp/ü.txt'], 300, 200)).toBe(true)
  expect(await seen).toEqual({
    messages: ['XdndEnter', 'XdndPosition', 'XdndPosition', 'XdndDrop'],
    uris: 'file:///tmp/a%20b.txt\r\nfile:///tmp/%C3%BC.txt\r\n',
    at: (300 << 16) | 200,
  })
  expect(await it.desktop.pointer()).toEqual({ x: 300, y: 200 })
})

test('[DSK-51] an application that refuses is left, and the answer is no', { timeout: 15_000 }, async () => {
  await using it = await openTestDesktop()
  const { seen } = await dropTarget(it, { accepts: false })
  expect(await it.desktop.drop(['/tmp/a.txt'], 300, 200)).toBe(false)
  const { messages } = await seen
  expect(messages.at(-1)).toBe('XdndLeave')
})

test('[DSK-52] where nothing takes drops, or it hangs, the answer is no, soon', { timeout: 15_000 }, async () => {
  await using it = await openTestDesktop()
  expect(await it.desktop.drop(['/tmp/a.txt'], 300, 200)).toBe(false)
  const { connection, id } = await it.openWindow()
  const aware = await connection.atom('XdndAware')
  connection.send((x) => x.ChangeProperty(0, id, aware, 4, 32, [5]))
  await connection.settle()
  expect(await it.desktop.drop(['/tmp/a.txt'], 300, 200)).toBe(false)
  expect(await it.desktop.drop([], 300, 200)).toBe(false)
})
