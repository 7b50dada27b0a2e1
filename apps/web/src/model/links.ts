import { profileOf, type Room } from '@neko-edge/client'

/** Whether one may open links in the desktop's application: the host may, and under implicit hosting who could be it. */
export function mayOpenLinks(room: Room | undefined): boolean {
  return room?.canOpenLinks === true && (room.host === room.me || (room.settings.implicit_hosting && profileOf(room)?.can_host === true))
}
