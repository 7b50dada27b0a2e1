import { roomScript } from './room-lua.ts'

/* Settings and locks, the capture node that has the room, what that node shows, and bans. */

/**
 * arg: base settings and locks of the configuration. A room that is new, or whose configuration changed since it was
 * opened last, starts with these; otherwise it keeps what its admins have set. → new | kept
 */
export const openRoom = roomScript(`
local base, locks = arg(1), arg(2)
if field('config') == base .. locks then return done('kept') end
redis.call('PERSIST', ROOM)
redis.call('HSET', ROOM, 'config', base .. locks, 'settings', base)
redis.call('HSETNX', ROOM, 'started_at', whole(NOW))
for _, name in ipairs({ 'control', 'login', 'file_transfer' }) do redis.call('HDEL', ROOM, 'lock:' .. name) end
for name, cause in pairs(cjson.decode(locks)) do
  redis.call('HSET', ROOM, 'lock:' .. name, json({ cause = cause, owner = '', name = '', admin = false, since = NOW }))
end
emitSettings('')
return done('new')`)

/**
 * arg: actor, the base text that the change was made from, the new one, locks wanted as {name: boolean}, the owner's
 * display name, '1' for an admin. A lock that stands keeps its owner. → changed | conflict
 */
export const changeSettings = roomScript(`
local actor, from, to, wanted, name, admin = arg(1), arg(2), arg(3), cjson.decode(arg(4)), arg(5), arg(6) == '1'
if field('settings') ~= from then return done('conflict') end
redis.call('HSET', ROOM, 'settings', to)
for lock, on in pairs(wanted) do
  if not on then
    redis.call('HDEL', ROOM, 'lock:' .. lock)
  elseif not isLocked(lock) then
    redis.call('HSET', ROOM, 'lock:' .. lock, json({ cause = 'user', owner = actor, name = name, admin = admin, since = NOW }))
  end
end
local before, after = cjson.decode(from), cjson.decode(to)
if after.control_protection and not before.control_protection then protectIfAlone(actor) end
if isLocked('control') or after.private_mode then dropUserHost(actor, 'settings') end
emitSettings(actor)
return done('changed')`)

/**
 * arg: node id, instance, lease in ms, facts (`null` while it is still to start), the number of its claim (0 where nobody places rooms). A node has a room for as
 * long as it renews the lease; the same node in a new run takes its room back at once, and so does whoever comes with a newer claim. The epoch and the fence rise:
 * what an older run still says or is told counts for nothing. Everybody watches anew, but where the room runs there already: a Redis that was emptied had only
 * forgotten whose it is. → {epoch, fence} | held
 */
export const claimRoom = roomScript(`
local node, instance, lease, facts, claim = arg(1), arg(2), tonumber(arg(3)), arg(4), tonumber(arg(5) or 0)
local holder, known = field('instance'), tonumber(field('claim') or 0)
local held = holder and tonumber(field('lease_until')) > NOW
if claim < known then return done('held') end
if held and claim == known and holder ~= instance and field('node') ~= node then return done('held') end
if claim > known then redis.call('HSET', ROOM, 'claim', whole(claim)) end
local epoch, fence = increment('epoch'), increment('fence')
redis.call('PERSIST', ROOM)
redis.call('HSET', ROOM, 'node', node, 'instance', instance, 'lease_until', whole(NOW + lease))
if facts == 'null' then redis.call('HDEL', ROOM, 'facts') else redis.call('HSET', ROOM, 'facts', facts) end
emit('{"is":"node","node":' .. json(node) .. ',"instance":' .. json(instance) .. ',"epoch":' .. whole(epoch)
  .. ',"fence":' .. whole(fence) .. ',"facts":' .. facts .. '}')
local all = facts == 'null' and redis.call('HGETALL', STATES) or {}
for i = 1, #all, 2 do
  local state = cjson.decode(all[i + 1])
  if state.is_watching then
    state.is_watching = false
    state.peer, state.stream = nil, nil
    state.not_watching_since = NOW
    saveState(all[i], state)
  end
end
return done({ epoch, fence })`)

/** arg: instance, lease in ms. → kept | lost */
export const renewRoom = roomScript(`
if field('instance') ~= arg(1) then return done('lost') end
redis.call('HSET', ROOM, 'lease_until', whole(NOW + tonumber(arg(2))))
return done('kept')`)

