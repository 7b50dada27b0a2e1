import type { ChannelInput, ControlInput } from '@neko-edge/protocol'
import type { Desktop } from '../desktop/desktop.ts'

/** Where an input leaves the pointer, if it moves it: the other viewers are shown. */
export type Moved = { readonly x: number; readonly y: number } | undefined

/** Does to the desktop what the host did. */
export function applyInput(desktop: Desktop, input: ControlInput | Exclude<ChannelInput, { is: 'ping' }>): Moved {
  const place = input.is === 'move' ? input : 'at' in input ? input.at : undefined
  if (place) {
    desktop.move(place.x, place.y)
  }
  switch (input.is) {
    case 'move':
      break
    case 'scroll':
      desktop.scroll(input.deltaX, input.deltaY, input.control)
      break
    case 'button':
      desktop.button(input.code, input.down)
      break
    case 'key':
      desktop.key(input.keysym, input.down)
      break
    case 'press-button':
      desktop.pressButton(input.code)
      break
    case 'press-keys':
      void desktop.press(...input.keysyms)
      break
    case 'touch':
      desktop.touch({ kind: input.phase, id: input.id & 0xffff, x: input.x, y: input.y, pressure: input.pressure })
      break
    default:
      return input satisfies never
  }
  return place && { x: place.x, y: place.y }
}
