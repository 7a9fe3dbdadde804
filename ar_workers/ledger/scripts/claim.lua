-- uses: lanes remotes guards
-- Takes due rows for one visit. ARGV: owner, lease in ms, caps as JSON, the shares of remediate groups as JSON, most visits at once to
-- one remote, the kill switches of all customers as JSON, row id, row id, ... Returns for each {'no', reason} or {'yes', the fields of a
-- Claim}. A row that was never begun is cleared for its write at once (see begin.lua), which saves asking again if the write
-- follows soon. What was undone since is over, whatever became of it: the undo looks.
local owner, lease, caps, shares, most_visits, everyone = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6]
local FIRST_ID = 7
-- What this visit enters: {lane -> rows}, {busy key of a remote -> rows}. And {lane -> the rows that it holds there already}.
local lanes, remotes, held_before = {}, {}, {}

-- What a lost worker held is called before all others.
local function wait_in(queue, id, reason, is_lost)
  redis.call('ZADD', queue, 'NX', is_lost and 0 or now, id)
  return {'no', reason}
end

local function is_others_lane(lane)
  if lane == '' or lanes[lane] then return false end
  local holder = fields_of(P .. 'lane:' .. lane, 'owner', 'until', 'held')
  held_before[lane] = holder.owner == owner and tonumber(holder.held) or 0
  return holder.owner and holder.owner ~= owner and (tonumber(holder['until']) or 0) > now
end

local function is_full_for_us(remote, verb)
  local busy = busy_key(remote, verb)
  return not remotes[busy] and is_full(remote, verb, most_visits) and not redis.call('ZSCORE', busy, owner)
end

local function granted(row, fence, from, crashes, is_lost)
  local thread = row.kind == 'delivery' and redis.call('HGET', P .. 'threat:' .. row.threat, 'thread:' .. row.remote) or ''
  local unseen = now - tonumber(row.looked_at or row.begun_at or now)
  return {'yes', row.threat, row.kind, row.order, from, fence, row.attempts or '0', row.looks or '0', tostring(crashes), row.generation,
    row.receipt or '', (tonumber(row.deadline) < now) and '1' or '0', row.approved or '', from == 'pending' and '1' or '0',
    tostring(unseen), thread, is_lost and '1' or '0', row.blanks or '0', row.cancel or '',
    row.verb, row.edr or '', row.lane, row.remote, row.hindered or '', tostring(now - tonumber(row.hindered_at or now)),
    row.seal or '', row.approvals or '', row.planned_for or row.threat, row.decisions or ''}
end

-- Why the row's remote does not take it now, or nothing; and the remote's failures in a row.
local function remote_refusal(id, row, is_lost)
  if row.remote == '' then return nil, 0 end
  local wait, why, failures = closed_for(row.remote, URGENT[row.verb])
  if wait > 0 then
    if not is_lost then put_off(id, row.remote, wait, why, URGENT[row.verb]) end
    return {'no', why}
  end
  if is_full_for_us(row.remote, row.verb) then
    return wait_in(queue_key(row.remote, row.verb), id, row.remote .. ' busy', is_lost)
  end
  return nil, failures
end

-- The row enters its lane and its remote with this visit.
local function admit(row, failures)
  if row.works_in ~= '' then lanes[row.works_in] = (lanes[row.works_in] or 0) + 1 end
  if row.remote == '' then return end
  local busy = busy_key(row.remote, row.verb)
  remotes[busy] = (remotes[busy] or 0) + 1
  if failures >= MOST_FAILURES then -- the breaker's one probe: the others wait until it has ended, or for the next
    redis.call('HSET', remote_key(row.remote), 'open_until', now + LONGEST_OPEN)
    waits = {}
  end
end

local function take(id, row, from)
  local fence = string.format('%.0f', row.fence + 1)
  local taken = {'state', 'leased', 'was', from, 'owner', owner, 'lease_until', now + lease, 'fence', fence}
  if from == 'pending' then taken[11], taken[12], taken[13], taken[14] = 'begun', 1, 'begun_at', now end
  redis.call('HSET', row_key(id), unpack(taken))
  schedule(id, now + lease + 1)
  return fence
