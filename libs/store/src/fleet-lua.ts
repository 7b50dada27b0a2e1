import { type LuaScript, luaScript } from './script.ts'

/*
 * The fleet: which rooms there are, which nodes, and which node has which room. All of it under one hash tag of its own, so that one script
 * sees every node and every claim at once: two processes that place at the same time can neither place a room twice nor fill a node
 * beyond its quota. A placement is a numbered claim; the node takes it to the room's own keys (`claimRoom`), where the newest number wins.
 */

const key = (name: string) => `neko:{fleet}:${name}`

/** The keys of the fleet, in the order of the prelude's names. */
export const fleetKeys: readonly string[] = ['rooms', 'specs', 'nodes', 'placed', 'pending', 'due', 'drained', 'outbox', 'grace'].map(key)

export const fleetChannel = key('changes')

/** News for webhooks, newest first. */
export const outboxKey = key('outbox')

/** Where an `Idempotency-Key` is remembered, by its hash. */
export const idempotencyKey = (hash: string): string => key(`created-by:${hash}`)

/** How long a node counts as alive after its last beat, and how often it beats, in milliseconds: a death is noticed within 3 s. */
export const nodeLeaseMs = 2_300
export const beatMs = 500

/** Where no node has beaten for so long, it was Redis that was away: nobody is declared dead before all had time to come back, in milliseconds. */
const silenceMs = 1_500

/** How long an ended room can still be asked for, in milliseconds. */
const keptMs = 3_600_000

/** News that no control plane has taken over: more than these are forgotten, oldest first. */
export const outboxMax = 10_000

/** How long a room counts as starting, and for half a core beside what is measured, in milliseconds. */
const settlingMs = 10_000

/** After a run that failed, in milliseconds; and how many may fail in a row. */
const retryMs = 1_000
const maxAttempts = 3

