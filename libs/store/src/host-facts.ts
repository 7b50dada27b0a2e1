import { roomScript } from './room-lua.ts'

/*
 * Who is at the controls. Every change raises the fence, the number that goes with the host to the capture node: input
 * that names an older fence is refused there, however late it comes.
 */

/**
 * arg: id, '1' where implicit hosting counts (every input event), '0' for an explicit HTTP request.
 * → host (was it already) | taken | forbidden | private | locked | hosted (somebody else is)
 */
export const requestControl = roomScript(`
local id, implicit = arg(1), arg(2) == '1'
local profile = profileOf(id)
if not profile or not profile.can_host then return done('forbidden') end
local settings = settings()
if settings.private_mode and not profile.is_admin then return done('private') end
local host = field('host')
if host == id then return done('host') end
if isLocked('control') and not profile.is_admin and (implicit or not host) then return done('locked') end
if host and not (implicit and settings.implicit_hosting) then return done('hosted') end
setHost(id, id, host and 'implicit' or 'request')
return done('taken')`)

/** arg: id. Whoever hosts, an admin takes over. → taken | forbidden (may not host) */
export const takeControl = roomScript(`
local profile = profileOf(arg(1))
if not profile or not profile.can_host then return done('forbidden') end
setHost(arg(1), arg(1), 'take')
return done('taken')`)

/** arg: actor, target. → given | gone | forbidden (the target may not host) | not-host (the actor may not give) */
export const giveControl = roomScript(`
local actor, target = arg(1), arg(2)
local profile = profileOf(target)
if not isAdmin(actor) and field('host') ~= actor then return done('not-host') end
if not profile then return done('gone') end
if not profile.can_host then return done('forbidden') end
setHost(target, actor, 'give')
return done('given')`)

/** arg: id. → released | not-host */
export const releaseControl = roomScript(`
if field('host') ~= arg(1) then return done('not-host') end
setHost(nil, arg(1), 'release')
return done('released')`)

/** arg: actor. → reset | idle (nobody hosted) */
export const resetControl = roomScript(`
if not field('host') then return done('idle') end
setHost(nil, arg(1), 'reset')
return done('reset')`)
