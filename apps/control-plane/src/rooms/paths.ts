import type { Log } from '@neko-edge/kit'
import { Hono } from 'hono'
import type { HttpOptions } from '../http/context.ts'
import { errorResponse, notFound } from '../http/error.ts'
import { defaultRoom } from './room-id.ts'
import type { Rooms } from './rooms.ts'

const roomPath = /^\/room\/([^/]+)(\/.*)?$/
/** What the root answers where there is no room at it: the server itself. */
const serverPath = /^\/(api\/(rooms|nodes)(\/.*)?|health|livez|readyz|metrics|docs|openapi\.json)$/

export interface RoomPathsOptions {
  /** The app of the room at `/`. */
  readonly root: () => Hono
  /** Whether there is a room at `/`. */
  readonly hasDefault: boolean
  readonly options: HttpOptions
  readonly log: Log
}

/** The control plane as a whole: each room below `/room/<id>/`, and everything else answered by the app of the room at `/`. */
export function roomPaths(rooms: Rooms, { root, hasDefault, options, log }: RoomPathsOptions): Hono {
  const app = new Hono({ strict: true })
  app.onError((error, context) => errorResponse(error, context, { log, options }))
  app.all('*', async (context) => {
    const request = context.req.raw
    const url = new URL(request.url)
    const [, id, rest] = roomPath.exec(url.pathname) ?? []
    if (id === undefined) {
      return hasDefault || serverPath.test(url.pathname) ? root().fetch(request, context.env) : notFound()
    }
    const surface = id === defaultRoom && !hasDefault ? undefined : await rooms.surface(id)
    if (!surface) {
      return notFound()
    }
    if (rest === undefined) {
      // Relative, since a proxy may have put the whole below another path.
      return context.redirect(`${id}/${url.search}`, 301)
    }
    url.pathname = rest
    return surface.app.fetch(new Request(url, request), context.env)
  })
  return app
}