const prelude = `
local ROOMS, SPECS, NODES, PLACED, PENDING, DUE, DRAINED, OUTBOX, GRACE = unpack(KEYS, 1, 9)
local CHANNEL = ARGV[1]
local function arg(i) return ARGV[i + 1] end
local time = redis.call('TIME')
local NOW = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local json = cjson.encode

local function roomOf(id)
  local text = redis.call('HGET', ROOMS, id)
  return text and cjson.decode(text) or nil
end
local function isLive(room) return room ~= nil and room.state ~= 'ended' end
local function save(room)
  local text = json(room)
  redis.call('HSET', ROOMS, room.id, text)
  redis.call('PUBLISH', CHANNEL, text)
end
-- News for webhooks, in the same step as what they tell of.
local function tell(type, room, more)
  more = more or {}
  more.type, more.room, more.at, more.id = type, room.id, NOW, type .. '.' .. room.id .. '.' .. (more.mark or room.claim)
  redis.call('LPUSH', OUTBOX, json(more))
  redis.call('LTRIM', OUTBOX, 0, ${outboxMax - 1})
end

-- Every node with how many rooms it has, and how many of them came a moment ago: their load is not measured yet.
local cached
local function nodes()
  if cached then return cached end
  cached = {}
  local all = redis.call('HGETALL', NODES)
  for i = 1, #all, 2 do
    local node = cjson.decode(all[i + 1])
    node.rooms, node.recent, node.isDrained = 0, 0, node.isDrained or redis.call('SISMEMBER', DRAINED, all[i]) == 1
    cached[all[i]] = node
  end
  local placed = redis.call('HGETALL', PLACED)
  for i = 1, #placed, 2 do
    local at, id = placed[i + 1]:match('^(%d+) (.*)$')
    local node = cached[id]
    if node then
      node.rooms = node.rooms + 1
      if NOW - tonumber(at) < ${settlingMs} then node.recent = node.recent + 1 end
    end
  end
  return cached
end
local function isAlive(node) return node.leaseUntil > NOW end
local function loadOf(node) return node.load + node.recent * 50 / node.cores end

-- Why a node can not take another room, or nothing where it can.
local function refusal(node)
  if node.isDrained then return 'is being drained' end
  if node.rooms >= node.maxRooms then return 'has ' .. node.rooms .. ' of ' .. node.maxRooms .. ' rooms' end
  if node.maxLoad < 100 and loadOf(node) >= node.maxLoad then return 'is at ' .. math.floor(loadOf(node)) .. ' % of its processors' end
  return nil
end

-- The least loaded live node that has a place, other than except; else nothing, and why.
local function choose(room, except)
  local best, bestCost, reasons = nil, nil, {}
  for id, node in pairs(nodes()) do
    if isAlive(node) and node.isCapture and id ~= except then
      local why = refusal(node)
      if why then
        reasons[#reasons + 1] = id .. ' ' .. why
      else
        local cost = loadOf(node) + (room.failedOn == id and 1000 or 0)
        if not best or cost < bestCost or (cost == bestCost and (node.rooms < nodes()[best].rooms or (node.rooms == nodes()[best].rooms and id < best))) then
          best, bestCost = id, cost
        end
      end
    end
  end
  table.sort(reasons)
  if best then return best end
  return nil, #reasons == 0 and ('no ' .. (except and 'other ' or '') .. 'capture node is up') or 'no capture node has a place: ' .. table.concat(reasons, ', ', 1, math.min(#reasons, 5))
end
-- The time is in the number of a claim, so that it also grows over a Redis that lost its memory.
local function put(room, id)
  room.node, room.state, room.claim = id, 'starting', math.max(room.claim + 1, NOW)
  redis.call('HSET', PLACED, room.id, string.format('%d', NOW) .. ' ' .. id)
  redis.call('SREM', PENDING, room.id)
  local node = nodes()[id]
  if node then node.rooms, node.recent = node.rooms + 1, node.recent + 1 end
end
local function take(room)
  local node = room.node and nodes()[room.node]
  if node then node.rooms = node.rooms - 1 end
  redis.call('HDEL', PLACED, room.id)
  room.node = nil
end
-- From one node to another in one step: it never waits in between, and the older claim is worth nothing.
local function move(room, id)
  take(room)
  put(room, id)
  save(room)
end
-- The room has no node: it waits for one.
local function release(room)
  take(room)
  room.state = 'created'
  redis.call('SADD', PENDING, room.id)
end
local function finish(room, reason)
  take(room)
  redis.call('SREM', PENDING, room.id)
  redis.call('ZADD', DUE, NOW + ${keptMs}, room.id)
  room.state, room.endedAt, room.reason = 'ended', NOW, room.reason or reason
  tell('room.ended', room, { reason = room.reason, mark = room.createdAt })
  save(room)
end
-- Its node stops it and says so; without one it is over at once.
local function drain(room, reason)
  room.reason = reason
  if room.node then
    room.state = 'draining'
    save(room)
  else
    finish(room, reason)
  end
end
local function lose(room, cause)
  tell('room.node_lost', room, { node = room.node, cause = cause })
  if room.state == 'draining' then finish(room, room.reason) else release(room) end
end
local function setDue(room)
  if room.endsAt then
    redis.call('ZADD', DUE, room.isWarned and room.endsAt or math.max(NOW, room.endsAt - room.warnMs), room.id)
  else
    redis.call('ZREM', DUE, room.id)
  end
end

local function roomsOn(id)
  local found, placed = {}, redis.call('HGETALL', PLACED)
  for i = 1, #placed, 2 do
    if placed[i + 1]:match('^%d+ (.*)$') == id then found[#found + 1] = placed[i] end
  end
  table.sort(found)
  return found
end

-- Where Redis itself was away, nodes get a lease's time to say that they live. After one that was emptied nothing is placed in that time, either.
local function hasAmnesia() return redis.call('GET', GRACE) == 'amnesia' end
local function noteSilence(own)
  local newest, others = 0, false
  for id, node in pairs(nodes()) do
    newest, others = math.max(newest, node.leaseUntil), others or id ~= own
  end
  if others and newest < NOW + ${nodeLeaseMs - silenceMs} then redis.call('SET', GRACE, 'silence', 'PX', ${nodeLeaseMs}, 'NX') end
end

-- What time has done: nodes that died, rooms whose time is up, rooms that wait for a node.
local function sweep()
  local isWaiting = redis.call('EXISTS', GRACE) == 1
  for id, node in pairs(nodes()) do
    if not isAlive(node) and not isWaiting then
      for _, name in ipairs(roomsOn(id)) do
        local room = roomOf(name)
        if room then
          lose(room, 'died')
          if room.state == 'created' then save(room) end
        end
      end
      redis.call('HDEL', NODES, id)
      nodes()[id] = nil
    end
  end
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', DUE, '-inf', NOW, 'LIMIT', 0, 50)) do
    local room = roomOf(name)
    if not isLive(room) then
      redis.call('HDEL', ROOMS, name)
      redis.call('HDEL', SPECS, name)
      redis.call('ZREM', DUE, name)
    elseif not room.isWarned and room.warnMs > 0 then
      room.isWarned = true
      tell('room.timeout_warning', room, { timeout = 'absolute', ends_at = room.endsAt, mark = 'absolute.' .. room.endsAt })
      setDue(room)
      save(room)
    else
      redis.call('ZREM', DUE, name)
      if room.state ~= 'draining' then drain(room, 'absolute timeout') end
    end
  end
  if hasAmnesia() then return end
  local waiting = redis.call('SMEMBERS', PENDING)
  table.sort(waiting)
  for _, name in ipairs(waiting) do
    local room = roomOf(name)
    if not isLive(room) then
      redis.call('SREM', PENDING, name)
    elseif (room.notBefore or 0) <= NOW then
      local id = choose(room)
      if id then
        put(room, id)
        save(room)
      end
    end
  end
end
`

