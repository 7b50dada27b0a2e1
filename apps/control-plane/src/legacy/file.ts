import type { MemberProfile } from '@neko-edge/protocol'
import type { Context } from 'hono'
import type { Deps } from '../http/context.ts'
import { download, receive, remove } from '../http/file-transfer.ts'
import type { EarlyCall } from '../http/operation.ts'
import { type FileRight, mayTransfer } from './member.ts'
import { type AddV2Route, type V2Caller, V2Refusal } from './route.ts'

/** V2's way to the transfer directory. Deleting came with its last clients. */
export function addFileRoutes(route: AddV2Route, deps: Deps): void {
  const serve = (right: FileRight, act: (call: EarlyCall) => Promise<Response>) => async (context: Context, caller: V2Caller) => {
    check(right, caller, deps)
    return act(callOf(context, caller.profile, deps))
  }
  route('GET', '/file', serve('download', send))
  route('POST', '/file', serve('upload', receive))
  route('DELETE', '/file', serve('delete', remove))
}

function check(right: FileRight, caller: V2Caller, { hub }: Deps): void {
  const { view } = hub.room
  if (!hub.features.fileTransfer.enabled) {
    throw new V2Refusal(404, 'not found')
  }
  if (view.locks.login && !caller.profile.is_admin && !isInside(caller, hub)) {
    throw new V2Refusal(403, 'locked')
  }
  if (!mayTransfer(right, caller, { view, features: hub.features })) {
    throw new V2Refusal(401, 'bad authorization')
  }
}

/** A locked room keeps new people out, not the files of those who are in it: they are known by their address. */
const isInside = ({ address }: V2Caller, hub: Deps['hub']): boolean =>
  [...hub.room.view.sessions.values()].some(({ state }) => state.is_connected && state.address === address)

async function send(call: EarlyCall): Promise<Response> {
  const answer = await download(call)
  if (answer.status === 404) {
    throw new V2Refusal(404, 'not found or unable to open')
  }
  const headers = new Headers(answer.headers)
  headers.set('content-disposition', attachment(call.context.req.query('filename') ?? ''))
  return new Response(answer.body, { status: answer.status, headers })
}

/** RFC 6266: the name for old clients without what a quoted text can not hold, and as it is for all others. */
function attachment(filename: string): string {
  const plain = filename.replaceAll(/[^\x20-\x7e]|["\\]/g, '_')
  return `attachment; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(filename).replaceAll(/['()*]/g, percent)}`
}

const percent = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`

/** The same call that V3 makes, by somebody who has no session. */
const callOf = (context: Context, profile: MemberProfile, deps: Deps): EarlyCall => ({
  context,
  deps,
  hub: deps.hub,
  actor: { id: '' as EarlyCall['actor']['id'], profile, isApi: false },
  param: () => '',
})
