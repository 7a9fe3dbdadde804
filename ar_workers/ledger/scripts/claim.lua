-- Takes due rows for one visit. ARGV: owner, lease in ms, most isolations an hour or -1, most visits at once to one remote,
-- the kill switches of all customers as JSON, row id, row id, ... Returns for each {'no', reason} or {'yes', the fields of a
-- Claim}. A row that was never begun is cleared for its write at once (see begin.lua), which saves asking again if the write
-- follows soon. An isolation whose endpoint was released since is over, whatever became of it: the release looks at the endpoint.
local owner, lease, most, most_visits, everyone = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
-- What this visit enters: {lane -> rows}, {busy key of a remote -> rows}.
local lanes, remotes = {}, {}

-- What a lost worker held is called before all others.
local function wait_in(queue, id, reason, is_lost)
  redis.call('ZADD', queue, 'NX', is_lost and 0 or now, id)
  return {'no', reason}
end

local function is_others_lane(lane)
  if lane == '' or lanes[lane] then return false end
  local holder = redis.call('HMGET', P .. 'lane:' .. lane, 'owner', 'until')
  return holder[1] and holder[1] ~= owner and (tonumber(holder[2]) or 0) > now
end

local function is_full_for_us(remote, verb)
  local busy = busy_key(remote, verb)
  return not remotes[busy] and is_full(remote, verb, most_visits) and not redis.call('ZSCORE', busy, owner)
end

local function claim(id)
  local row = get(id, 'state', 'fence', 'lease_until', 'was', 'owner', 'begun', 'next_at', 'lane',
    'threat', 'verb', 'epoch', 'deadline', 'kind', 'order', 'attempts', 'looks', 'crashes', 'generation', 'receipt', 'approved',
    'edr', 'cancel', 'remote', 'looked_at', 'begun_at')
  local state, was, lane, threat, verb, remote = row[1], row[4], row[8], row[9], row[10], row[23] or ''
  if not state then return {'no', 'no such row'} end
  local urgent, crashes, is_lost = URGENT[verb], tonumber(row[17] or '0'), false

  local function granted(fence, from)
    local thread = row[13] == 'delivery' and redis.call('HGET', P .. 'threat:' .. threat, 'thread:' .. remote) or ''
    return {'yes', threat, row[13], row[14], from, fence, row[15] or '0', row[16] or '0', tostring(crashes), row[18],
      row[19] or '', (tonumber(row[12]) < now) and '1' or '0', row[20] or '', from == 'pending' and '1' or '0',
      tostring(now - tonumber(row[24] or row[25] or now)), thread, is_lost and '1' or '0',
      verb, row[21] or '', lane, remote}
  end

  if state == 'leased' and row[5] == owner then return granted(row[2], was) end -- the same call again: its first reply was lost
  local no = unclaimable(state, row[3], row[7])
  if no then return {'no', no} end
  if state == 'leased' then
    is_lost = true
    state = (was == 'pending' and row[6] == '1') and 'unknown' or was
  end

  if is_others_lane(lane) then return wait_in(P .. 'lane:' .. lane .. ':queue', id, 'endpoint busy', is_lost) end

  local failures = 0
  if remote ~= '' then
    local wait, why, failed = closed_for(remote, urgent)
    failures = failed or 0
    if wait > 0 then
      if not is_lost then put_off(id, remote, wait, why, urgent) end
      return {'no', why}
    end
    if is_full_for_us(remote, verb) then return wait_in(queue_key(remote, verb), id, remote .. ' busy', is_lost) end
  end

  if state == 'pending' or released_since(verb, lane, row[11]) then
    local to, reason, held_by = hindrance(id, verb, row[21], lane, row[11], row[22], row[20], most, everyone)
    if to then
      enter(id, threat, state, to, reason, held_by and {'held_by', held_by})
      free_dependents(id, {})
      return {'no', to}
    end
  end

  local fence = string.format('%.0f', row[2] + 1)
  local taken = {'state', 'leased', 'was', state, 'owner', owner, 'lease_until', now + lease, 'fence', fence}
  local function set(name, value)
    taken[#taken + 1] = name
    taken[#taken + 1] = value
  end
  if is_lost then
    crashes = crashes + 1
    set('crashes', crashes)
    note(threat, id, 'lease expired: its worker was lost')
  end
  if state == 'pending' then
    set('begun', 1)
    set('begun_at', now)
  end
  redis.call('HSET', row_key(id), unpack(taken))
  schedule(id, now + lease + 1)
  if lane ~= '' then lanes[lane] = (lanes[lane] or 0) + 1 end
  if remote ~= '' then
    local busy = busy_key(remote, verb)
    remotes[busy] = (remotes[busy] or 0) + 1
    if failures >= MOST_FAILURES then -- the breaker's one probe: the others wait until it has ended, or for the next
      redis.call('HSET', P .. 'remote:' .. remote, 'open_until', now + LONGEST_OPEN)
      waits = {}
    end
  end
  return granted(fence, state)
end

local answers = {}
for n = 6, #ARGV do answers[#answers + 1] = claim(ARGV[n]) end
for lane, rows in pairs(lanes) do
  local key = P .. 'lane:' .. lane
  if redis.call('HGET', key, 'owner') ~= owner then redis.call('DEL', key) end
  redis.call('HSET', key, 'owner', owner, 'until', now + lease)
  redis.call('HINCRBY', key, 'held', rows)
  redis.call('PEXPIRE', key, lease)
end
for busy, rows in pairs(remotes) do
  redis.call('ZADD', busy, now + lease, owner)
  redis.call('HINCRBY', busy .. ':rows', owner, rows)
end
return answers