const fleetScript = (body: string): LuaScript => luaScript(prelude + body)

/**
 * arg: id, spec, absolute time-out and warning before it in ms (0: none), mark of the request ('' = none), '1' for a room that never ends.
 * KEYS[10], where there is a mark: what was created by that key before. A room is made only where a node has a place for it; one that never ends waits
 * for its node. → {created, record} | {replayed, record} | {other-request} | {exists} | {full, why}
 */
export const createRoom = fleetScript(`
local id, spec, endsIn, warnMs, mark, isPermanent = arg(1), arg(2), tonumber(arg(3)), tonumber(arg(4)), arg(5), arg(6) == '1'
if mark ~= '' then
  local before = redis.call('GET', KEYS[10])
  if before then
    local earlier = cjson.decode(before)
    if earlier.mark ~= mark then return { 'other-request' } end
    local room = roomOf(earlier.id)
    if room then return { 'replayed', json(room) } end
  end
end
local old = roomOf(id)
if isLive(old) then return { 'exists' } end
noteSilence('')
sweep()
local room = { id = id, state = 'created', claim = old and old.claim or 0, rev = 1, attempts = 0, createdAt = NOW, warnMs = warnMs, isPermanent = isPermanent }
local node, why = choose(room)
if not node and not isPermanent then return { 'full', why } end
if endsIn > 0 then room.endsAt = NOW + endsIn end
redis.call('HSET', SPECS, id, spec)
if node and not hasAmnesia() then put(room, node) else redis.call('SADD', PENDING, id) end
setDue(room)
save(room)
if mark ~= '' then redis.call('SET', KEYS[10], json({ mark = mark, id = id }), 'PX', 86400000) end
return { 'created', json(room) }`)

/** arg: id, the revision that the change was made from, spec, absolute time-out and warning in ms. The time runs from the room's creation. → {changed, record} | {conflict} | {gone} */
export const updateRoom = fleetScript(`
local room, endsIn = roomOf(arg(1)), tonumber(arg(4))
if not isLive(room) then return { 'gone' } end
if room.rev ~= tonumber(arg(2)) then return { 'conflict' } end
redis.call('HSET', SPECS, room.id, arg(3))
room.rev, room.warnMs = room.rev + 1, tonumber(arg(5))
room.endsAt = nil
if endsIn > 0 then room.endsAt = room.createdAt + endsIn end
if room.endsAt == nil or room.endsAt - room.warnMs > NOW then room.isWarned = nil end
setDue(room)
save(room)
return { 'changed', json(room) }`)

/**
 * arg: id, node ('' = the least loaded other one). A room that a node has goes to another one, which starts it anew. → {moving, record} | {gone} | {ending} | {waiting} |
 * {there} | {unknown} | {no-capture} | {full, why}
 */
