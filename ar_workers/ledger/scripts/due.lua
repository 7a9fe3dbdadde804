-- uses: remotes
-- What the sweep rings. ARGV: limit, ms until each is due again, most visits at once to one remote; queue, for how many more it
-- has room, queue, ... Returns {id, queue, label, lane, ...} twice: what lost workers held, and the rest. Events, isolations
-- and releases come first and get most of it; of each of the two sets half is what has been due for longest, half what has just
-- become due. Of what no lost worker held, what would find its queue full or its remote closed or beset is put off without a ring.
local limit, again, most_visits, room = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), {}
for n = 4, #ARGV, 2 do room[ARGV[n]] = tonumber(ARGV[n + 1]) end
-- A queue may have room again after so many ms, what a lost worker held may find its endpoint free; a beset remote takes longer.
local AT_ONCE, SOON, LATER = math.min(again, 200), math.min(again, 2000), 4 * again
-- So many of each half of a set may be put off, then enough has been looked at: Redis does nothing else meanwhile.
local MOST_PUT_OFF, PAGE = 100, 200
local SHARE_OF_THE_FIRST = 0.75
local lost, rings, places = {}, {}, {}

local function place_at(remote, verb)
  local place = remote .. (URGENT[verb] and '!' or '')
  if places[place] then return place end
  if redis.call('ZCARD', queue_key(remote, verb)) < BESET then
    places[place] = math.huge
  else
    places[place] = is_full(remote, verb, most_visits) and 0 or most_visits - redis.call('ZCOUNT', busy_key(remote, verb), now, '+inf')
  end
  return place
end

local function ring(into, id, row)
  schedule(id, now + (into == lost and SOON or again))
  append_ring(into, id, row)
  if room[row.queue] then room[row.queue] = room[row.queue] - 1 end
  return 0
end

local function leave_for(ms, id)
  schedule(id, now + ms)
  return 1
end

-- Returns how many were put off.
local function look_at(id)
  if string.sub(id, 1, 6) == 'event/' then
    if (room.respond or 1) <= 0 then return leave_for(AT_ONCE, id) end
    return ring(rings, id, {queue = 'respond', label = 'plan ' .. id})
  end
  local row = get(id, 'queue', 'label', 'lane', 'remote', 'verb', 'state')
  if not row.queue then -- somebody has taken it away
    unschedule(id)
    return 1
  end
  local is_lost = row.state == 'leased'
  if not is_lost then
    local remote = row.remote or ''
    local wait, why = closed_for(remote, URGENT[row.verb])
    if wait > 0 then
      put_off(id, remote, wait, why, URGENT[row.verb])
      return 1
    end
    local place = place_at(remote, row.verb)
    if places[place] <= 0 then return leave_for(LATER, id) end
    if (room[row.queue] or 1) <= 0 then return leave_for(AT_ONCE, id) end
    places[place] = places[place] - 1
  end
  return ring(is_lost and lost or rings, id, row)
end

-- `ids_from(first, count)` are due ids; nothing of them moves before `finish`.
local seen, looked = {}, 0
local function look_through(most, ids_from)
  local passed = 0
  for first = 0, most - 1, PAGE do
    local ids = ids_from(first, math.min(PAGE, most - first))
    for _, id in ipairs(ids) do
      if not seen[id] then
        passed, looked = passed + look_at(id), looked + 1
        seen[id] = true
      end
      if passed >= MOST_PUT_OFF then return end
    end
    if #ids < PAGE then return end
  end
end

for _, key in ipairs({due_first, due}) do
  local most = key == due_first and math.ceil(limit * SHARE_OF_THE_FIRST) or limit - looked
  look_through(math.ceil(most / 2), function(first, count)
    return redis.call('ZRANGEBYSCORE', key, '-inf', now, 'LIMIT', first, count)
  end)
  look_through(math.floor(most / 2), function(first, count)
    return redis.call('ZREVRANGEBYSCORE', key, now, '-inf', 'LIMIT', first, count)
  end)
end
return {lost, rings}
