import { NekoClient } from '@neko-edge/client'
import { createModel, type Model, type Outside } from './model/model.ts'
import { applyWishes } from './model/wishes.ts'
import { Room } from './parts/room.tsx'

/** What is loaded once the page has been painted: the connection, WebRTC, the room with its panels. */
export interface Inside {
  readonly model: Model
  readonly Room: typeof Room
}

/** Makes the one client of this page, and everything that shows it. */
export function goInside(outside: Outside): Inside {
  const model = createModel(new NekoClient({ base: new URL('.', document.baseURI).href }), outside)
  applyWishes(model)
  return { model, Room }
}
