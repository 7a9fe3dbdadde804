-- What every script of the ledger begins with: the key schema, and the parts of a move.
--
-- KEYS[1] is the customer's due set; all other keys are derived from its prefix `ar:{customer}:`, whose braces are
-- the Redis Cluster hash tag: one script touches one slot. Times are milliseconds of this server's clock.
--
--   due                    zset    what the sweep rings: row id or `event/ID`, by when
--   event:ID               hash    digest json state(accepted|planned|failed) at attempts reason threat
--   threats                zset    threat id by acceptance
--   threat:ID              hash    json accepted_at closed closed_at
--   threat:ID:rows         zset    row id by position in the plan
--   threat:ID:timeline     list    one JSON object [ms, row id, text] per move
--   row:ID                 hash    what NewRow has, and: state reason threat waits epoch fence lease_until was owner begun
--                                  begun_at attempts looks crashes generation generations latest next_at deadline
--                                  receipt reference evidence created_at performed_at settled_at cancel approved held_by
--                                  shared(ids of other threats that want it too, comma after each)
--   row:ID:frees           list    ids of the rows that wait for this one
--   lane:LANE              string  the row that works on the endpoint now; expires with the lease
--   lane:LANE:queue        zset    rows that found the lane busy, by when they came
--   endpoint:LANE          hash    generation: raised by each release, so that an older isolation can never re-apply
--   isolations             zset    row id by when its isolation was begun: the blast radius of the last hour
--   paused                 hash    kill switch: `*`, `edr:NAME` or `verb:NAME` -> reason
--   held                   set     ids of held rows
--   once                   set     what has been told once and not been forgotten
local due = KEYS[1]
local P = string.sub(due, 1, -4)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local TERMINAL = {done = true, already = true, skipped = true, failed = true, cancelled = true}
local FREES = {done = true, already = true, skipped = true, failed = true, cancelled = true, performed = true, held = true}
local LONGEST_TIMELINE = 2000

local function row_key(id) return P .. 'row:' .. id end

local function get(id, ...)
  return redis.call('HMGET', row_key(id), ...)
end

local function note(threat, id, text)
  local key = P .. 'threat:' .. threat .. ':timeline'
  local length = redis.call('RPUSH', key, cjson.encode({now, id, text}))
  if length > LONGEST_TIMELINE then redis.call('LTRIM', key, -LONGEST_TIMELINE, -1) end
end

local function make_due(id, at)
  redis.call('HSET', row_key(id), 'next_at', at)
  redis.call('ZADD', due, at, id)
end

-- Moves a row to a state it stays in until somebody claims, resumes or requeues it. Returns nothing: rings are
-- collected by `freed` and `leave_lane`.
local function enter(id, threat, from, to, reason)
  redis.call('HSET', row_key(id), 'state', to, 'reason', reason)
  if TERMINAL[to] then
    redis.call('HSET', row_key(id), 'settled_at', now)
    redis.call('ZREM', due, id)
  elseif to == 'held' then
    redis.call('ZREM', due, id)
    redis.call('SADD', P .. 'held', id)
  end
  note(threat, id, from .. ' -> ' .. to .. (reason ~= '' and (': ' .. reason) or ''))
end

local function add_ring(rings, id)
  local row = get(id, 'queue', 'label', 'lane')
  for _, part in ipairs({id, row[1], row[2], row[3] or ''}) do rings[#rings + 1] = part end
end

-- What waited for `id` and now waits for nothing else becomes pending.
local function free_dependents(id, rings)
  local key = row_key(id) .. ':frees'
  for _, other in ipairs(redis.call('LRANGE', key, 0, -1)) do
    local left = redis.call('HINCRBY', row_key(other), 'waits', -1)
    local row = get(other, 'state', 'threat')
    if left <= 0 and row[1] == 'waiting' then
      enter(other, row[2], 'waiting', 'pending', '')
      make_due(other, now)
      add_ring(rings, other)
    end
  end
  redis.call('DEL', key)
end

local function leave_lane(id, lane, rings)
  if lane == '' or redis.call('GET', P .. 'lane:' .. lane) ~= id then return end
  redis.call('DEL', P .. 'lane:' .. lane)
  local next = redis.call('ZPOPMIN', P .. 'lane:' .. lane .. ':queue')
  if next[1] then add_ring(rings, next[1]) end
end

-- Ends a lease: the row goes to `to`, its lane and its dependents are let go.
local function leave(id, to, reason, rings)
  local row = get(id, 'threat', 'was', 'lane')
  redis.call('HSET', row_key(id), 'lease_until', 0)
  enter(id, row[1], row[2], to, reason)
  leave_lane(id, row[3] or '', rings)
  if FREES[to] then free_dependents(id, rings) end
end

-- Whether the row is still leased under this fence; a later claim has raised it.
local function is_ours(id, fence)
  local row = get(id, 'state', 'fence')
  return row[1] == 'leased' and row[2] == fence
end
