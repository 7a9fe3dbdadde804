-- uses: lanes
-- An EDR or a receiver: how many visit it at once, how often it is asked, and when it is left alone.

-- Of a vendor's allowance so much may be used at once; the rest trickles in, so that no window of it is ever exceeded.
local BURST = 0.25
-- What is urgent may use the whole allowance, everything else leaves this share of the burst to it.
local RESERVE = 0.2
-- Requests of an ordinary visit: one is begun only if it can be ended.
local VISIT = 4
-- Milliseconds: the ages of rows are told apart the better the younger they are.
local MIDDLE_AGE = 60000
-- In a row: from then on the breaker is open for these milliseconds, and then one visit tries.
local MOST_FAILURES = 5
local SHORTEST_OPEN, LONGEST_OPEN = 5000, 30000
-- Milliseconds between rows that come back to a remote that names no rate.
local LEAST_SPACING = 50

local function remote_key(remote) return P .. 'remote:' .. remote end
local function busy_key(remote, verb) return remote_key(remote) .. ':busy' .. (URGENT[verb] and ':urgent' or '') end
local function queue_key(remote, verb) return remote_key(remote) .. ':queue' .. (URGENT[verb] and ':urgent' or '') end

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

-- A visit leaves a remote once it holds no row for it any more.
local function leave_remote(remote, verb, owner, rows, rings)
  local busy = busy_key(remote, verb)
  if redis.call('HINCRBY', busy .. ':rows', owner, -rows) > 0 then return end
  redis.call('HDEL', busy .. ':rows', owner)
  if redis.call('ZREM', busy, owner) == 1 then ring_next(queue_key(remote, verb), rings) end
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
    found[n] = {capacity = capacity, refill = refill, tokens = tokens}
  end
  return found
end

-- How long until every bucket has `wanted` tokens above what must be left, in ms.
local function shortage(found, wanted, may_use_reserve)
  local wait = 0
  for _, each in ipairs(found) do
    local left = may_use_reserve and 0 or each.capacity * RESERVE
    local needed = math.min(wanted, each.capacity - left) + left
    if each.tokens < needed then wait = math.max(wait, math.ceil((needed - each.tokens) / each.refill)) end
  end
  return wait
end

-- How long the remote must be left alone, in ms, and why; 0 if it may be asked now. And its failures in a row.
local function wait_for(remote, urgent)
  if remote == '' then return 0, '', 0 end
  local row = fields_of(remote_key(remote), 'rates', 'blocked_until', 'open_until', 'failures')
  local blocked, open = (tonumber(row.blocked_until) or 0) - now, (tonumber(row.open_until) or 0) - now
  if blocked > 0 and blocked >= open then return blocked, remote .. ' asked to be left alone', 0 end
  if open > 0 then return open, remote .. ' does not answer: tried by one at a time', 0 end
  local wait = row.rates and shortage(buckets(remote_key(remote), row.rates), VISIT, urgent) or 0
  return wait, 'the allowance of ' .. remote .. ' is used up for now', tonumber(row.failures) or 0
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
  if row.begun == '1' then return 0 end
  return MIDDLE_AGE / (MIDDLE_AGE + 1000 + math.max(0, now - row.created_at)) -- a replica's clock may be behind
end

-- The row comes back when it is its turn. What is urgent comes at once; of the rest each takes the next turn.
local function put_off(id, remote, wait, why, urgent)
  local at, place = math.floor(now + wait), 0
  if urgent then
    place = standing(id)
  else
    local row, spacing = fields_of(remote_key(remote), 'rates', 'slot'), LEAST_SPACING
    for calls, ms in string.gmatch(row.rates or '', '(%d+):(%d+)') do spacing = math.max(spacing, VISIT * ms / calls) end
    at = math.max(at, tonumber(row.slot) or 0)
    redis.call('HSET', remote_key(remote), 'slot', at + math.floor(spacing))
  end
  redis.call('HSET', row_key(id), 'next_at', at, 'reason', why)
  schedule(id, at + place)
end
