-- Ends rows of one visit. ARGV, for each: row id, fence, state, reason, wait in ms, counts (1|0), keeps a receipt (1|0),
-- receipt, reference, evidence, how the remote is (ok|bad|''), its own wish to be left alone in ms, which guard holds it or ''.
-- Returns for each 'stale' or the rings of what it sets free, {id, queue, label, lane, ...}; and then the rings of what the lanes
-- and remotes call next.
local PARTS = 13
-- What a later release of the endpoint makes of an isolation: it is called off, and nobody is needed for it.
local CALLED_OFF = {pending = true, performed = true, unknown = true, held = true, failed = true}
-- What is left: {owner and lane -> {lane, owner, rows}}, {owner and remote -> {remote, verb, owner, rows}}. And {remote -> is
-- known to be well}.
local lanes, remotes, well = {}, {}, {}

local function judge(remote, health, wish)
  local key = P .. 'remote:' .. remote
  if health == 'bad' then
    well[remote] = nil
    local failures = redis.call('HINCRBY', key, 'failures', 1)
    if failures >= MOST_FAILURES then
      local open = math.min(LONGEST_OPEN, SHORTEST_OPEN * 2 ^ (failures - MOST_FAILURES))
      redis.call('HSET', key, 'open_until', now + open)
    end
  elseif health == 'ok' and not well[remote] then
    redis.call('HDEL', key, 'failures', 'open_until')
    well[remote] = true
  end
  if wish > 0 then
    local blocked = tonumber(redis.call('HGET', key, 'blocked_until') or '0')
    redis.call('HSET', key, 'blocked_until', math.max(blocked, now + wish))
  end
end

local function let_go(lane, remote, verb, owner)
  if lane ~= '' then
    local key = owner .. lane
    local left = lanes[key] or {lane, owner, 0}
    lanes[key], left[3] = left, left[3] + 1
  end
  if remote ~= '' then
    local key = owner .. busy_key(remote, verb)
    local left = remotes[key] or {remote, verb, owner, 0}
    remotes[key], left[4] = left, left[4] + 1
  end
end

local function conclude(id, fence, to, reason, wait, counts, keeps, receipt, reference, evidence, health, wish, guard)
  local row = get(id, 'state', 'fence', 'was', 'threat', 'lane', 'cancel', 'reason', 'owner', 'remote', 'verb', 'performed_at',
    'kind', 'digest', 'attempts', 'looks', 'frees', 'epoch')
  if row[1] ~= 'leased' or row[2] ~= fence then return 'stale' end
  local was, threat, remote, verb, rings = row[3], row[4], row[9] or '', row[10], {}
  if remote ~= '' then judge(remote, health, tonumber(wish)) end
  local called_off = (to == 'pending' and row[6]) or (CALLED_OFF[to] and released_since(verb, row[5], row[17]))
  if called_off then to, reason = 'cancelled', called_off end

  local changes = {'lease_until', 0}
  local function set(name, value)
    changes[#changes + 1] = name
    changes[#changes + 1] = value
  end
  if keeps == '1' then set('receipt', receipt) end
  if reference ~= '' then set('reference', reference) end
  if evidence ~= '' then set('evidence', evidence) end
  if counts == '1' then set('attempts', (row[14] or 0) + 1) end
  if to == 'performed' then
    set('looks', (row[15] or 0) + 1)
    if not row[11] then set('performed_at', now) end
  elseif to == 'pending' then
    set('begun', 0)
    redis.call('HDEL', row_key(id), 'looked_at')
  elseif to == 'unknown' then
    set('looked_at', now)
  elseif to == 'held' then
    set('held_by', guard)
  elseif to == 'done' and row[12] == 'delivery' and reference ~= '' and (row[13] or '') == '' then
    redis.call('HSETNX', P .. 'threat:' .. threat, 'thread:' .. remote, reference)
  end
  if verb == 'isolate' and (to == 'already' or to == 'skipped') then redis.call('ZREM', P .. 'isolations', id) end
  if (to == 'done' or to == 'already') and URGENT[verb] then
    redis.call('HSET', P .. 'endpoint:' .. row[5], 'shown', verb, 'shown_at', now)
  end
  if not TERMINAL[to] and to ~= 'held' then
    set('next_at', now + wait)
    schedule(id, now + wait)
  end

  if to == was and reason == row[7] then -- one more look with nothing new: no line in the timeline
    set('state', to)
    redis.call('HSET', row_key(id), unpack(changes))
  else
    enter(id, threat, was, to, reason, changes)
    if row[16] and FREES[to] then free_dependents(id, rings) end
  end
  let_go(row[5] or '', remote, verb, row[8])
  return rings
end

local answers, called = {}, {}
for n = 1, #ARGV, PARTS do answers[#answers + 1] = conclude(unpack(ARGV, n, n + PARTS - 1)) end
for _, left in pairs(lanes) do leave_lane(left[1], left[2], left[3], called) end
for _, left in pairs(remotes) do leave_remote(left[1], left[2], left[3], left[4], called) end
answers[#answers + 1] = called
return answers
