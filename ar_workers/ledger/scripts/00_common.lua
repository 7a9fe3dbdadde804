-- What every script of the ledger begins with: the key schema, and the parts of a move. Each script is the body of a
-- function; what it says of due rows, timelines and open rows is kept in mind, and written at its end by `finish`.
--
-- KEYS[1] is the customer's `due`; all other keys are derived from its prefix `ar:{customer}:`, whose braces are
-- the Redis Cluster hash tag: one script touches one slot. Times are milliseconds of this server's clock.
--
--   due                    zset    what the sweep rings: row id by when, and behind the millisecond who of those goes first
--   due:first              zset    the same of what it looks at first: `event/ID`, and rows that isolate or release
--   event:ID               hash    digest json state(accepted|planned|failed) at attempts reason threat
--   threats                zset    threat id by acceptance
--   threat:ID              hash    json accepted_at closed closed_at open(rows that are not settled)
--                                  thread:REMOTE(reference of the first message that this receiver accepted)
--   threat:ID:rows         zset    row id by position in the plan
--   threat:ID:timeline     list    `ms row-id text` per move
--   threat:ID:packed       string  rows and timeline of a compacted threat, as the client wrote them
--   row:ID                 hash    what NewRow has, and: state reason threat waits epoch fence lease_until was owner begun
--                                  begun_at looked_at attempts looks crashes generation generations latest next_at deadline
--                                  receipt reference evidence created_at performed_at settled_at cancel held_by
--                                  approved(guards that a person has opened, comma after each)
--                                  shared(ids of other threats that want it too, comma after each)
--                                  of a compacted threat only: state threat latest generations
--                                  of a delivery: has_fallback, digest(the row it is sent with; '' alone), digest_at
--   row:ID:gathered        list    ids of the deliveries that this one is sent for, its own among them
--   digest:RECEIVER/KIND   hash    ends count carrier: the window in which deliveries are counted
--   row:ID:frees           list    ids of the rows that wait for this one, whose `frees` is set then
--   lane:LANE              hash    owner, held(rows), until(the end of its lease): the visit that works on the endpoint now
--   lane:LANE:queue        zset    rows that found the lane busy, by when they came
--   endpoint:LANE          hash    generation: raised by each release, so that an older isolation can never re-apply;
--                                  released_by(who asked last); shown(isolate|release, as the EDR last showed it) shown_at
--   remote:NAME            hash    an EDR or a receiver. rates(`calls:ms,...`) and per rate n: tokens n, at n;
--                                  blocked_until(its own wish), failures(in a row), open_until(the breaker), slot(next turn)
--   remote:NAME:busy       zset    visit (owner) by the end of its lease; `:urgent` behind it for isolations
--   remote:NAME:busy:rows  hash    visit -> how many rows it still holds; `:urgent` before `:rows` for isolations
--   remote:NAME:queue      zset    rows that found it busy, by when they came; likewise
--   isolations             zset    row id by when its isolation was begun: the blast radius of the last hour
--   settled                zset    threat id by when its last row was settled
--   paused                 hash    kill switch: `*`, `edr:NAME` or `verb:NAME` -> reason. That of all customers is `ar:paused`,
--                                  which only the client can read: it lies in another slot
--   held                   set     ids of held rows
--   cursors                hash    feed -> how far it was read, in the feed's own words
--   once                   set     what has been told once and not been forgotten
local due, due_first = KEYS[1], KEYS[1] .. ':first'
local P = string.sub(due, 1, -4)

local TERMINAL = {done = true, already = true, skipped = true, failed = true, cancelled = true}
local FREES = {done = true, already = true, skipped = true, failed = true, cancelled = true, performed = true, held = true}
local CLAIMABLE = {pending = true, performed = true, unknown = true}
local URGENT = {isolate = true, release = true}
local LONGEST_TIMELINE = 2000
-- Of a vendor's allowance so much may be used at once; the rest trickles in, so that no window of it is ever exceeded.
local BURST = 0.25
-- Isolations may use the whole allowance, everything else leaves this share of the burst to them.
local RESERVE = 0.2
-- Requests of an ordinary visit: one is begun only if it can be ended.
local VISIT = 4
-- Milliseconds: the ages of rows are told apart the better the younger they are.
local MIDDLE_AGE = 60000
local MOST_FAILURES = 5
local SHORTEST_OPEN, LONGEST_OPEN = 5000, 30000
-- In a queue before the next one is called; Redis does nothing else meanwhile. If all are, the sweep calls.
local MOST_PASSED_OVER = 20

local function row_key(id) return P .. 'row:' .. id end

local function get(id, ...)
  return redis.call('HMGET', row_key(id), ...)
end

-- What `finish` writes: {due id -> at, or false for no more}, {threat -> lines}, {threat -> rows more or fewer unsettled}.
local due_at, lines, opened = {}, {}, {}