/** arg: instance. → left | lost */
export const leaveRoom = roomScript(`
if field('instance') ~= arg(1) then return done('lost') end
redis.call('HDEL', ROOM, 'node', 'instance', 'lease_until', 'facts')
emit('{"is":"node","node":null,"instance":null,"epoch":' .. whole(increment('epoch')) .. ',"fence":' .. whole(increment('fence')) .. ',"facts":null}')
return done('left')`)

/** arg: instance, facts, what changed, actor. → told | lost */
export const tellFacts = roomScript(`
if field('instance') ~= arg(1) then return done('lost') end
redis.call('HSET', ROOM, 'facts', arg(2))
emit('{"is":"facts","change":' .. json(arg(3)) .. ',"actor":' .. json(arg(4)) .. ',"facts":' .. arg(2) .. '}')
return done('told')`)

/** arg: address, ban text ('' lifts it), actor. → banned | lifted */
export const changeBan = roomScript(`
local ip, ban = arg(1), arg(2)
if ban == '' then redis.call('HDEL', BANS, ip) else redis.call('HSET', BANS, ip, ban) end
emit('{"is":"banned","ip":' .. json(ip) .. ',"ban":' .. (ban == '' and 'null' or ban) .. ',"actor":' .. json(arg(3)) .. '}')
return done(ban == '' and 'lifted' or 'banned')`)

/**
 * arg: reason. A room that is over: each session ends, and nothing is kept but, for an hour, the counters, which must not fall where a new room has its id. → ended
 */
export const clearRoom = roomScript(`
for _, id in ipairs(redis.call('HKEYS', STATES)) do remove(id, arg(1), '') end
local reply = done('ended')
local counters = {}
for _, name in ipairs({ 'seq', 'epoch', 'fence', 'claim', 'connections' }) do
  if field(name) then counters[#counters + 1] = name; counters[#counters + 1] = field(name) end
end
redis.call('DEL', unpack(KEYS))
if #counters > 0 then
  redis.call('HSET', ROOM, unpack(counters))
  redis.call('PEXPIRE', ROOM, 3600000)
end
return reply`)

/** Everything of a room, as flat lists. → [profiles, states, room, bans] */
export const readRoom = roomScript(`
return done({ redis.call('HGETALL', PROFILES), redis.call('HGETALL', STATES), redis.call('HGETALL', ROOM), redis.call('HGETALL', BANS) })`)

/**
 * arg: a room as JSON: {seq, room: fields, sessions: [[id, profile, state, token]…], bans}. Puts back what a Redis that lost its memory had,
 * and only where it did: a room that is newer than what the caller knows stays. Of several who put it back the one who had heard most counts, for as long as nothing
 * else was changed; after that he adds what is missing. → restored | newer
 */
export const restoreRoom = roomScript(`
local known = cjson.decode(arg(1))
local seq, from = tonumber(field('seq') or -1), tonumber(field('restored_from') or -1)
local isAhead = from >= 0 and known.seq > from and known.seq < from + 1000
if seq >= known.seq and not isAhead then return done('newer') end
if isAhead and field('restored_seq') == whole(seq) then
  redis.call('DEL', PROFILES, STATES, TOKENS, BANS)
  redis.call('HDEL', ROOM, 'host', 'lock:control', 'lock:login', 'lock:file_transfer', 'settings', 'connected_user', 'connected_admin')
end
for i = 1, #known.room, 2 do redis.call('HSETNX', ROOM, known.room[i], known.room[i + 1]) end
for _, s in ipairs(known.sessions) do
  if redis.call('HSETNX', STATES, s[1], s[3]) == 1 then
    redis.call('HSET', PROFILES, s[1], s[2])
    redis.call('HSET', TOKENS, s[4], s[1])
  end
end
for i = 1, #known.bans, 2 do redis.call('HSETNX', BANS, known.bans[i], known.bans[i + 1]) end
if tonumber(field('connections') or 0) < known.connections then redis.call('HSET', ROOM, 'connections', whole(known.connections)) end
-- Far enough ahead that none of these numbers was ever heard: who has the controls or runs the room now did not under an old one, and nobody who knew
-- a little more takes his own facts for these.
for _, counter in ipairs({ 'seq', 'epoch', 'fence' }) do
  redis.call('HSET', ROOM, counter, whole(math.max(tonumber(field(counter) or 0), known[counter]) + 1000))
end
-- Told, so that whoever had put it back before reads it anew.
emitSettings('')
redis.call('HSET', ROOM, 'restored_from', whole(known.seq), 'restored_seq', whole(tonumber(field('seq')) + 1))
return done('restored')`)
