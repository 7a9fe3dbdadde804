-- What the sweep rings. ARGV: limit, ms until each is due again, most visits at once to one remote; queue, for how many more it
-- has room, queue, ... Returns {id, queue, label, lane, ...} twice: what lost workers held, and the rest. Half is what has been
-- due for longest, half what has just become due. Of the rest, what would find its queue full or its remote closed or beset is put
-- off without a ring.
local limit, again, most_visits, room = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), {}
for n = 4, #ARGV, 2 do room[ARGV[n]] = tonumber(ARGV[n + 1]) end
-- A queue may have room again after so many ms, what a lost worker held may find its endpoint free; a beset remote takes longer.
local AT_ONCE, SOON, LATER = math.min(again, 200), math.min(again, 2000), 4 * again
-- With so many rows waiting at a remote that is full, each visit that leaves calls the next, and no more need come.
local BESET = 200
-- So many rows of each half may be put off, then enough has been looked at: Redis does nothing else meanwhile.
local MOST_PUT_OFF, PAGE = 100, 200
local lost, rings, beset = {}, {}, {}

local function is_beset(remote, verb)
  if remote == '' then return false end
  local key = remote .. (URGENT[verb] and '!' or '')
  if beset[key] == nil then
    beset[key] = redis.call('ZCARD', queue_key(remote, verb)) >= BESET and is_full(remote, verb, most_visits)
  end
  return beset[key]
end

local function ring(into, id, queue, ...)
  schedule(id, now + (into == lost and SOON or again))
  append_ring(into, id, queue, ...)
  if room[queue] then room[queue] = room[queue] - 1 end
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
    return ring(rings, id, 'respond', 'plan ' .. id, '')
  end
  local row = get(id, 'queue', 'label', 'lane', 'remote', 'verb', 'state')
  local is_lost = row[6] == 'leased'
  if not is_lost then
    local remote = row[4] or ''
    local wait, why = closed_for(remote, URGENT[row[5]])
    if wait > 0 then
      put_off(id, remote, wait, why, URGENT[row[5]])
      return 1
    end
    if is_beset(remote, row[5]) then return leave_for(LATER, id) end
    if (room[row[1]] or 1) <= 0 then return leave_for(AT_ONCE, id) end
  end
  return ring(is_lost and lost or rings, id, row[1], row[2], row[3])
end

-- `ids_from(first, count)` are due ids; nothing of them moves before `finish`.
local seen = {}
local function look_through(most, ids_from)
  local passed = 0
  for first = 0, most - 1, PAGE do
    local ids = ids_from(first, math.min(PAGE, most - first))
    for _, id in ipairs(ids) do
      if not seen[id] then passed = passed + look_at(id) end
      seen[id] = true
      if passed >= MOST_PUT_OFF then return end
    end
    if #ids < PAGE then return end
  end
end

look_through(math.ceil(limit / 2), function(first, count)
  return redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', first, count)
end)
look_through(math.floor(limit / 2), function(first, count)
  return redis.call('ZREVRANGEBYSCORE', due, now, '-inf', 'LIMIT', first, count)
end)
return {lost, rings}