-- The due set that it stands in; a row's id is CUSTOMER:VERB:DIGEST.
local function due_key(id)
  local goes_first = string.sub(id, 1, 6) == 'event/' or URGENT[string.match(id, '^[^:]*:([^:]*)')]
  return goes_first and due_first or due
end

local function schedule(id, at) due_at[id] = at end
local function unschedule(id) due_at[id] = false end

local function note(threat, id, text)
  local mine = lines[threat] or {}
  lines[threat] = mine
  mine[#mine + 1] = string.format('%.0f ', now) .. id .. ' ' .. text
end

-- So many rows more (or, below 0, fewer) of the threat are unsettled.
local function count_open(threat, by) opened[threat] = (opened[threat] or 0) + by end

-- As many values at once as Lua's stack surely takes.
local function in_parts(values, write)
  for first = 1, #values, 1000 do write(unpack(values, first, math.min(#values, first + 999))) end
end

local function finish(reply)
  local later, never = {[due] = {}, [due_first] = {}}, {[due] = {}, [due_first] = {}}
  for id, at in pairs(due_at) do
    local key = due_key(id)
    local ids = at and later[key] or never[key]
    if at then ids[#ids + 1] = at end
    ids[#ids + 1] = id
  end
  for key, ids in pairs(never) do in_parts(ids, function(...) redis.call('ZREM', key, ...) end) end
  for key, ids in pairs(later) do in_parts(ids, function(...) redis.call('ZADD', key, ...) end) end
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

-- Whether a guard holds a row, and not a kill switch, whose scopes are `*`, `edr:NAME` or `verb:NAME`.
local function is_guard(held_by) return held_by and not string.find(held_by, '[*:]') end

-- What a person or another receiver must hear of comes in again as an event, once per generation of the row: an action
-- that failed for good or that a guard holds, each guard for itself, a delivery with a fallback that failed for good.
local function raise(id, threat, to, reason)
  local row = get(id, 'kind', 'verb', 'subject', 'generation', 'held_by', 'has_fallback', 'order')
  local fields, order = {reason = reason}, ''
  if row[1] == 'action' and (to == 'failed' or is_guard(row[5])) then
    fields.type, fields.verb, fields.subject, fields.state = 'action_stopped', row[2], row[3], to
  elseif to == 'failed' and row[6] == '1' then
    fields.type, order = 'delivery_failed', ',"delivery":' .. row[7]
  else
    return
  end
  local name = string.gsub(string.match(id, ':(.*)$'), '[^%w._-]', '-')
  fields.id = '.' .. to .. '-' .. name .. '-' .. row[4] .. (to == 'held' and '-' .. row[5] or '')
  fields.customer, fields.threat_ref, fields.occurred_at = string.match(P, '{(.*)}'), threat, math.floor(now / 1000)
  local key = P .. 'event:' .. fields.id
  if redis.call('EXISTS', key) == 1 then return end
  local about = redis.call('HGET', P .. 'threat:' .. threat, 'json') or 'null'
  local json = string.sub(cjson.encode(fields), 1, -2) .. ',"threat":' .. about .. order .. '}'
  redis.call('HSET', key, 'digest', 'own', 'json', json, 'state', 'accepted', 'at', now, 'threat', threat)
  schedule('event/' .. fields.id, now)
  note(threat, 'event/' .. fields.id, 'accepted')
end

-- Moves a row to a state it stays in until somebody claims, resumes or requeues it, and writes `changes`, {name, value,
-- ...}, with it. Rings are collected by `free_dependents` and the leaving of lanes.
local function enter(id, threat, from, to, reason, changes)
  local fields = changes or {}
  for _, part in ipairs({'state', to, 'reason', reason}) do fields[#fields + 1] = part end
  if TERMINAL[to] then
    fields[#fields + 1] = 'settled_at'
    fields[#fields + 1] = now
    count_open(threat, -1)
  end
  redis.call('HSET', row_key(id), unpack(fields))
  if TERMINAL[to] or to == 'held' then unschedule(id) end
  if to == 'held' then redis.call('SADD', P .. 'held', id) end
  note(threat, id, from .. ' -> ' .. to .. (reason ~= '' and (': ' .. reason) or ''))
  if to == 'failed' or to == 'held' then raise(id, threat, to, reason) end
end

-- Enters `pending`, due at once.
local function bring_back(id, threat, from, reason)
  enter(id, threat, from, 'pending', reason, {'next_at', now})
  schedule(id, now)
end

local function append_ring(rings, id, queue, label, lane)
  for _, part in ipairs({id, queue, label, lane or ''}) do rings[#rings + 1] = part end
end

local function add_ring(rings, id)
  local row = get(id, 'queue', 'label', 'lane')
  if row[1] then append_ring(rings, id, unpack(row)) end
end

-- What waited for `id` and now waits for nothing else becomes pending.
local function free_dependents(id, rings)
  local key = row_key(id) .. ':frees'
  local waiting = redis.call('LRANGE', key, 0, -1)
  if #waiting == 0 then return end
  for _, other in ipairs(waiting) do
    local left = redis.call('HINCRBY', row_key(other), 'waits', -1)
    local row = left <= 0 and get(other, 'state', 'threat', 'queue', 'label', 'lane') or {}
    if row[1] == 'waiting' then
      bring_back(other, row[2], 'waiting', '')
      append_ring(rings, other, row[3], row[4], row[5])
    end
  end
  redis.call('DEL', key)
end

-- Why nobody may claim a row now, as far as it can tell by itself; or nothing.
local function unclaimable(state, lease_until, next_at)
  if state == 'leased' then return (tonumber(lease_until) or 0) > now and 'leased' or nil end
  if not CLAIMABLE[state] then return state end
  return (tonumber(next_at) or 0) > now and 'not due' or nil
end

-- Who was served or put off meanwhile still stands in the queue, and is passed over.
local function ring_next(queue, rings)
  for _ = 1, MOST_PASSED_OVER do
    local next = redis.call('ZPOPMIN', queue)
    if not next[1] then return end
    local row = get(next[1], 'state', 'lease_until', 'next_at')
    if row[1] and not unclaimable(unpack(row)) then return add_ring(rings, next[1]) end
  end
end

-- A visit leaves an endpoint once it holds none of its rows any more.
local function leave_lane(lane, owner, rows, rings)
  local key = P .. 'lane:' .. lane
  local held = redis.call('HMGET', key, 'owner', 'held')
  if held[1] ~= owner then return end
  if held[2] - rows > 0 then return redis.call('HSET', key, 'held', held[2] - rows) end
  redis.call('DEL', key)
  ring_next(key .. ':queue', rings)
end

local function busy_key(remote, verb) return P .. 'remote:' .. remote .. ':busy' .. (URGENT[verb] and ':urgent' or '') end
local function queue_key(remote, verb) return P .. 'remote:' .. remote .. ':queue' .. (URGENT[verb] and ':urgent' or '') end

-- Whether as many visits are with the remote as may be.
local function is_full(remote, verb, most_visits)
  local busy = busy_key(remote, verb)
  if redis.call('ZCARD', busy) < most_visits then return false end
  local lost = redis.call('ZRANGEBYSCORE', busy, '-inf', now)
  if #lost == 0 then return true end
  redis.call('ZREM', busy, unpack(lost))
  redis.call('HDEL', busy .. ':rows', unpack(lost))
  return redis.call('ZCARD', busy) >= most_visits
end

-- A visit leaves a remote likewise.
local function leave_remote(remote, verb, owner, rows, rings)
  local busy = busy_key(remote, verb)
  if redis.call('HINCRBY', busy .. ':rows', owner, -rows) > 0 then return end
  redis.call('HDEL', busy .. ':rows', owner)
  if redis.call('ZREM', busy, owner) == 1 then ring_next(queue_key(remote, verb), rings) end
end

-- Whether the row is still leased under this fence; a later claim has raised it.
local function is_ours(id, fence)
  local row = get(id, 'state', 'fence')
  return row[1] == 'leased' and row[2] == fence
end

-- The rates of a remote with their tokens as of now: {capacity, per ms, tokens}.
local function buckets(key, rates)
  local found = {}
  for calls, ms in string.gmatch(rates, '(%d+):(%d+)') do
    local n = #found + 1
    local capacity = math.max(1, calls * BURST)
    local refill = (calls - capacity > 0 and calls - capacity or calls) / ms
    local kept = redis.call('HMGET', key, 'tokens' .. n, 'at' .. n)
    local tokens = kept[1] and math.min(capacity, kept[1] + (now - kept[2]) * refill) or capacity
    found[n] = {capacity, refill, tokens}
  end
  return found
end

-- How long until every bucket has `wanted` tokens above what must be left, in ms.
local function shortage(found, wanted, urgent)
  local wait = 0
  for _, each in ipairs(found) do
    local left = urgent and 0 or each[1] * RESERVE
    local needed = math.min(wanted, each[1] - left) + left
    if each[3] < needed then wait = math.max(wait, math.ceil((needed - each[3]) / each[2])) end
  end
  return wait
end

-- How long the remote must be left alone, in ms, and why; 0 if it may be asked now. And its failures in a row.
local function wait_for(remote, urgent)
  if remote == '' then return 0 end
  local key = P .. 'remote:' .. remote
  local row = redis.call('HMGET', key, 'rates', 'blocked_until', 'open_until', 'failures')
  local blocked, open = (tonumber(row[2]) or 0) - now, (tonumber(row[3]) or 0) - now
  if blocked > 0 and blocked >= open then return blocked, remote .. ' asked to be left alone' end
  if open > 0 then return open, remote .. ' does not answer: tried by one at a time' end
  local wait = row[1] and shortage(buckets(key, row[1]), VISIT, urgent) or 0
  return wait, 'the allowance of ' .. remote .. ' is used up for now', tonumber(row[4]) or 0
end

-- The same, looked at once in a script.
local waits = {}
local function closed_for(remote, urgent)
  local key = remote .. (urgent and '!' or '')
  waits[key] = waits[key] or {wait_for(remote, urgent)}
  return unpack(waits[key])
end

-- Where an urgent row stands among those that come back at the same millisecond, from 0 to 1: what was asked of the EDR is looked
-- at first, the rest goes by age.
local function standing(id)
  local row = get(id, 'begun', 'created_at')
  if row[1] == '1' then return 0 end
  return MIDDLE_AGE / (MIDDLE_AGE + 1000 + math.max(0, now - row[2])) -- a replica's clock may be behind
end

-- The row comes back when it is its turn. What is urgent comes at once; of the rest each takes the next turn.
local function put_off(id, remote, wait, why, urgent)
  local at, place = math.floor(now + wait), 0
  if urgent then
    place = standing(id)
  else
    local key = P .. 'remote:' .. remote
    local row = redis.call('HMGET', key, 'rates', 'slot')
    local spacing = 50
    for calls, ms in string.gmatch(row[1] or '', '(%d+):(%d+)') do spacing = math.max(spacing, VISIT * ms / calls) end
    at = math.max(at, tonumber(row[2]) or 0)
    redis.call('HSET', key, 'slot', at + math.floor(spacing))
  end
  redis.call('HSET', row_key(id), 'next_at', at, 'reason', why)
  schedule(id, at + place)
end

-- The kill switches, looked at once in a script; those of all customers come as JSON from the client.
local paused = {}
local function switches(scopes)
  local name = table.concat(scopes, ' ')
  paused[name] = paused[name] or redis.call('HMGET', P .. 'paused', unpack(scopes))
  return paused[name]
end

-- Why the kill switch keeps what this EDR is asked for, and its scope; or nothing. A release gives access back: it is let through.
local function pause_of(edr, verb, everyone)
  if edr == '' or verb == 'release' then return end -- a delivery has no EDR: people go on being told
  local scopes, all = {'*', 'edr:' .. edr, 'verb:' .. verb}, cjson.decode(everyone)
  for _, scope in ipairs(scopes) do
    if all[scope] then return 'paused for everyone (' .. scope .. '): ' .. all[scope], 'everyone ' .. scope end
  end
  for n, reason in ipairs(switches(scopes)) do
    if reason then return 'paused (' .. scopes[n] .. '): ' .. reason, scopes[n] end
  end
end

-- By whom the endpoint was released after the isolation was wished for, in words; or nothing.
local function released_since(verb, lane, epoch)
  if verb ~= 'isolate' then return end
  local endpoint = redis.call('HMGET', P .. 'endpoint:' .. lane, 'generation', 'released_by')
  if tonumber(epoch) < tonumber(endpoint[1] or '0') then return 'released by ' .. (endpoint[2] or 'a person') end
end

local function is_approved(approved, guard) return string.find(',' .. (approved or ''), ',' .. guard .. ',', 1, true) end

-- What forbids the write that the row is about: {to, reason, held_by}, or nothing.
local function hindrance(id, verb, edr, lane, epoch, cancel, approved, most, everyone)
  local called_off = cancel or released_since(verb, lane, epoch)
  if called_off then return 'cancelled', called_off end
  local reason, scope = pause_of(edr, verb, everyone)
  if reason then return 'held', reason, scope end
  if verb == 'isolate' and most >= 0 then
    redis.call('ZREMRANGEBYSCORE', P .. 'isolations', '-inf', now - 3600000)
    local counted = redis.call('ZSCORE', P .. 'isolations', id)
    if not counted and not is_approved(approved, 'blast_radius') and redis.call('ZCARD', P .. 'isolations') >= most then
      return 'held', 'blast radius: ' .. most .. ' isolations in the last hour; a TRE decides', 'blast_radius'
    end
    redis.call('ZADD', P .. 'isolations', now, id)
  end
end

-- What of a threat may be rung, in plan order.
local function unsettled(threat)
  local rings = {}
  for _, id in ipairs(redis.call('ZRANGE', P .. 'threat:' .. threat .. ':rows', 0, -1)) do
    local row = get(id, 'state', 'queue', 'label', 'lane')
    if row[1] and row[2] and not TERMINAL[row[1]] and row[1] ~= 'held' then
      append_ring(rings, id, row[2], row[3], row[4])
    end
  end
  return rings
end