export const moveRoom = fleetScript(`
local wanted = arg(2)
noteSilence('')
sweep()
local room = roomOf(arg(1))
if not isLive(room) then return { 'gone' } end
if room.state == 'draining' then return { 'ending' } end
if wanted ~= '' then
  local node = nodes()[wanted]
  if not node or not isAlive(node) then return { 'unknown' } end
  if not node.isCapture then return { 'no-capture' } end
end
if room.state ~= 'running' then return { 'waiting' } end
if room.node == wanted then return { 'there' } end
if hasAmnesia() then return { 'full', 'the nodes are still being counted after a loss of Redis' } end
local id, why = wanted, nil
if wanted == '' then id, why = choose(room, room.node) else why = refusal(nodes()[wanted]) end
if why then return { 'full', wanted == '' and why or wanted .. ' ' .. why } end
move(room, id)
return { 'moving', json(room) }`)

/** arg: id, reason. → {draining, record} | {permanent} | {gone} */
export const endRoom = fleetScript(`
local room = roomOf(arg(1))
if not isLive(room) then return { 'gone' } end
if room.isPermanent then return { 'permanent' } end
if room.state ~= 'draining' then drain(room, arg(2)) end
return { 'draining', json(room) }`)

/** arg: id. → {record, spec} | {} */
export const readFleetRoom = fleetScript(`
local text = redis.call('HGET', ROOMS, arg(1))
if not text then return {} end
return { text, redis.call('HGET', SPECS, arg(1)) or '{}' }`)

/** arg: the id after which to go on, how many at most, state, node ('' = any). Ids in their order. → {next id or '', record, spec, record, spec…} */
export const listFleetRooms = fleetScript(`
local after, limit, state, node = arg(1), tonumber(arg(2)), arg(3), arg(4)
local ids = redis.call('HKEYS', ROOMS)
table.sort(ids)
local page, last = { '' }, ''
for _, id in ipairs(ids) do
  if id > after then
    local text = redis.call('HGET', ROOMS, id)
    local room = cjson.decode(text)
    if (state == '' or room.state == state) and (node == '' or room.node == node) then
      if (#page - 1) / 2 == limit then
        page[1] = last
        break
      end
      page[#page + 1] = text
      page[#page + 1] = redis.call('HGET', SPECS, id) or '{}'
      last = id
    end
  end
end
return page`)

/** What the rooms of the fleet are doing. → {state, count, state, count…} */
export const countFleetRooms = fleetScript(`
local counts, flat = {}, {}
for _, text in ipairs(redis.call('HVALS', ROOMS)) do
  local state = cjson.decode(text).state
  counts[state] = (counts[state] or 0) + 1
end
for state, count in pairs(counts) do
  flat[#flat + 1] = state
  flat[#flat + 1] = count
end
return flat`)

/** Every node. → JSON of each, with its rooms counted */
export const readNodes = fleetScript(`
local list = {}
for id, node in pairs(nodes()) do
  node.id, node.isAlive, node.load = id, isAlive(node), node.load
  list[#list + 1] = json(node)
end
return list`)

/** arg: node, '1' to take no new room, what becomes of those that it has: stay, move (those that have a place elsewhere) or end. → set */
export const drainNode = fleetScript(`
local id, what = arg(1), arg(3)
if arg(2) == '1' then redis.call('SADD', DRAINED, id) else redis.call('SREM', DRAINED, id) end
if what == 'stay' or hasAmnesia() then return 'set' end
for _, name in ipairs(roomsOn(id)) do
  local room = roomOf(name)
  if isLive(room) and room.state ~= 'draining' then
    if what == 'move' then
      local other = choose(room, id)
      if other then move(room, other) end
    elseif not room.isPermanent then
      drain(room, 'node drained')
    end
  end
end
return 'set'`)

/**
 * arg: node, instance, what it is and can take, lease in ms, '1' for the first beat of a run, the rooms that it runs as a list of ids. The newest run of a node has
 * its name: rooms of an earlier one are its own, to be started anew. A Redis that was emptied waits a moment before it places anything, so
 * that each node can say what it has. → {replaced} | {kept, unknown rooms as JSON, record, spec, record, spec…}
 */
