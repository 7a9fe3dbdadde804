-- What a script says of due rows, timelines and open rows is kept in mind, and written together at its end.
local LONGEST_TIMELINE = 2000
-- So many moves wait for who chains them outside Redis; of more the oldest go, and the chain tells of the gap.
local MOST_MOVES = 200000
-- {due id -> at, or false for no more}, {threat -> lines}, {threat -> rows more or fewer unsettled}.
local due_at, lines, opened = {}, {}, {}

-- The due set that it stands in; a row's id is CUSTOMER:VERB:CHECKSUM.
local function due_key(id)
  local goes_first = string.sub(id, 1, 6) == 'event/' or URGENT[string.match(id, '^[^:]*:([^:]*)')]
  return goes_first and due_first or due
end

local function schedule(id, at) due_at[id] = at end
local function unschedule(id) due_at[id] = false end

-- Who moves rows in this script, and {row -> what the EDR showed}: of the record alone, which has every move once more.
local actor, proof, moves = '', {}, {}
local function acts(who) actor = who end

local function to_record(threat, id, text, evidence)
  moves[#moves + 1] = {string.format('%.0f', now), threat, id, text, '', evidence or ''}
end

local function note(threat, id, text)
  local mine = lines[threat] or {}
  lines[threat] = mine
  mine[#mine + 1] = string.format('%.0f ', now) .. id .. ' ' .. text
  to_record(threat, id, text, proof[id])
end

-- So many rows more (or, below 0, fewer) of the threat are unsettled.
local function count_open(threat, by) opened[threat] = (opened[threat] or 0) + by end

-- As many values at once as Lua's stack surely takes.
local function in_parts(values, write)
  for first = 1, #values, 1000 do write(unpack(values, first, math.min(#values, first + 999))) end
end

local function write_due()
  local later, never = {[due] = {}, [due_first] = {}}, {[due] = {}, [due_first] = {}}
  for id, at in pairs(due_at) do
    local key = due_key(id)
    local ids = at and later[key] or never[key]
    if at then ids[#ids + 1] = at end
    ids[#ids + 1] = id
  end
  for key, ids in pairs(never) do in_parts(ids, function(...) redis.call('ZREM', key, ...) end) end
  for key, ids in pairs(later) do in_parts(ids, function(...) redis.call('ZADD', key, ...) end) end
end

local function write_moves()
  local key, length = P .. 'moves', 0
  for n, move in ipairs(moves) do
    move[5] = actor
    moves[n] = cjson.encode(move)
  end
  in_parts(moves, function(...) length = redis.call('RPUSH', key, ...) end)
  if length <= MOST_MOVES then return end
  redis.call('LTRIM', key, -MOST_MOVES, -1)
  redis.call('INCRBY', key .. ':taken', length - MOST_MOVES)
end

local function finish(reply)
  write_due()
  write_moves()
  for threat, by in pairs(opened) do
    local open = redis.call('HINCRBY', P .. 'threat:' .. threat, 'open', by)
    if open == 0 then
      redis.call('ZADD', P .. 'settled', now, threat)
    elseif by > 0 then
      redis.call('ZREM', P .. 'settled', threat)
    end
  end
  for threat, mine in pairs(lines) do
    local key, length = P .. 'threat:' .. threat .. ':timeline', 0
    in_parts(mine, function(...) length = redis.call('RPUSH', key, ...) end)
    if length > LONGEST_TIMELINE then redis.call('LTRIM', key, -LONGEST_TIMELINE, -1) end
  end
  return reply
end
