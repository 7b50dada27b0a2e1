/** Defaults that depend on other options, on the user or on the environment. They are filled in after reading and before checking. */
import { join } from 'node:path'
import type { IceServer, VideoPipeline } from './schema/shape.ts'
import type { Source } from './source/given.ts'

/** Values by path and where each came from, while they are put together. */
export interface Draft {
  readonly values: Map<string, unknown>
  readonly sources: Map<string, Source>
}

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly user: { readonly uid: number; readonly home: string }
}

const publicStun: readonly IceServer[] = [{ urls: ['stun:stun.l.google.com:19302'] }]

/** Fills in what follows from the rest: changes the draft. */
export function derive(draft: Draft, { env, user }: Surroundings): void {
  const { values } = draft
  const put = (path: string, value: unknown, where: string): void => {
    values.set(path, value)
    draft.sources.set(path, { kind: 'default', where })
  }
  if (values.get('data.dir') === '') {
    const xdg = env['XDG_DATA_HOME']
    const base = xdg?.startsWith('/') === true ? xdg : join(user.home, '.local/share')
    put('data.dir', user.uid === 0 ? '/var/lib/neko-edge' : join(base, 'neko-edge'), user.uid === 0 ? 'as root' : 'of the user')
  }
  if (env['NO_COLOR'] && isDefault(draft, 'log.nocolor')) {
    values.set('log.nocolor', true)
    draft.sources.set('log.nocolor', { kind: 'env', where: 'NO_COLOR' })
  }
  if (values.get('webrtc.epr') === undefined && values.get('webrtc.udpmux') === 0 && values.get('webrtc.tcpmux') === 0) {
    put('webrtc.epr', { min: 59_000, max: 59_100 }, 'no port option is set')
  }
  if (values.get('webrtc.ip_retrieval_url') === 'none') {
    values.set('webrtc.ip_retrieval_url', '')
  }
  if (isDefault(draft, 'webrtc.iceservers.frontend') && isDefault(draft, 'webrtc.iceservers.backend')) {
    put('webrtc.iceservers.frontend', publicStun, 'no ICE server is set')
    put('webrtc.iceservers.backend', publicStun, 'no ICE server is set')
  }
  const captured = String(values.get('capture.video.display')).trim()
  if (values.get('desktop.display') === '' && /^:\d+(\.\d+)?$/.test(captured)) {
    // Upstream starts no X server: whoever names one display means the one of the room.
    put('desktop.display', captured, 'capture.video.display')
  }
  deriveIds(draft, put)
}

function deriveIds({ values }: Draft, put: (path: string, value: unknown, where: string) => void): void {
  // Both come from the reader of their own option.
  const ids = values.get('capture.video.ids') as readonly string[]
  const pipelines = Object.keys(values.get('capture.video.pipelines') as Readonly<Record<string, VideoPipeline>>)
  if (pipelines.length === 0) {
    put('capture.video.ids', ['main'], 'there is one pipeline')
  } else if (ids.length === 0) {
    // The picture for V2 clients is no rung of the ladder.
    const ladder = pipelines.filter((id) => id !== 'legacy')
    put('capture.video.ids', ladder.length === 0 ? pipelines : ladder, 'the order of the pipelines')
  }
}

export function isDefault({ sources }: Draft, path: string): boolean {
  return (sources.get(path)?.kind ?? 'default') === 'default'
}