export const beatNode = fleetScript(`
local id, instance, lease, isFirst, held = arg(1), arg(2), tonumber(arg(4)), arg(5) == '1', cjson.decode(arg(6))
local before = redis.call('HGET', NODES, id)
before = before and cjson.decode(before) or nil
if before and before.instance ~= instance and not isFirst then return { 'replaced' } end
if not before and not isFirst and redis.call('EXISTS', ROOMS) == 0 then redis.call('SET', GRACE, 'amnesia', 'PX', lease) end
noteSilence(id)
cached = nil
local node = cjson.decode(arg(3))
node.instance, node.leaseUntil = instance, NOW + lease
redis.call('HSET', NODES, id, json(node))
if before and before.instance ~= instance then
  for _, name in ipairs(roomsOn(id)) do
    local room = roomOf(name)
    if room then
      lose(room, 'started anew')
      if isLive(room) then
        put(room, id)
        save(room)
      end
    end
  end
end
sweep()
local unknown = {}
for _, name in ipairs(held) do
  if not roomOf(name) then unknown[#unknown + 1] = name end
end
local reply = { 'kept', #unknown == 0 and '[]' or json(unknown) }
for _, name in ipairs(roomsOn(id)) do
  reply[#reply + 1] = redis.call('HGET', ROOMS, name)
  reply[#reply + 1] = redis.call('HGET', SPECS, name) or '{}'
end
return reply`)

/** arg: node, instance, '1' where its rooms are to end with it. The others go to other nodes, or wait for one. → left | replaced */
export const leaveFleet = fleetScript(`
local id, instance, ends = arg(1), arg(2), arg(3) == '1'
local text = redis.call('HGET', NODES, id)
if text and cjson.decode(text).instance ~= instance then return 'replaced' end
redis.call('HDEL', NODES, id)
local rooms = roomsOn(id)
cached = nil
for _, name in ipairs(rooms) do
  local room = roomOf(name)
  if room and (room.state == 'draining' or (ends and not room.isPermanent)) then
    finish(room, 'node stopped')
  elseif room then
    release(room)
    save(room)
  end
end
sweep()
return 'left'`)

/**
 * arg: room, node, claim, what (running, failed, stopped), why. What a node says of a room counts for its newest claim only. A run that
 * failed is tried again, elsewhere where that can be, a few times. → noted | stale
 */
export const noteRun = fleetScript(`
local room, node, claim, what, why = roomOf(arg(1)), arg(2), tonumber(arg(3)), arg(4), arg(5)
if not isLive(room) or room.node ~= node or room.claim ~= claim then return 'stale' end
if what == 'running' then
  if room.state ~= 'starting' then return 'noted' end
  if not room.startedAt then
    room.startedAt = NOW
    tell('room.started', room, { node = node, mark = room.createdAt })
  end
  room.state, room.attempts, room.failedOn, room.notBefore, room.reason = 'running', 0, nil, nil, nil
  save(room)
elseif what == 'failed' then
  room.attempts, room.failedOn, room.reason = room.attempts + 1, node, why
  if room.state == 'draining' or (room.attempts >= ${maxAttempts} and not room.isPermanent) then
    finish(room, why)
  else
    release(room)
    room.notBefore = NOW + ${retryMs} * room.attempts
    save(room)
  end
else
  finish(room, why)
end
return 'noted'`)

/** arg: id, which time-out, when it will end the room (ms since 1970). → told | gone */
export const warnRoom = fleetScript(`
local room = roomOf(arg(1))
if not isLive(room) then return 'gone' end
tell('room.timeout_warning', room, { timeout = arg(2), ends_at = tonumber(arg(3)), mark = arg(2) .. '.' .. arg(3) })
return 'told'`)

/** arg: node, then record and spec of each room that it has and this Redis does not know. → how many were put back */
export const restoreRooms = fleetScript(`
local node, count = arg(1), 0
for i = 3, #ARGV, 2 do
  local room = cjson.decode(ARGV[i])
  if redis.call('HSETNX', ROOMS, room.id, ARGV[i]) == 1 then
    redis.call('HSET', SPECS, room.id, ARGV[i + 1])
    redis.call('HSET', PLACED, room.id, string.format('%d', NOW) .. ' ' .. node)
    setDue(room)
    count = count + 1
  end
end
return count`)
