-- Takes a due row. ARGV: row id, owner, lease in ms, most isolations an hour or -1, most visits at once to one remote.
-- Returns {'no', reason} or {'yes', the fields of a Claim}. A row that was never begun is cleared for its write at once
-- (see begin.lua), which saves asking again if the write follows soon.
local id, owner, lease, most, most_visits = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local row = redis.call('HMGET', row_key(id), 'state', 'fence', 'lease_until', 'was', 'owner', 'begun', 'next_at', 'lane',
  'threat', 'verb', 'epoch', 'deadline', 'kind', 'order', 'attempts', 'looks', 'crashes', 'generation', 'receipt', 'approved',
  'edr', 'cancel', 'remote', 'looked_at', 'begun_at')
local is_delivery = row[13] == 'delivery'
local state, was, lane, threat, verb, remote = row[1], row[4], row[8], row[9], row[10], row[23] or ''
if not state then return {'no', 'no such row'} end
local urgent = URGENT[verb]

local function granted(fence, from)
  return {'yes', threat, row[13], row[14], from, fence, row[15] or '0', row[16] or '0', row[17] or '0', row[18], row[19] or '',
    (tonumber(row[12]) < now) and '1' or '0', row[20] or '0', from == 'pending' and '1' or '0', tostring(now - tonumber(row[24] or row[25] or now)),
    is_delivery and redis.call('HGET', P .. 'threat:' .. threat, 'thread:' .. remote) or ''}
end

local function wait_in(queue, reason)
  redis.call('ZADD', queue, 'NX', now, id)
  return {'no', reason}
end

local is_lost = false
if state == 'leased' then
  if row[5] == owner then return granted(row[2], was) end -- the same call again: its first reply was lost
  if tonumber(row[3]) > now then return {'no', 'leased'} end
  is_lost = true
  state = (was == 'pending' and row[6] == '1') and 'unknown' or was
elseif state ~= 'pending' and state ~= 'performed' and state ~= 'unknown' then
  return {'no', state}
elseif tonumber(row[7]) > now then
  return {'no', 'not due'}
end

local lane_key = P .. 'lane:' .. lane
local holder = lane ~= '' and redis.call('HGET', lane_key, 'owner')
if holder and holder ~= owner then return wait_in(lane_key .. ':queue', 'endpoint busy') end

local failures = 0
if remote ~= '' then
  local wait, why, failed = wait_for(remote, urgent)
  failures = failed or 0
  if wait > 0 then
    if not is_lost then put_off(id, remote, wait, why, urgent) end
    return {'no', why}
  end
  if is_full(remote, verb, most_visits) and not redis.call('ZSCORE', busy_key(remote, verb), owner) then
    return wait_in(queue_key(remote, verb), remote .. ' busy')
  end
end

if state == 'pending' then
  local to, reason, held_by = hindrance(id, verb, row[21], lane, row[11], row[22], row[20], most)
  if to then
    if held_by then redis.call('HSET', row_key(id), 'held_by', held_by) end
    enter(id, threat, state, to, reason)
    free_dependents(id, {})
    return {'no', to}
  end
end

if is_lost then
  row[17] = redis.call('HINCRBY', row_key(id), 'crashes', 1)
  note(threat, id, 'lease expired: its worker was lost')
end
if lane ~= '' then
  redis.call('HSET', lane_key, 'owner', owner)
  redis.call('HINCRBY', lane_key, 'held', 1)
  redis.call('PEXPIRE', lane_key, lease)
end
if remote ~= '' then
  enter_remote(remote, verb, owner, now + lease)
  if failures >= MOST_FAILURES then -- the breaker's one probe: the others wait until it has ended, or for the next
    redis.call('HSET', P .. 'remote:' .. remote, 'open_until', now + LONGEST_OPEN)
  end
end
local fence = redis.call('HINCRBY', row_key(id), 'fence', 1)
local taken = {'state', 'leased', 'was', state, 'owner', owner, 'lease_until', now + lease}
if state == 'pending' then
  for _, part in ipairs({'begun', 1, 'begun_at', now}) do taken[#taken + 1] = part end
end
redis.call('HSET', row_key(id), unpack(taken))
redis.call('ZADD', due, now + lease + 1, id)
return granted(tostring(fence), state)
