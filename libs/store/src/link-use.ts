import type { Connection } from './connection.ts'
import { reach } from './script.ts'

/* Join links that are good for one use: each that was used, until it would have expired anyway. */

interface LinkUse {
  readonly room: string
  readonly link: string
}

const key = ({ room, link }: LinkUse) => `neko:{room:${room}}:link:${link}`

/** Uses a link up; `false` where somebody did before. `ms`: how long it has until it expires. */
export async function useLink(connection: Connection, { ms, ...use }: LinkUse & { ms: number }): Promise<boolean> {
  return (await reach(connection.commands.set(key(use), '1', 'PX', Math.ceil(ms), 'NX'))) === 'OK'
}

/** Gives a link back that did not let its bearer in. */
export async function forgetLinkUse(connection: Connection, use: LinkUse): Promise<void> {
  await reach(connection.commands.del(key(use)))
}
