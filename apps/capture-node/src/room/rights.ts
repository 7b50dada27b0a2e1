import type { RoomView } from '@neko-edge/store'

/** Whether others are to see the pointer of somebody who is not at the controls. */
export const showsPointer = (view: RoomView, session: string): boolean =>
  view.base.inactive_cursors && view.session(session)?.profile.sends_inactive_cursor === true

/** V2 clients never ask for the controls under implicit hosting: whoever may have them may simply use them. */
export function mayLegacyControl(view: RoomView, session: string): boolean {
  const profile = view.session(session)?.profile
  return (
    view.base.implicit_hosting &&
    profile?.can_host === true &&
    !view.isShutOut(profile) &&
    (profile.is_admin || view.locks.control === undefined)
  )
}
