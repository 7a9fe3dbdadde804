-- uses: lanes remotes guards endpoints
-- Ends rows of one visit. ARGV, for each: id, fence, state, reason, wait, counts, keeps, receipt, reference, evidence, health, guard,
-- blank, cause, hindered, would.
-- Returns for each 'stale' or the rings of what it sets free, {id, queue, label, lane, ...}; and then the rings of what the lanes
-- and remotes call next.
-- wait: ms until it is due again; counts, keeps (a receipt): 1|0; health: how the remote is, ok|bad|''; guard: who holds the row, or '';
-- blank: whether the EDR shows nothing of an order that it accepted, 1|0, or '' where it was not seen; cause: of a failed
-- row, or ''; hindered: what the visit met that may pass by itself, or ''; would: whether it is skipped because of a dry run alone, 1|0.
local PARTS = 16
-- What a later undo makes of an order: it is called off, and nobody is needed for it.
local CALLED_OFF = {pending = true, performed = true, unknown = true, held = true, failed = true}
-- What is left: {owner and lane -> {lane, owner, rows}}, {owner and remote -> {remote, verb, owner, rows}}. And {remote -> is
-- known to be well}.
local lanes, remotes, well = {}, {}, {}

local function judge(remote, health)
  local key = remote_key(remote)
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
end

local function let_go(row)
  if row.works_in ~= '' then
    local key = row.owner .. row.works_in
    local left = lanes[key] or {row.works_in, row.owner, 0}
    lanes[key], left[3] = left, left[3] + 1
  end
  if row.remote ~= '' then
    local key = row.owner .. busy_key(row.remote, row.verb)
    local left = remotes[key] or {row.remote, row.verb, row.owner, 0}
    remotes[key], left[4] = left, left[4] + 1
  end
end

-- What is written down with the row, {name, value, ...}, and what else follows of where it goes.
local function changes_of(found, row, to)
  local changes = {'lease_until', 0}
  local n = #changes
  local function set(name, value)
    changes[n + 1], changes[n + 2], n = name, value, n + 2
  end
  if found.would == '1' then
    set('dry', 1)
    set('would', 1)
  end
  if found.keeps == '1' then set('receipt', found.receipt) end
  if found.reference ~= '' then set('reference', found.reference) end
  if found.evidence ~= '' then set('evidence', found.evidence) end
  if found.hindered ~= (row.hindered or '') then
    set('hindered', found.hindered)
    set('hindered_at', now)
  end
  if found.counts == '1' then set('attempts', (row.attempts or 0) + 1) end
  if to == 'performed' then
    set('looks', (row.looks or 0) + 1)
    if found.blank ~= '' then set('blanks', found.blank == '1' and (row.blanks or 0) + 1 or 0) end
    if not row.performed_at then set('performed_at', now) end
  elseif to == 'pending' then
    set('begun', 0)
    redis.call('HDEL', row_key(found.id), 'looked_at')
  elseif to == 'unknown' then
    set('looked_at', now)
  elseif to == 'held' then
    set('held_by', found.guard)
  elseif to == 'failed' then
    set('cause', found.cause)
  end
  if not TERMINAL[to] and to ~= 'held' then
    set('next_at', now + found.wait)
    schedule(found.id, now + found.wait)
  end
  return changes
end

-- What others will ask for: the endpoint's own record, the first message of the thread, how many isolations there were.
local function remember(found, row, to)
  if to == 'done' and row.kind == 'delivery' and found.reference ~= '' and (row.digest or '') == '' then
    redis.call('HSETNX', P .. 'threat:' .. row.threat, 'thread:' .. row.remote, found.reference)
  end
  local is_nothing = to == 'already' or to == 'skipped' or (to == 'held' and row.was == 'pending' and (row.attempts or '0') == '0')
  if is_nothing and not (row.dry and found.would == '1') then uncount(found.id, row.verb, row.dry) end
  if (to == 'done' or to == 'already') and URGENT[row.verb] then
    show(row.lane, row.verb, found.evidence, row.threat, redis.call('HGET', row_key(found.id), 'subject') or '', to == 'done')
  end
end

-- Written out, because a table that is made at once takes half the time of one that grows: this is done for every row.
local function read(id)
  local v = redis.call('HMGET', row_key(id), 'state', 'fence', 'was', 'threat', 'lane', 'cancel', 'reason', 'owner', 'remote',
    'verb', 'performed_at', 'kind', 'digest', 'attempts', 'looks', 'frees', 'epoch', 'blanks', 'hindered', 'dry')
  return {
    state = v[1] or nil, fence = v[2] or nil, was = v[3] or nil, threat = v[4] or nil, lane = v[5] or nil,
    cancel = v[6] or nil, reason = v[7] or nil, owner = v[8] or nil, remote = v[9] or nil, verb = v[10] or nil,
    performed_at = v[11] or nil, kind = v[12] or nil, digest = v[13] or nil, attempts = v[14] or nil, looks = v[15] or nil,
    frees = v[16] or nil, epoch = v[17] or nil, blanks = v[18] or nil, hindered = v[19] or nil, dry = v[20] or nil,
  }
end

-- Whether its threat was reopened while a worker called it off.
local function is_wanted_again(id, row)
  if row.cancel or undone_since(id, row) then return false end
  return redis.call('HGET', row_key(id), 'reopened') == '1'
end

local function conclude(found)
  local id, to, reason, rings = found.id, found.state, found.reason, {}
  local row = read(id)
  if row.state ~= 'leased' or row.fence ~= found.fence then return 'stale' end
  row.remote, row.lane = row.remote or '', row.lane or ''
  row.works_in = lane_of(id, row)
  if row.remote ~= '' then judge(row.remote, found.health) end
  local called_off = (to == 'pending' and row.cancel) or (CALLED_OFF[to] and undone_since(id, row))
  if called_off then to, reason = 'cancelled', called_off end
  if found.state == 'cancelled' and is_wanted_again(id, row) then
    to, reason, found.keeps, found.receipt = 'pending', 'its threat was reopened', '1', ''
  end

  local changes = changes_of(found, row, to)
  remember(found, row, to)
  if to == row.was and reason == row.reason then -- one more look with nothing new: no line in the timeline
    redis.call('HSET', row_key(id), 'state', to, unpack(changes))
  else
    acts('worker ' .. (row.owner or ''))
    proof[id] = found.evidence
    enter(id, row.threat, row.was, to, reason, changes)
    if row.frees and FREES[to] then free_dependents(id, rings) end
  end
  let_go(row)
  return rings
end

-- The visit that begins at ARGV[n].
local function found_at(n)
  local id, fence, state, reason, wait, counts, keeps, receipt, reference, evidence, health, guard, blank, cause, hindered, would =
    unpack(ARGV, n, n + PARTS - 1)
  return {id = id, fence = fence, state = state, reason = reason, wait = wait, counts = counts, keeps = keeps, receipt = receipt,
    reference = reference, evidence = evidence, health = health, guard = guard, blank = blank, cause = cause, hindered = hindered,
    would = would}
end

local answers, called = {}, {}
for n = 1, #ARGV, PARTS do answers[#answers + 1] = conclude(found_at(n)) end
for _, left in pairs(lanes) do leave_lane(left[1], left[2], left[3], called) end
for _, left in pairs(remotes) do leave_remote(left[1], left[2], left[3], left[4], called) end
answers[#answers + 1] = called
return answers
