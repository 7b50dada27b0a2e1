import { roomScript } from './room-lua.ts'

/*
 * The life of a session (design: created → connected ⇄ disconnected → deleted), one script a transition.
 * Replies are words: an outcome that is to be expected is never an exception.
 */

/** arg: id, profile, token hash, address. → created | connected (somebody is in it) | locked | banned */
export const createSession = roomScript(`
local id, profile, token, address = arg(1), arg(2), arg(3), arg(4)
if redis.call('HEXISTS', BANS, address) == 1 then return done('banned') end
if isLocked('login') and not cjson.decode(profile).is_admin then return done('locked') end
local old = stateOf(id)
if old and old.is_connected then return done('connected') end
if old then remove(id, 'session deleted', id) end
local state = json({ is_connected = false, is_watching = false, epoch = 0, token = token })
redis.call('HSET', PROFILES, id, profile)
redis.call('HSET', STATES, id, state)
redis.call('HSET', TOKENS, token, id)
emit('{"is":"created","id":' .. json(id) .. ',"profile":' .. profile .. ',"state":' .. state .. '}')
return done('created')`)

/** arg: id, profile, token hash, of a session that was kept elsewhere while this Redis did not know it. Locks do not count. → imported | known */
export const importSession = roomScript(`
local id, profile, token = arg(1), arg(2), arg(3)
if stateOf(id) then return done('known') end
local state = json({ is_connected = false, is_watching = false, epoch = 0, token = token })
redis.call('HSET', PROFILES, id, profile)
redis.call('HSET', STATES, id, state)
redis.call('HSET', TOKENS, token, id)
emit('{"is":"created","id":' .. json(id) .. ',"profile":' .. profile .. ',"state":' .. state .. '}')
return done('imported')`)

/**
 * arg: id, instance, address, dialect, how many may be listed by name ('0' or none: all), how many users may be connected ('0' or none: all; admins are
 * not counted). → epoch of the connection | gone | banned | no-login | no-connect | already | full
 */
export const connectSession = roomScript(`
local id, instance, address = arg(1), arg(2), arg(3)
local state, profile = stateOf(id), profileOf(id)
if not state then return done('gone') end
if redis.call('HEXISTS', BANS, address) == 1 then return done('banned') end
if not profile.can_login then return done('no-login') end
if not profile.can_connect then return done('no-connect') end
if state.is_connected and not state.moving and not settings().merciful_reconnect then return done('already') end
local most = tonumber(arg(6) or 0)
if most > 0 and not state.is_connected and not profile.is_admin and tonumber(field('connected_user') or 0) >= most then return done('full') end
if not state.is_connected then
  local max = tonumber(arg(5) or 0)
  count(profile.is_admin, 1)
  redis.call('HSET', ROOM, 'listed_max', max)
  if not profile.is_admin and max > 0 and (unlistedCount() > 0 or connectedCount() > max) then unlist(state) end
end
state.is_connected = true
state.moving = nil
state.connected_since = NOW
state.not_connected_since = nil
state.instance = instance
state.dialect = arg(4)
state.address = address
state.epoch = increment('connections')
emit('{"is":"connected","id":' .. json(id) .. ',"state":' .. json(state) .. '}')
local lock = field('lock:control')
if profile.is_admin and settings().control_protection and lock and cjson.decode(lock).cause == 'protection' then
  redis.call('HDEL', ROOM, 'lock:control')
  emitSettings(id)
end
saveState(id, state)
return done(whole(state.epoch))`)

/**
 * arg: id, epoch ('' = whatever it is), reason ('' = its socket is gone already). A V2 session is its socket: nobody could ever
 * come back to it. → disconnected | stale
 */
export const disconnectSession = roomScript(`
local id, epoch, reason = arg(1), arg(2), arg(3)
local state = stateOf(id)
if not state or not state.is_connected or (epoch ~= '' and whole(state.epoch) ~= epoch) then return done('stale') end
if state.dialect == 'v2' then
  remove(id, reason ~= '' and reason or 'session deleted', id)
else
  disconnect(id, state, reason ~= '' and reason or nil)
end
return done('disconnected')`)

/**
 * arg: id, epoch. Its control plane stops and sends its client to another one: it may come in there, also where a second connection is refused.
 * → moving | stale
 */
export const moveSession = roomScript(`
local state = stateOf(arg(1))
if not state or not state.is_connected or whole(state.epoch) ~= arg(2) then return done('stale') end
state.moving = true
redis.call('HSET', STATES, arg(1), json(state))
return done('moving')`)

/** arg: id. Whoever is heard of by name is listed from then on. → listed | known */
export const listSession = roomScript(`
return done(list(arg(1)) and 'listed' or 'known')`)

/** arg: id, reason, actor. → deleted | gone */
export const deleteSession = roomScript(`
return done(remove(arg(1), arg(2), arg(3)) and 'deleted' or 'gone')`)

/** arg: id, the profile text that the change was made from, the new text, actor. → changed | conflict | gone */
export const changeProfile = roomScript(`
local id, from, to, actor = arg(1), arg(2), arg(3), arg(4)
local current = profileText(id)
if not current then return done('gone') end
if current ~= from then return done('conflict') end
local before, profile = cjson.decode(current), cjson.decode(to)
redis.call('HSET', PROFILES, id, to)
if profile.is_admin then list(id) end
local state = stateOf(id)
emit('{"is":"profile","id":' .. json(id) .. ',"profile":' .. to .. ',"actor":' .. json(actor) .. '}')
if state.is_connected and before.is_admin ~= profile.is_admin then
  count(before.is_admin, -1)
  count(profile.is_admin, 1)
end
if not profile.can_host and field('host') == id then setHost(nil, id, 'profile') end
if state.is_connected and not (profile.can_login and profile.can_connect) then disconnect(id, state, 'profile changed') end
return done('changed')`)

/**
 * arg: id, what carries the media, '1' when it flows, 'peer' (WebRTC) or 'stream' (the thin line); while one takes over from the other there
 * are both. → watching | stopped | stale
 */
export const watchSession = roomScript(`
local id, carrier, on, kind = arg(1), arg(2), arg(3) == '1', arg(4)
local state = stateOf(id)
if not state or (not on and state[kind] ~= carrier) then return done('stale') end
state[kind] = on and carrier or nil
state.is_watching = state.peer ~= nil or state.stream ~= nil
if on then state.watching_since = NOW elseif not state.is_watching then state.not_watching_since = NOW end
saveState(id, state)
return done(on and 'watching' or 'stopped')`)

/** arg: token hash. Its reply comes with the room's newest event number: whoever waits for that sees every earlier change. → session id | '' */
export const findToken = roomScript(`
return done(redis.call('HGET', TOKENS, arg(1)) or '')`)
