import { type LuaScript, luaScript } from './script.ts'

/** The keys of one room, all under one hash tag, so that every script runs on one server of a cluster. */
export function roomKeys(room: string): { keys: readonly string[]; channel: string; signals: string } {
  const key = (name: string) => `neko:{room:${room}}:${name}`
  return { keys: ['profiles', 'states', 'tokens', 'room', 'bans'].map(key), channel: key('events'), signals: key('signals') }
}

/**
 * What every script of a room starts with: names for its keys and arguments, the state of sessions and host, and
 * `emit`/`done`, which number and publish what changed in the same atomic step; `done` also replies with that number, so that the
 * caller can wait until its own view has got there. Times are Redis's own, so that the clocks
 * of machines do not matter.
 *
 * Profiles and settings stay the text that we wrote: cjson would turn an empty list into an empty object.
 */
const prelude = `
local PROFILES, STATES, TOKENS, ROOM, BANS = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local CHANNEL = ARGV[1]
local function arg(i) return ARGV[i + 1] end
local time = redis.call('TIME')
local NOW = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local json = cjson.encode
local events = {}
local function emit(text) events[#events + 1] = text end
local function done(reply)
  if #events > 0 then
    local seq = redis.call('HINCRBY', ROOM, 'seq', 1)
    redis.call('PUBLISH', CHANNEL, '{"seq":' .. string.format('%d', seq) .. ',"at":' .. string.format('%d', NOW) .. ',"events":[' .. table.concat(events, ',') .. ']}')
  end
  return { tonumber(redis.call('HGET', ROOM, 'seq') or 0), reply }
end
local function field(name) return redis.call('HGET', ROOM, name) or nil end
local function increment(name) return redis.call('HINCRBY', ROOM, name, 1) end
local function whole(number) return string.format('%d', number) end
local function orNull(text) if text then return json(text) end return 'null' end

local function stateOf(id)
  local text = redis.call('HGET', STATES, id)
  return text and cjson.decode(text) or nil
end
local function profileText(id) return redis.call('HGET', PROFILES, id) or nil end
local function profileOf(id)
  if id == 'API' then return { is_admin = true, can_login = true, can_host = true, can_watch = true } end
  local text = profileText(id)
  return text and cjson.decode(text) or nil
end
local function saveState(id, state, reason)
  local text = json(state)
  redis.call('HSET', STATES, id, text)
  emit('{"is":"state","id":' .. json(id) .. ',"state":' .. text .. (reason and (',"reason":' .. json(reason)) or '') .. '}')
end

local function settings() return cjson.decode(field('settings')) end
local function isLocked(name) return redis.call('HEXISTS', ROOM, 'lock:' .. name) == 1 end
local function emitSettings(actor)
  local locks = {}
  for _, name in ipairs({ 'control', 'login', 'file_transfer' }) do
    local lock = field('lock:' .. name)
    if lock then locks[#locks + 1] = json(name) .. ':' .. lock end
  end
  emit('{"is":"settings","actor":' .. json(actor) .. ',"base":' .. field('settings') .. ',"locks":{' .. table.concat(locks, ',') .. '}}')
end

-- Above listed_max connected, newcomers are counted and not listed, until their name matters or the room is well below it again.
local function unlistedCount() return tonumber(field('unlisted') or 0) end
local function unlist(state)
  state.unlisted = true
  redis.call('HINCRBY', ROOM, 'unlisted', 1)
end
local function forgetUnlisted(state)
  if state.unlisted then
    state.unlisted = nil
    redis.call('HINCRBY', ROOM, 'unlisted', -1)
  end
end
local function list(id)
  local state = stateOf(id)
  if not state or not state.unlisted then return false end
  forgetUnlisted(state)
  local text = json(state)
  redis.call('HSET', STATES, id, text)
  emit('{"is":"listed","id":' .. json(id) .. ',"state":' .. text .. '}')
  return true
end

local function setHost(id, actor, cause)
  if id then list(id) end
  local previous = field('host')
  if id then redis.call('HSET', ROOM, 'host', id) else redis.call('HDEL', ROOM, 'host') end
  local fence = increment('fence')
  emit('{"is":"host","actor":' .. json(actor) .. ',"host":' .. orNull(id) .. ',"previous":' .. orNull(previous)
    .. ',"fence":' .. whole(fence) .. ',"cause":' .. json(cause) .. '}')
end

local function isAdmin(id)
  local profile = profileOf(id)
  return profile ~= nil and profile.is_admin
end
local function dropUserHost(actor, cause)
  local host = field('host')
  if host and not isAdmin(host) then setHost(nil, actor, cause) end
end
-- How many of a kind are connected; the time when the last one left stands while nobody of it is.
local function count(admin, by)
  local kind = admin and 'admin' or 'user'
  local total = redis.call('HINCRBY', ROOM, 'connected_' .. kind, by)
  if by > 0 then
    redis.call('HDEL', ROOM, 'last_' .. kind .. '_left_at')
  elseif total <= 0 then
    redis.call('HSET', ROOM, 'connected_' .. kind, 0, 'last_' .. kind .. '_left_at', whole(NOW))
  end
end
local function connectedCount() return tonumber(field('connected_user') or 0) + tonumber(field('connected_admin') or 0) end
local function listIfFew()
  if unlistedCount() <= 0 or connectedCount() > 0.8 * tonumber(field('listed_max') or 0) then return end
  for _, id in ipairs(redis.call('HKEYS', STATES)) do list(id) end
end
local function isAdminConnected() return tonumber(field('connected_admin') or 0) > 0 end
local function protectIfAlone(actor)
  if settings().control_protection and not isLocked('control') and not isAdminConnected() then
    redis.call('HSET', ROOM, 'lock:control', json({ cause = 'protection', owner = '', name = '', admin = false, since = NOW }))
    dropUserHost(actor, 'settings')
    return true
  end
  return false
end

-- What becomes of a connected session whose socket is gone: in the order that others are told.
local function disconnect(id, state, reason)
  if field('host') == id then setHost(nil, id, 'disconnect') end
  local admin = isAdmin(id)
  count(admin, -1)
  if admin and protectIfAlone(id) then emitSettings(id) end
  state.is_connected = false
  state.not_connected_since = NOW
  state.connected_since = nil
  state.instance = nil
  state.moving = nil
  forgetUnlisted(state)
  -- The thin line ends with the session's socket; a peer is its node's to end.
  if state.stream then
    state.stream = nil
    state.is_watching = state.peer ~= nil
    if not state.is_watching then state.not_watching_since = NOW end
  end
  saveState(id, state, reason)
  listIfFew()
end
local function remove(id, reason, actor)
  local state = stateOf(id)
  if not state then return false end
  if state.is_connected then disconnect(id, state, reason) end
  if field('host') == id then setHost(nil, actor, 'delete') end
  redis.call('HDEL', TOKENS, state.token)
  redis.call('HDEL', STATES, id)
  redis.call('HDEL', PROFILES, id)
  emit('{"is":"deleted","id":' .. json(id) .. ',"reason":' .. json(reason) .. ',"actor":' .. json(actor) .. '}')
  return true
end
`

/** One invariant of a room as a script: `body` runs after the prelude and ends in `return done(reply)`. */
export function roomScript(body: string): LuaScript {
  return luaScript(prelude + body)
}