end

-- Written out, because a table that is made at once takes half the time of one that grows: this is done for every row.
local function read(id)
  local v = redis.call('HMGET', row_key(id), 'state', 'fence', 'lease_until', 'was', 'owner', 'begun', 'next_at', 'lane', 'threat',
    'verb', 'epoch', 'deadline', 'kind', 'order', 'attempts', 'looks', 'crashes', 'generation',
    'receipt', 'approved', 'edr', 'cancel', 'remote', 'looked_at', 'begun_at', 'blanks',
    'hindered', 'hindered_at', 'dry', 'seal', 'approvals', 'planned_for', 'decisions')
  return {
    state = v[1] or nil, fence = v[2] or nil, lease_until = v[3] or nil, was = v[4] or nil, owner = v[5] or nil,
    begun = v[6] or nil, next_at = v[7] or nil, lane = v[8] or nil, threat = v[9] or nil, verb = v[10] or nil,
    epoch = v[11] or nil, deadline = v[12] or nil, kind = v[13] or nil, order = v[14] or nil, attempts = v[15] or nil,
    looks = v[16] or nil, crashes = v[17] or nil, generation = v[18] or nil, receipt = v[19] or nil, approved = v[20] or nil,
    edr = v[21] or nil, cancel = v[22] or nil, remote = v[23] or nil, looked_at = v[24] or nil, begun_at = v[25] or nil,
    blanks = v[26] or nil, hindered = v[27] or nil, hindered_at = v[28] or nil, dry = v[29] or nil, seal = v[30] or nil,
    approvals = v[31] or nil, planned_for = v[32] or nil, decisions = v[33] or nil,
  }
end

local function claim(id)
  local row = read(id)
  if not row.state then return {'no', 'no such row'} end
  row.remote = row.remote or ''
  local from, crashes, is_lost = row.state, tonumber(row.crashes or '0'), false
  if from == 'leased' and row.owner == owner then -- the same call again: its first reply was lost
    return granted(row, row.fence, row.was, crashes, false)
  end
  local no = unclaimable(row)
  if no then return {'no', no} end
  if from == 'leased' then
    is_lost = true
    from = (row.was == 'pending' and row.begun == '1') and 'unknown' or row.was
  end

  row.works_in = lane_of(id, row)
  if is_others_lane(row.works_in) then
    local busy = row.lane ~= '' and 'endpoint busy' or 'its order or its undo is being worked on'
    return wait_in(P .. 'lane:' .. row.works_in .. ':queue', id, busy, is_lost)
  end
  local refusal, failures = remote_refusal(id, row, is_lost)
  if refusal then return refusal end
  if is_lost then note(row.threat, id, 'lease expired: its worker was lost') end
  if from == 'pending' or undone_since(id, row) then
    local ours = CAP_OF[row.verb] and shares_of(row.order, shares) or {}
    local to, reason, held_by = hindrance(id, row, caps, ours, everyone)
    if to then
      enter(id, row.threat, from, to, reason, held_by and {'held_by', held_by})
      free_dependents(id, {})
      return {'no', to}
    end
  end

  if is_lost then crashes = redis.call('HINCRBY', row_key(id), 'crashes', 1) end
  local fence = take(id, row, from)
  admit(row, failures)
  return granted(row, fence, from, crashes, is_lost)
end

acts('worker ' .. owner)
local answers = {}
for n = FIRST_ID, #ARGV do answers[#answers + 1] = claim(ARGV[n]) end
for lane, rows in pairs(lanes) do
  local key = P .. 'lane:' .. lane
  redis.call('HSET', key, 'owner', owner, 'until', now + lease, 'held', held_before[lane] + rows)
  redis.call('PEXPIRE', key, lease)
end
for busy, rows in pairs(remotes) do
  redis.call('ZADD', busy, now + lease, owner)
  redis.call('HINCRBY', busy .. ':rows', owner, rows)
end
return answers
